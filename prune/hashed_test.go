package prune

import (
	"math"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// TestGrain: in units of channels small channels keep their digits, by layer they
// lose them, and without a grain levels are shared by even channels alone.
func TestGrain(t *testing.T) {
	shape := []int{16, 8, 3, 3}
	for _, uneven := range []bool{false, true} {
		x := normals(tensor.Len(shape), 5)
		if uneven {
			scaleChannels(x, shape, 0, func(c int) float64 { return math.Pow(2, -float64(c)) })
		}
		sizes := channelSizes(x, shape, 0)
		for _, grain := range []string{byLayer, byChannel, ""} {
			h, y := Hashing{Error: 0.02, Mean: true, Grain: grain}.layer(x, shape, 0)
			e := unevenness(x, y, shape, 0, sizes)
			if lost := e > 0.05; lost != (uneven && grain == byLayer) {
				t.Errorf("uneven %v, grain %q: channels have an error of %.3f", uneven, grain, e)
			}
			if shared := h.sizes == nil; shared != (grain == byLayer || grain == "" && !uneven) {
				t.Errorf("uneven %v, grain %q: levels are shared is %v", uneven, grain, shared)
			}
		}
	}
}

// TestCorrect: the bias takes the mean error of the weights, channel by channel and
// group by group.
func TestCorrect(t *testing.T) {
	x := &ir.Value{Name: "x", Type: ir.TensorType(tensor.Float32, ir.Dims([]int{1, 4, 5, 5})...), Declared: true}
	was, now := tensor.Of([]int{4, 2, 1, 1}, []float32{1, 2, 3, 4, 5, 6, 7, 8}), tensor.Of([]int{4, 2, 1, 1}, []float32{1, 2, 3, 5, 5, 6, 6, 8})
	w, y := ir.NewConst("w", was), &ir.Value{Name: "y"}
	n := &ir.Node{Name: "conv", Op: "Conv", In: []*ir.Value{x, w}, Out: []*ir.Value{y}, Attrs: []ir.Attr{{Name: "group", Value: int64(2)}}}
	g := &ir.Graph{Inputs: []*ir.Value{x}, Outputs: []*ir.Value{y}, Consts: []*ir.Value{w}, Nodes: []*ir.Node{n}}
	g.Bind()
	m := &ir.Model{Graph: g, Opsets: []ir.Opset{{Version: 13}}, IRVersion: 8}
	table := calib.Propagate(m, calib.Options{})
	table.Set(x, &ir.Stats{Axis: 1, Mean: []float64{10, 20, 30, 40}, Std: []float64{1, 1, 1, 1}})
	p := ir.NewPatch(g, "correct")
	l := compress.Layers(m)[0]
	correct(p, &l, now, table)
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	if got := tensor.Data[float32](n.In[2].Const); got[0] != 0 || got[1] != -20 || got[2] != 0 || got[3] != 30 {
		t.Errorf("the biases are %v, want 0, -20, 0, 30", got)
	}
}
