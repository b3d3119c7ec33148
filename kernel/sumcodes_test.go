package kernel

import (
	"fmt"
	"slices"
	"testing"

	"pare/internal/guard"
)

// TestSumCodes compares sums of columns with plain ones, over more rows than
// words hold, too.
func TestSumCodes(t *testing.T) {
	eachImpl(t, "sumcodes", sumCodesLoops, func(t *testing.T, run sumCodesLoop) {
		r := seeded(12)
		for _, n := range lengths() {
			for _, rows := range []int{1, 2, maxSumRows} {
				stride := n + r.IntN(3)
				a := sumArgs{guard.Tail[int32](t, n), tailBytes(t, r, (rows-1)*stride+n), rows, stride}
				run(&a)
				if want := columns(a.src, n, rows, stride); !slices.Equal(a.sums, want) {
					t.Fatalf("%d columns, %d rows: %v, want %v", n, rows, a.sums, want)
				}
			}
		}
	})
	src := make([]uint8, 1000*40)
	for i := range src {
		src[i] = 255
	}
	sums, part := make([]int32, 40), make([]int32, 40)
	if SumCodes(sums, part, src, 1000, 40); fmt.Sprint(sums) != fmt.Sprint(columns(src, 40, 1000, 40)) {
		t.Errorf("many rows: %v", sums)
	}
}

func columns(src []uint8, n, rows, stride int) []int32 {
	sums := make([]int32, n)
	for i := range n * rows {
		sums[i%n] += int32(src[i/n*stride+i%n])
	}
	return sums
}
