package engine_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"pare/engine"
	"pare/ir"
	"pare/tensor"
)

// intWinogradCases are layers that take Winograd's form on every processor.
var intWinogradCases = []intCase{
	{"residual, folded", `(x f32[N,48,19,14]) -> (y) {
		const q = i8[48,48,3,3]{*0}
		const wb = f32[48]{*0.0}
		const s = f32[48]{*0.001}` + grids + codesOfX + `
		w = DequantizeLinear(q, s) {axis=0}
		a = Conv(d, w, wb) {pads=[1,1,1,1]}
		b = Add(a, d)
		p = Relu(b)` + end, []string{"to channels last", "quantize", "int winograd 4x4", "dequantize", "to channels first"}},
	{"signed codes, a grid between", `(x f32[N,64,12,12]) -> (y) {
		const q = i8[64,64,3,3]{*0}` + grids + `
		const s = f32[]{0.0005}
		xq = QuantizeLinear(x, is, iz)
		d = DequantizeLinear(xq, is, iz)
		w = DequantizeLinear(q, s)
		a = Conv(d, w) {pads=[1,1,1,1]}
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		b = Add(d, e)
		p = Relu(b)` + end, []string{"to channels last", "quantize", "int winograd 4x4", "dequantize", "to channels first"}},
	{"real behind", `(x f32[N,64,12,12]) -> (y) {
		const q = i8[64,64,3,3]{*0}
		const s = f32[]{0.0005}` + grids + codesOfX + `
		w = DequantizeLinear(q, s)
		a = Conv(d, w) {pads=[1,1,1,1]}
		y = Relu(a) }`, []string{"to channels last", "quantize", "int winograd 4x4", "to channels first"}},
}

// TestIntWinograd: layers in Winograd's form give the bits of the direct form, on
// every processor and for any number of threads.
func TestIntWinograd(t *testing.T) {
	for _, c := range intWinogradCases {
		t.Run(c.name, func(t *testing.T) {
			m := model(t, c.body)
			fillConsts(m)
			fillCodes(m)
			in := inputsOf(m, 2)
			want, direct := runWith(t, m, in, engine.Options{Direct: true})
			if takesWinograd(direct) {
				t.Errorf("the direct form is computed by %q", direct)
			}
			for _, level := range []string{"generic", "avx2", "avx512"} {
				for threads := 1; threads <= 2; threads++ {
					got, kernels := onLevel(t, m, in, level, threads)
					if !slices.Equal(kernels, c.kernels) {
						t.Errorf("%s computes by %q, want %q", level, kernels, c.kernels)
					}
					if !tensor.Equal(got, want) {
						t.Errorf("%s with %d threads gives other bits than the direct form", level, threads)
					}
				}
			}
		})
	}
}

// TestIntWinogradBound: weights whose sums may pass what the form holds are left to
// another one.
func TestIntWinogradBound(t *testing.T) {
	m := model(t, `(x f32[1,128,12,12]) -> (y) {
		const q = i8[128,128,3,3]{*0}
		const s = f32[]{0.0005}`+grids+codesOfX+`
		w = DequantizeLinear(q, s)
		y = Conv(d, w) {pads=[1,1,1,1]} }`)
	for _, v := range m.Graph.Consts {
		if v.Name == "q" {
			v.Const = tensor.FromCodes(v.Const.Type, v.Const.Shape, bytes.Repeat([]byte{127}, v.Const.Len()))
		}
	}
	in := inputsOf(m, 1)
	want, _ := runWith(t, m, in, engine.Options{Direct: true})
	got, kernels := runWith(t, m, in, engine.Options{})
	if !tensor.Equal(got, want) {
		t.Error("the direct form gives other bits")
	}
	if slices.Contains(kernels, "int winograd 4x4") {
		t.Errorf("computed by %q", kernels)
	}
}

func takesWinograd(kernels []string) bool {
	return slices.ContainsFunc(kernels, func(k string) bool { return strings.HasPrefix(k, "int winograd") })
}

// runWith returns the first output, and the kernels that computed it.
func runWith(t *testing.T, m *ir.Model, in map[string]*tensor.Tensor, o engine.Options) (*tensor.Tensor, []string) {
	t.Helper()
	s, _ := open(t, m, o)
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := s.Profile(context.Background(), in, 1)
	if err != nil {
		t.Fatal(err)
	}
	var kernels []string
	for _, st := range steps {
		kernels = append(kernels, st.Kernel)
	}
	return out[m.Graph.Outputs[0].Name], kernels
}
