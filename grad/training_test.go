package grad_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/grad"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func (k *trainingCase) params(m *ir.Model) (list []*ir.Value) {
	for _, c := range m.Graph.Consts {
		if !slices.Contains([]string{"below", "above", "c", "l"}, c.Name) {
			list = append(list, c)
		}
	}
	return list
}

// TestTrainingOperators compares results with the references of package op, bit for
// bit where they round, and gradients with differences of the surrogates.
func TestTrainingOperators(t *testing.T) {
	for _, k := range trainingCases() {
		t.Run(k.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 5))
			m := parse(t, fill(k.text, r))
			seen(m.Graph)
			p, err := grad.New(m, grad.Options{Params: k.params(m)})
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.Forward(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := op.RunList(context.Background(), m, nil)
			if err != nil {
				t.Fatal(err)
			}
			close64(t, "result", tensor.Float64s(out[0]), tensor.Float64s(want[0].(*tensor.Tensor)))
			dy := reals(7, out[0].Len(), 1)
			if err := p.Backward(context.Background(), []*tensor.Tensor{tensor.Of(out[0].Shape, dy)}); err != nil {
				t.Fatal(err)
			}
			k.compare(t, m, p, dy)
		})
	}
}

// compare differentiates the surrogate.
func (k *trainingCase) compare(t *testing.T, m *ir.Model, p *grad.Program, dy []float32) {
	base, at := learned{}, learned{}
	for _, c := range m.Graph.Consts {
		base[c.Name] = tensor.Float64s(c.Const)
		at[c.Name] = slices.Clone(base[c.Name])
	}
	total := func() (s float64) {
		for i, v := range k.f(base, at) {
			s += v * float64(dy[i])
		}
		return s
	}
	for _, q := range p.Params() {
		list := at[q.Value.Name]
		want := make([]float64, len(list))
		for i, v := range list {
			const step = 1e-6
			list[i] = v + step
			up := total()
			list[i] = v - step
			want[i] = (up - total()) / (2 * step)
			list[i] = v
		}
		got := make([]float64, len(list))
		for i, g := range q.Grad {
			got[i] = float64(g)
		}
		close64(t, "gradient of "+q.Value.Name, got, want)
	}
}

// TestFakeQuantizersRoundAlike holds the fast forms to the references, bit for bit.
func TestFakeQuantizersRoundAlike(t *testing.T) {
	for _, k := range trainingCases()[:6] {
		m := parse(t, fill(k.text, rand.New(rand.NewPCG(4, 5))))
		p, err := grad.New(m, grad.Options{Params: k.params(m)})
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Forward(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := op.RunList(context.Background(), m, nil)
		for i, w := range tensor.Data[float32](want[0].(*tensor.Tensor)) {
			if g := tensor.Data[float32](out[0])[i]; math.Float32bits(g) != math.Float32bits(w) {
				t.Fatalf("%s: element %d is %v, want %v", k.name, i, g, w)
			}
		}
	}
}

// TestScaleGradientIsScaled holds the attribute by which LSQ tames steps.
func TestScaleGradientIsScaled(t *testing.T) {
	var got [2]float32
	for i, attr := range []string{"", ", scale_gradient=0.25"} {
		m := parse(t, fill("opset 21\nopset pare.training 1\ngraph g(x f32[9]) -> (y) {\n  const s = f32[]{0.1}\n  y = pare.training::FakeQuantize(x, s) {lo=-3, hi=3"+attr+"}\n}", nil))
		p, err := grad.New(m, grad.Options{Params: m.Graph.Consts})
		if err != nil {
			t.Fatal(err)
		}
		x := tensor.Of([]int{9}, reals(5, 9, 0.3))
		if _, err := p.Forward(context.Background(), []*tensor.Tensor{x}); err != nil {
			t.Fatal(err)
		}
		if err := p.Backward(context.Background(), []*tensor.Tensor{x}); err != nil {
			t.Fatal(err)
		}
		got[i] = p.Params()[0].Grad[0]
	}
	if got[0] == 0 || got[1] != got[0]/4 {
		t.Errorf("%v, scaled by a quarter %v", got[0], got[1])
	}
}

// TestMixDraws expects the reference's choice in the first step, another in the next,
// gradients along the choice, and the same for every number of threads.
func TestMixDraws(t *testing.T) {
	const n = 70000
	text := "opset 21\nopset pare.training 1\ngraph g(x f32[7,10000], z f32[7,10000]) -> (y) {\n  y = pare.training::Mix(x, z) {p=0.3, seed=11}\n}"
	m := parse(t, text)
	seen(m.Graph)
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	x, z := tensor.Of([]int{7, 10000}, ones), tensor.New(tensor.Float32, 7, 10000)
	want, err := op.RunList(context.Background(), m, []op.Val{x, z})
	if err != nil {
		t.Fatal(err)
	}
	first := tensor.Data[float32](want[0].(*tensor.Tensor))
	for _, threads := range []int{1, 3} {
		p, err := grad.New(m, grad.Options{Inputs: m.Graph.Inputs, Seed: 11, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		var steps [2][]float32
		for i := range steps {
			out, err := p.Forward(context.Background(), []*tensor.Tensor{x, z})
			if err != nil {
				t.Fatal(err)
			}
			steps[i] = slices.Clone(tensor.Data[float32](out[0]))
		}
		if !slices.Equal(steps[0], first) || slices.Equal(steps[0], steps[1]) {
			t.Errorf("%d threads: the first step draws as the reference: %v; the second draws anew: %v", threads,
				slices.Equal(steps[0], first), !slices.Equal(steps[0], steps[1]))
		}
		if err := p.Backward(context.Background(), []*tensor.Tensor{x}); err != nil {
			t.Fatal(err)
		}
		for i, v := range steps[1] {
			if dx, dz := tensor.Data[float32](p.InputGrad(0))[i], tensor.Data[float32](p.InputGrad(1))[i]; dx != v || dz != 1-v {
				t.Fatalf("element %d: x is chosen: %v; gradients %v, %v", i, v, dx, dz)
			}
		}
	}
}

// TestScalesMustBePositive expects an error that names the node, not numbers.
func TestScalesMustBePositive(t *testing.T) {
	m := parse(t, "opset 21\nopset pare.training 1\ngraph g(x f32[3]) -> (y) {\n  const s = f32[]{0.1}\n  y = pare.training::FakeQuantize(x, s)\n}")
	p, err := grad.New(m, grad.Options{Params: m.Graph.Consts})
	if err != nil {
		t.Fatal(err)
	}
	p.Params()[0].Data[0] = -1
	if _, err := p.Forward(context.Background(), []*tensor.Tensor{tensor.New(tensor.Float32, 3)}); err == nil {
		t.Error("a negative scale is not reported")
	} else if got := err.Error(); got != `pare.training::FakeQuantize "y": scale 0 of "s" is -1; scales are positive` {
		t.Errorf("error: %s", got)
	}
}

// TestFakeQuantizeOfManyElements takes more elements than a task or a chunk has, among
// them some on the bounds of the range and NaN.
func TestFakeQuantizeOfManyElements(t *testing.T) {
	const rows, n = 2, 40007
	x := reals(8, rows*n, 1)
	scales := []float32{0.125, 0.3}
	for i := range x {
		if i%7 == 0 {
			x[i] = scales[i/n] * []float32{-5, -4, 3, 4, 0.5, -1.5}[i/7%6]
		}
	}
	m := parse(t, "opset 21\nopset pare.training 1\ngraph g(x f32[2,40007]) -> (y) {\n  const s = f32[2]{0.125, 0.3}\n  y = pare.training::FakeQuantize(x, s) {axis=0, lo=-4, hi=3}\n}")
	p, err := grad.New(m, grad.Options{Params: m.Graph.Consts, Inputs: m.Graph.Inputs, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	in := tensor.Of([]int{rows, n}, x)
	out, err := p.Forward(context.Background(), []*tensor.Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := op.RunList(context.Background(), m, []op.Val{in})
	if !slices.Equal(tensor.Data[float32](out[0]), tensor.Data[float32](want[0].(*tensor.Tensor))) {
		t.Error("results are not those of the reference")
	}
	dy := reals(9, rows*n, 1)
	if err := p.Backward(context.Background(), []*tensor.Tensor{tensor.Of([]int{rows, n}, dy)}); err != nil {
		t.Fatal(err)
	}
	var ds [2]float64
	for i, v := range x {
		q, inside := v/scales[i/n], float32(1)
		d := clip(math.RoundToEven(float64(q)), -4, 3)
		if q < -4 || q > 3 {
			inside = 0
		} else {
			d -= float64(q)
		}
		ds[i/n] += float64(dy[i]) * d
		if got := tensor.Data[float32](p.InputGrad(0))[i]; got != inside*dy[i] {
			t.Fatalf("gradient at %v is %v of %v", q, got, dy[i])
		}
	}
	for k, want := range ds {
		if got := float64(p.Params()[0].Grad[k]); math.Abs(got-want) > 1e-4*math.Abs(want) {
			t.Errorf("gradient of scale %d is %v, want %v", k, got, want)
		}
	}
	x[777] = float32(math.NaN())
	if out, _ = p.Forward(context.Background(), []*tensor.Tensor{in}); tensor.Data[float32](out[0])[777] == tensor.Data[float32](out[0])[777] {
		t.Error("NaN is rounded")
	}
}
