package grad_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pare/grad"
	"pare/op"
)

// TestForms expects functions that exporters write out to be recognised, and their
// gradients to stay.
func TestForms(t *testing.T) {
	norm := "  m = ReduceMean(x) {axes=[-1], keepdims=1}\n  d = Sub(x, m)\n  q = Pow(d, two)\n  v = ReduceMean(q) {axes=[-1], keepdims=1}\n  e = Add(v, eps)\n  r = Sqrt(e)\n  n = Div(d, r)\n"
	square := "  q = Mul(x, x)\n  v = ReduceMean(q) {axes=[-1], keepdims=1}\n  e = Add(eps, v)\n  r = Sqrt(e)\n"
	for name, k := range map[string]struct {
		body string
		ops  []string
	}{
		"layer norm":       {norm + "  s = Mul(n, g)\n  y = Add(s, b)", []string{"LayerNormalization"}},
		"without beta":     {norm + "  s = Mul(n, g)\n  y = Add(s, x)", []string{"LayerNormalization", "Add"}},
		"RMS in between":   {norm + "  s = Mul(n, g)\n  y = Add(s, d)", []string{"ReduceMean", "Sub", "SimplifiedLayerNormalization", "Add"}},
		"gelu":             {"  a = Div(x, root)\n  f = Erf(a)\n  c = Add(f, one)\n  d = Mul(x, c)\n  y = Mul(d, half)", []string{"Gelu"}},
		"gelu, half first": {"  a = Mul(x, inverse)\n  f = Erf(a)\n  c = Add(f, one)\n  h = Mul(x, half)\n  y = Mul(h, c)", []string{"Gelu"}},
		"no gelu":          {"  a = Div(x, root)\n  f = Erf(a)\n  c = Add(f, one)\n  d = Mul(x, c)\n  y = Mul(d, two)", []string{"Div", "Erf", "Add", "Mul", "Mul"}},
		"RMS":              {square + "  n = Div(x, r)\n  y = Mul(n, g)", []string{"SimplifiedLayerNormalization"}},
		"RMS, one over":    {square + "  i = Div(one, r)\n  n = Mul(x, i)\n  y = Mul(g, n)", []string{"SimplifiedLayerNormalization"}},
		"RMS, reciprocal":  {square + "  i = Reciprocal(r)\n  n = Mul(x, i)\n  y = Mul(g, n)", []string{"SimplifiedLayerNormalization"}},
		"no RMS":           {square + "  n = Div(x, v)\n  s = Mul(n, g)\n  y = Mul(s, r)", []string{"Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "Mul"}},
	} {
		text := "opset 17\ngraph g(x f32[2,3,4]) -> (y) {\n  const g = f32[4]{random}\n  const b = f32[1,4]{random}\n" +
			"  const two = f32[]{2.0}\n  const half = f32[]{0.5}\n  const one = f32[]{1.0}\n  const root = f32[]{1.4142135}\n  const inverse = f32[]{0.70710677}\n  const eps = f32[]{0.01}\n" + k.body + "\n}"
		t.Run(name, func(t *testing.T) {
			m := parse(t, fill(text, rand.New(rand.NewPCG(1, 1))))
			if _, err := op.Infer(m); err != nil {
				t.Fatal(err)
			}
			grad.Recognise(m)
			var got []string
			for _, n := range m.Graph.Nodes {
				got = append(got, n.Op)
			}
			if !slices.Equal(got, k.ops) {
				t.Errorf("nodes are %v, want %v", got, k.ops)
			}
			checkGradients(t, text, func(o *grad.Options) { o.Params = o.Params[:2] })
		})
	}
}
