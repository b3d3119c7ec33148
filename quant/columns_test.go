package quant

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// TestSumColumns compares with the sum weight by weight, for filters with groups
// and matrices either way round.
func TestSumColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	conv := &ir.Node{Op: "Conv", Attrs: []ir.Attr{{Name: "group", Value: int64(2)}}}
	for name, c := range map[string]struct {
		l        compress.Layer
		shape    []int
		channels int
		weigh    []float64
	}{
		"conv":       {compress.Layer{Node: conv, Out: 0, In: 1}, []int{140, 3, 2, 2}, 6, nil},
		"padded":     {compress.Layer{Node: conv, Out: 0, In: 1}, []int{70, 3, 2, 2}, 6, []float64{1, 0.5, 0.25, 1}},
		"matrix":     {compress.Layer{Node: &ir.Node{Op: "MatMul"}, Out: 1, In: 0}, []int{5, 150}, 5, nil},
		"transposed": {compress.Layer{Node: &ir.Node{Op: "Gemm"}, Out: 0, In: 1}, []int{150, 5}, 5, nil},
		"stacked":    {compress.Layer{Node: &ir.Node{Op: "MatMul"}, Out: 2, In: 1}, []int{2, 5, 7}, 5, nil},
	} {
		x := make([]float64, c.channels)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		w, less := tensor.New(tensor.Float32, c.shape...), tensor.New(tensor.Float32, c.shape...)
		for i := range w.Len() {
			tensor.Data[float32](w)[i], tensor.Data[float32](less)[i] = float32(r.NormFloat64()), float32(r.IntN(2))
		}
		steps := strides(c.shape)
		want, groups := make([]float64, c.shape[c.l.Out]), c.l.Node.Int("group", 1)
		for i, v := range tensor.Data[float32](w) {
			o, j := i/steps[c.l.Out]%len(want), i/steps[c.l.In]%c.shape[c.l.In]
			d := float64(v) - float64(tensor.Data[float32](less)[i])
			if c.weigh != nil {
				d *= c.weigh[i%len(c.weigh)]
			}
			want[o] += d * x[o*groups/len(want)*c.shape[c.l.In]+j]
		}
		for _, threads := range []int{1, 3} {
			if got := sumColumns(&c.l, w, less, x, c.weigh, threads); !slices.Equal(got, want) {
				t.Errorf("%s on %d threads: %v, want %v", name, threads, got, want)
			}
		}
	}
}
