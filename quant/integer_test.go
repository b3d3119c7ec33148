package quant_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// gemm is y = x·wᵀ + b with random operands, and x within [-2, 3].
func gemm(t *testing.T, rows, in, out int) (*ir.Model, *tensor.Tensor) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	list := func(n int, f func() float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(f())
		}
		return x
	}
	g := &ir.Graph{Name: "g"}
	x := &ir.Value{Name: "x", Type: ir.TensorType(tensor.Float32, ir.Known(rows), ir.Known(in)), Declared: true}
	w := ir.NewConst("w", tensor.Of([]int{out, in}, list(out*in, r.NormFloat64)))
	b := ir.NewConst("b", tensor.Of([]int{out}, list(out, r.NormFloat64)))
	y := &ir.Value{Name: "y"}
	g.Inputs, g.Consts, g.Outputs = []*ir.Value{x}, []*ir.Value{w, b}, []*ir.Value{y}
	g.Nodes = []*ir.Node{{Name: "fc", Op: "Gemm", In: []*ir.Value{x, w, b}, Out: []*ir.Value{y}, Attrs: []ir.Attr{{Name: "transB", Value: int64(1)}}}}
	g.Bind()
	data := tensor.Of([]int{rows, in}, list(rows*in, func() float64 { return -2 + 5*r.Float64() }))
	return &ir.Model{Graph: g, Opsets: []ir.Opset{{Version: 13}}, IRVersion: 8}, data
}

func outputs(t *testing.T, m *ir.Model, x *tensor.Tensor) []float32 {
	t.Helper()
	vals, err := op.Run(context.Background(), m, map[string]op.Val{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float32](vals[0].(*tensor.Tensor))
}

// TestIntegers computes a quantised layer as an integer kernel does, from the
// constants of the written graph: sums of products of codes plus the integer
// bias, times one factor per channel. The graph's operators must agree.
func TestIntegers(t *testing.T) {
	for _, recipe := range []string{"uniform(a=8)", "uniform(w=4,a=8)", "uniform(w=8,a=4)", "uniform(a=8,granularity=tensor)", "uniform(w=5,a=6,symmetric=false)"} {
		const rows, in, out = 3, 40, 8
		m, x := gemm(t, rows, in, out)
		compressed(t, m, recipe)
		got := outputs(t, m, x)
		fc := m.Graph.Outputs[0].Producer()
		a, _, ok := format.MatchActivation(fc.In[0])
		if !ok {
			t.Fatalf("%s: the data is not quantised", recipe)
		}
		w, bias := fc.In[1].Producer(), fc.In[2].Producer()
		codes, scale, zero := tensor.Ints8(w.In[0].Const), tensor.Float32s(w.In[1].Const), tensor.Ints8(w.In[2].Const)
		start := tensor.Data[int32](bias.In[0].Const)
		for r := range rows {
			for o := range out {
				k := min(o, len(scale)-1)
				acc := start[o]
				for i := range in {
					q := int32(a.Code(tensor.Data[float32](x)[r*in+i])) - int32(a.Zero)
					acc += q * int32(codes[o*in+i]-zero[k])
				}
				want := float64(acc) * float64(a.Scale) * float64(scale[k])
				if d := math.Abs(float64(got[r*out+o]) - want); d > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%s: row %d, channel %d: %v, integers give %v", recipe, r, o, got[r*out+o], want)
				}
			}
		}
	}
}

// TestDeadChannel: weights that have all but vanished do not make the bias
// overflow.
func TestDeadChannel(t *testing.T) {
	for _, recipe := range []string{"uniform(a=8)", "uniform(a=8,granularity=tensor)", "uniform(w=3,a=4)"} {
		m, x := gemm(t, 2, 40, 3)
		w, b := tensor.Data[float32](m.Graph.Consts[0].Const), tensor.Data[float32](m.Graph.Consts[1].Const)
		for i := range 40 {
			w[i], w[40+i] = w[i]*1e-19, 0
		}
		b[0], b[1] = 7.5, -4000
		compressed(t, m, recipe)
		for i, v := range outputs(t, m, x) {
			if c := i % 3; c < 2 && math.Abs(float64(v-b[c])) > 0.01*math.Abs(float64(b[c])) {
				t.Errorf("%s: channel %d is %v, not %v", recipe, c, v, b[c])
			}
		}
	}
}
