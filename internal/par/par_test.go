package par_test

import (
	"sync/atomic"
	"testing"

	"pare/internal/par"
)

// TestEach: every index is met once, for any number of threads.
func TestEach(t *testing.T) {
	for _, threads := range []int{0, 1, 3, 100} {
		for _, n := range []int{0, 1, 2, 50} {
			met := make([]atomic.Int32, n)
			par.Each(n, threads, func(i int) { met[i].Add(1) })
			for i := range met {
				if k := met[i].Load(); k != 1 {
					t.Errorf("%d threads, %d of %d was met %d times", threads, i, n, k)
				}
			}
		}
	}
}
