package quant_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// loudNet is a LayerNorm with loud channels that two products read, one of which goes
// into a third through a Relu.
func loudNet(t *testing.T) *ir.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	var consts strings.Builder
	for _, c := range []struct {
		name string
		dims []int
	}{{"gain", []int{1, 16}}, {"shift", []int{1, 16}}, {"wq", []int{16, 12}}, {"wk", []int{16, 20}}, {"wo", []int{20, 12}}} {
		dims := c.dims
		if c.name[0] != 'w' {
			dims = dims[1:]
		}
		fmt.Fprintf(&consts, "  const %s = f32%s{", c.name, strings.ReplaceAll(fmt.Sprint(dims), " ", ","))
		for i := range tensor.Len(c.dims) {
			if i > 0 {
				consts.WriteString(", ")
			}
			v := r.NormFloat64()
			if c.name == "gain" && i%7 == 3 {
				v = 40
			}
			if c.name[0] == 'w' && i/c.dims[1]%7 == 3 { // loud channels are listened to as much as others
				v /= 40
			}
			fmt.Fprint(&consts, float32(v))
		}
		consts.WriteString("}\n")
	}
	m, err := ir.Parse(strings.NewReader("ir_version 10\nopset 17\ngraph g(x f32[N,5,16]) -> (y) {\n" + consts.String() + `  n = LayerNormalization(x, gain, shift)
  q = MatMul(n, wq) @q
  k = MatMul(n, wk) @k
  r = Relu(k)
  o = MatMul(r, wo) @o
  y = Add(q, o)
}
`))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSmooth: the function stays what it is, the published factors come out, and data of
// 8 and 4 bits lose less.
func TestSmooth(t *testing.T) {
	m := loudNet(t)
	x := normalData([]int{40, 5, 16})
	want := outputOf(t, m, x)
	for recipe, gains := range map[string][2]float64{
		"smooth": {3, 2}, "smooth(alpha=auto)": {3, 2}, "smooth(alpha=0.8)": {3, 1}, "smooth(alpha=auto,a=4,w=8)": {3, 3},
	} {
		s := ir.CloneModel(m)
		if _, err := runRecipe(t.Context(), t, s, recipe, compress.Options{Data: given(x)}); err != nil {
			t.Fatal(err)
		}
		if e := format.Difference(want, outputOf(t, s, x)).Relative(); !(e < 1e-5) {
			t.Errorf("%s changes the function by %v", recipe, e)
		}
		for i, a := range []int{8, 4} {
			how := fmt.Sprintf("uniform(w=8,a=%d)", a)
			plain, smooth := ir.CloneModel(m), ir.CloneModel(s)
			for _, q := range []*ir.Model{plain, smooth} {
				if _, err := runRecipe(t.Context(), t, q, how, compress.Options{Data: given(x)}); err != nil {
					t.Fatal(err)
				}
			}
			before, after := format.Difference(want, outputOf(t, plain, x)).Relative(), format.Difference(want, outputOf(t, smooth, x)).Relative()
			if !(after < before/gains[i]) {
				t.Errorf("%s+%s: error %.4f, without %.4f", recipe, how, after, before)
			}
		}
	}
}

// TestSmoothFactors compares with the formula by hand.
func TestSmoothFactors(t *testing.T) {
	m := loudNet(t)
	x := normalData([]int{40, 5, 16})
	s := ir.CloneModel(m)
	if _, err := runRecipe(t.Context(), t, s, "smooth(alpha=0.5)", compress.Options{Data: given(x)}); err != nil {
		t.Fatal(err)
	}
	got, err := reference{m, []*ir.Value{m.Graph.Value("n")}}.Run(t.Context(), map[string]*tensor.Tensor{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	gain, now := tensor.Float32s(m.Graph.Value("gain").Const), tensor.Float32s(s.Graph.Value("gain").Const)
	var ratios []float64
	for c := range gain {
		largest, weight := 0.0, 0.0
		for i, v := range tensor.Float32s(got[0]) {
			if i%16 == c {
				largest = max(largest, math.Abs(float64(v)))
			}
		}
		for _, name := range []string{"wq", "wk"} {
			w := m.Graph.Value(name).Const
			for _, v := range tensor.Float32s(w)[c*w.Shape[1]:][:w.Shape[1]] {
				weight = max(weight, math.Abs(float64(v)))
			}
		}
		factor := math.Sqrt(largest / weight)
		ratios = append(ratios, float64(gain[c]/now[c])/factor)
	}
	for c, r := range ratios { // but for a common factor
		if math.Abs(r/ratios[0]-1) > 1e-4 {
			t.Errorf("channel %d was divided by %v times the formula, channel 0 by %v", c, r, ratios[0])
		}
	}
}

// normalData are normal numbers.
func normalData(shape []int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(3, 3))
	x := tensor.New(tensor.Float32, shape...)
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = float32(r.NormFloat64())
	}
	return x
}

func outputOf(t *testing.T, m *ir.Model, x *tensor.Tensor) []float32 {
	t.Helper()
	out, err := op.Run(t.Context(), m, map[string]op.Val{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float32s(out[0].(*tensor.Tensor))
}

// tensorSet has the rows of a tensor as samples.
type tensorSet struct{ x *tensor.Tensor }

func (s tensorSet) Len() int         { return s.x.Shape[0] }
func (tensorSet) Task() dataset.Task { return dataset.Unlabelled }
func (tensorSet) Prepared() string   { return "" }
func (s tensorSet) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	row := tensor.Len(s.x.Shape[1:])
	part := tensor.Of(append([]int{hi - lo}, s.x.Shape[1:]...), tensor.Float32s(s.x)[lo*row:hi*row])
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": part}}, nil
}

func given(x *tensor.Tensor) *calib.Data {
	return &calib.Data{Set: tensorSet{x}, Run: func(m *ir.Model, v []*ir.Value) (calib.Runner, error) { return reference{m, v}, nil }}
}
