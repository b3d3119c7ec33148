// Package par spreads loops over processors.
package par

import (
	"sync"
	"sync/atomic"
)

// Each calls f for 0..n-1, each once, on up to threads goroutines, and returns
// when all calls have. A panic of f ends the process where it is not its own
// goroutine's to catch, as that of any goroutine does.
func Each(n, threads int, f func(i int)) {
	if threads <= 1 || n <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, threads) {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				f(i)
			}
		})
	}
	wg.Wait()
}
