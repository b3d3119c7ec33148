package kernel_test

import (
	"math"
	"testing"

	"pare/kernel"
)

func TestSoftmax(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, cols := range []int{1, 2, 10, 64, 77, 1000} {
			src := floats(t, random(8), 3*cols)
			var want []float64
			for i := range src {
				src[i] *= 20
			}
			for r := range 3 {
				row, sum := src[r*cols:(r+1)*cols], 0.0
				for _, x := range row {
					sum += math.Exp(float64(x))
				}
				for _, x := range row {
					want = append(want, math.Exp(float64(x))/sum)
				}
			}
			kernel.Softmax(src, src, cols)
			near(t, "softmax", src, want, 2e-6)
		}
	})
}

func TestLayerNorm(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, cols := range []int{1, 7, 64, 193, 768} {
			r := random(9)
			src, gamma, beta := floats(t, r, 2*cols), floats(t, r, cols), floats(t, r, cols)
			for _, shift := range [][]float32{beta, nil} {
				var want []float64
				for row := range 2 {
					var mean, v float64
					for _, x := range src[row*cols : (row+1)*cols] {
						mean += float64(x) / float64(cols)
					}
					for _, x := range src[row*cols : (row+1)*cols] {
						v += (float64(x) - mean) * (float64(x) - mean) / float64(cols)
					}
					for i, x := range src[row*cols : (row+1)*cols] {
						y := (float64(x) - mean) / math.Sqrt(v+1e-5) * float64(gamma[i])
						if shift != nil {
							y += float64(shift[i])
						}
						want = append(want, y)
					}
				}
				dst := floats(t, r, 2*cols)
				kernel.LayerNorm(dst, src, gamma, shift, 1e-5)
				near(t, "layer norm", dst, want, 5e-6)
			}
		}
	})
}

func TestEmptyRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		if s, m := kernel.RowSum(nil), kernel.RowMax(nil); s != 0 || !math.IsInf(float64(m), -1) {
			t.Errorf("sum and largest of nothing are %v and %v", s, m)
		}
		kernel.Exp.Run(nil, nil)
		kernel.Softmax(nil, nil, 0)
		kernel.Transpose(nil, nil, 0, 5)
	})
}
