package kernel

import (
	"fmt"
	"testing"

	"pare/internal/guard"
)

func TestGateRows(t *testing.T) {
	eachImpl(t, "gaterows", gateRowsLoops, func(t *testing.T, run gateRowsLoop) {
		r := seeded(5)
		for _, n := range lengths() {
			if n == 0 {
				continue
			}
			for _, rows := range []int{1, 3} {
				dstStep, srcStep := n+2, n+5
				src, gate := tail(t, r, (rows-1)*srcStep+n, 4, true), tail(t, r, n, 4, true)
				dst := guard.Tail[float32](t, (rows-1)*dstStep+n)
				want := make([]float32, len(dst))
				for i := range rows {
					for j, g := range gate {
						want[i*dstStep+j] = src[i*srcStep+j] * g
					}
				}
				run(dst, src, gate, rows, dstStep, srcStep)
				bitsEqual(t, fmt.Sprint(rows, " rows of ", n), dst, want)
			}
		}
	})
}
