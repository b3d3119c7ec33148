package kernel

import (
	"fmt"
	"testing"

	"pare/internal/guard"
)

func TestTranspose(t *testing.T) {
	eachImpl(t, "transpose", transposeLoops, func(t *testing.T, run transposeLoop) {
		sizes := []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67}
		for _, rows := range sizes {
			for _, cols := range sizes {
				src, dst, want := tail(t, seeded(20), rows*cols, 1, true), guard.Tail[float32](t, rows*cols), make([]float32, rows*cols)
				for i, x := range src {
					want[i%cols*rows+i/cols] = x
				}
				run(dst, src, rows, cols)
				bitsEqual(t, fmt.Sprintf("%dx%d", rows, cols), dst, want)
			}
		}
	})
}

func TestLayouts(t *testing.T) {
	nchw := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	nhwc, back := make([]float32, 12), make([]float32, 12)
	NCHWToNHWC(nhwc, nchw, 2, 2, 3)
	bitsEqual(t, "NHWC", nhwc, []float32{1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12})
	NHWCToNCHW(back, nhwc, 2, 2, 3)
	bitsEqual(t, "NCHW", back, nchw)
	padded := make([]float32, 2*3)
	PadCopy(padded, []float32{1, 2}, 1, 1, 1, 2, 1, 0, 1, 0, 7)
	bitsEqual(t, "padded", padded, []float32{7, 7, 1, 2, 7, 7})
}
