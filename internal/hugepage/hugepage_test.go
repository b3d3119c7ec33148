package hugepage_test

import (
	"testing"

	"pare/internal/hugepage"
)

func TestFloat32s(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 1 << 18, 3<<20 + 5} {
		s := hugepage.Float32s(n)
		if len(s) != n {
			t.Fatalf("%d elements, want %d", len(s), n)
		}
		for i := range s {
			if s[i] != 0 {
				t.Fatalf("element %d of %d is %v", i, n, s[i])
			}
			s[i] = 1
		}
	}
}
