package decompose_test

import (
	"math"
	"testing"

	"pare/format"
	"pare/ir"
	_ "pare/quant"
	"pare/tensor"
)

// The sums of a split convolution, a matrix of -1, 0 and 1, lose nothing on grids
// that are symmetric about 0.
func TestSumsQuantiseExactly(t *testing.T) {
	for _, step := range []string{
		"uniform(w=2)", "uniform(w=3)", "uniform(w=4)", "uniform(w=5)", "uniform(w=6)", "uniform(w=7)", "uniform(w=8)",
		"uniform(w=4,granularity=tensor)", "uniform(w=4,rounding=squant)", "uniform(w=4,range=mse)", "uniform(w=4,granularity=block,block=16)",
		"powerquant(w=2)", "powerquant(w=3)", "powerquant(w=4)", "powerquant(w=6,top=127)", "powerquant(w=4,rounding=squant)",
		"ternary", "codebook(w=2)", "codebook(w=4)", "codebook(w=4,rounding=squant)", "codebook(w=4,top=0)",
		"rex(base=powerquant(w=4),order=1)",
	} {
		m := conv([]int{1, 8, 6, 6}, repeated(3, []int{16, 8, 3, 3}, uneven, 1, -1, 0), ir.IntsAttr("pads", 1, 1, 1, 1))
		rep := compressed(t, m, "split(form=split)+"+step)
		sums := m.Graph.Nodes[len(m.Graph.Nodes)-1]
		e, ok := format.MatchWeight(m, sums.In[1])
		if !ok {
			t.Errorf("%s: %+v", step, rep.Layers)
			continue
		}
		d, err := e.Decode(1)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range tensor.Data[float32](d) {
			if x != 0 && math.Abs(float64(x)) != 1 {
				t.Errorf("%s: sum %d is %v", step, i, x)
				break
			}
		}
	}
}
