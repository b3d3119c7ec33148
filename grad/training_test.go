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

// learned are the numbers of a training operator's operands by name.
type learned map[string][]float64

// surrogate is what a straight-through gradient is the gradient of: the function with
// the rounding as it is at base, near which at lies.
type surrogate func(base, at learned) []float64

type trainingCase struct {
	name, text string
	f          surrogate
}

func clip(x, lo, hi float64) float64 { return min(max(x, lo), hi) }

// fakeSurrogate is x plus what rounding added in units of the scale, or the end of the
// range, in which elements per scale follow each other, or scales repeat if last.
func fakeSurrogate(lo, hi float64, per int, last bool) surrogate {
	return func(base, at learned) []float64 {
		y := make([]float64, len(at["x"]))
		for i := range y {
			k := i / per % len(at["s"])
			if last {
				k = i % len(at["s"])
			}
			z0, z := 0.0, 0.0
			if at["z"] != nil {
				z0 = math.RoundToEven(base["z"][k])
				z = z0 + at["z"][k] - base["z"][k]
			}
			q := base["x"][i] / base["s"][k]
			moved := at["x"][i]/at["s"][k] + math.RoundToEven(q) - q
			if q < lo-z0 {
				moved = lo - z
			} else if q > hi-z0 {
				moved = hi - z
			}
			y[i] = moved * at["s"][k]
		}
		return y
	}
}

// powerSurrogate is the level plus what x moves, between the ends of the grid.
func powerSurrogate(codes []uint8, levels []float64) surrogate {
	return func(base, at learned) []float64 {
		y := make([]float64, len(at["x"]))
		last := len(levels) - 1
		for i := range y {
			s0, s := base["s"][0], at["s"][0]
			step := (levels[last] - levels[0]) / float64(len(codes)-1)
			u := base["x"][i]/(step*s0) + math.RoundToEven(-levels[0]/step) + 0.5
			level := levels[codes[int(clip(u, 0, float64(len(codes)-1)))]]
			switch q := base["x"][i] / s0; {
			case q < levels[0] || q > levels[last]:
				y[i] = level * s
			default:
				y[i] = (at["x"][i]/s + level - q) * s
			}
		}
		return y
	}
}

func h(v float64) float64 { return clip(1.2/(1+math.Exp(-v))-0.1, 0, 1) }

func roundSurrogate(hard bool) surrogate {
	return func(base, at learned) []float64 {
		y := make([]float64, len(at["v"]))
		for i := range y {
			r := h(at["v"][i])
			if hard { // its value is rounded, its slope that of the soft form
				r += math.Round(h(base["v"][i])) - h(base["v"][i])
				if base["v"][i] >= 0 {
					r = h(at["v"][i]) + 1 - h(base["v"][i])
				}
			}
			below, above := base["below"][i], base["above"][i]
			y[i] = at["s"][i/4] * (below + r*(above-below))
		}
		return y
	}
}

// latentSurrogate moves the code with the latent, by the slope at half a step at least.
func latentSurrogate(beta float64) surrogate {
	return func(base, at learned) []float64 {
		const n = 7
		y := make([]float64, len(at["v"]))
		exponent := func(l learned) float64 { return 0.2 + 0.8/(1+math.Exp(-l["alpha"][0])) }
		for i := range y {
			v0, s, a := base["v"][i], at["s"][i/4], exponent(at)
			q := math.RoundToEven(v0)
			slope := 1.0
			if beta > 0 {
				f := math.Floor(v0)
				sg := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
				low := sg(-beta / 2)
				p := sg(beta * (v0 - f - 0.5))
				q, slope = f+(p-low)/(1-2*low), beta*p*(1-p)/(1-2*low)
			}
			if math.Abs(v0) > n {
				slope = 0
			}
			u := math.Abs(clip(q, -n, n)) / n
			level := math.Copysign(math.Pow(u, 1/a), q)
			if u == 0 {
				level = 0
			}
			a0 := exponent(base)
			bend := slope / (a0 * n) * math.Pow(max(u, 1.0/(2*n)), 1/a0-1)
			y[i] = s * (level + bend*(at["v"][i]-v0))
		}
		return y
	}
}

func trainingCases() []trainingCase {
	head := "opset 21\nopset pare.training 1\n"
	codes := []uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4}
	levels := []float64{-4, -1, 0, 2, 6}
	text := func(vars, body string) string { return head + "graph g() -> (y) {\n" + vars + "\n" + body + "\n}" }
	x := "  const x = f32[3,2,4]{random}\n"
	return []trainingCase{
		{"one scale", text(x+"  const s = f32[]{0.13}\n", "  y = pare.training::FakeQuantize(x, s) {lo=-3, hi=3}"), fakeSurrogate(-3, 3, 24, false)},
		{"one scale, zero", text(x+"  const s = f32[]{0.09}\n  const z = f32[]{5.4}\n", "  y = pare.training::FakeQuantize(x, s, z) {hi=15}"), fakeSurrogate(0, 15, 24, false)},
		{"scales in front", text(x+"  const s = f32[3]{0.13, 0.2, 0.05}\n  const z = f32[3]{0.0, 2.0, 1.7}\n",
			"  y = pare.training::FakeQuantize(x, s, z) {axis=0, lo=-4, hi=6}"), fakeSurrogate(-4, 6, 8, false)},
		{"scales behind", text(x+"  const s = f32[4]{0.13, 0.2, 0.05, 0.4}\n  const z = f32[4]{0.0, 2.0, 1.7, -1.0}\n",
			"  y = pare.training::FakeQuantize(x, s, z) {axis=-1, lo=-4, hi=6}"), fakeSurrogate(-4, 6, 1, true)},
		{"blocks", text(x+"  const s = f32[3,2,2]{0.13, 0.2, 0.05, 0.4, 0.1, 0.3, 0.12, 0.06, 0.4, 0.2, 0.1, 0.2}\n",
			"  y = pare.training::FakeQuantize(x, s) {axis=2, block_size=2, lo=-4, hi=3}"), fakeSurrogate(-4, 3, 2, false)},
		{"power grid", text(x+"  const s = f32[]{0.15}\n  const c = u8[16]{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4}\n  const l = f32[5]{-4.0, -1.0, 0.0, 2.0, 6.0}\n",
			"  y = pare.training::FakePowerQuantize(x, s, c, l)"), powerSurrogate(codes, levels)},
		{"soft rounding", text("  const v = f32[3,4]{3.1, -2.0, 0.5, -0.2, 9.0, -9.0, 1.0, 2.0, 0.0, 0.3, -0.6, -1.4}\n  const below = f32[3,4]{random}\n  const above = f32[3,4]{positive}\n  const s = f32[3]{positive}\n",
			"  y = pare.training::SoftRound(below, above, v, s) {axis=0}"), roundSurrogate(false)},
		{"hard rounding", text("  const v = f32[3,4]{3.1, -2.0, 0.5, -0.2, 9.0, -9.0, 1.0, 2.0, 0.0, 0.3, -0.6, -1.4}\n  const below = f32[3,4]{random}\n  const above = f32[3,4]{positive}\n  const s = f32[3]{positive}\n",
			"  y = pare.training::SoftRound(below, above, v, s) {axis=0, hard=1}"), roundSurrogate(true)},
		{"latent", text("  const v = f32[3,4]{3.1, -2.0, 0.4, -0.2, 9.0, -9.0, 1.4, 2.2, 0.1, 6.7, -6.6, -1.4}\n  const s = f32[3]{positive}\n  const alpha = f32[]{0.3}\n",
			"  y = pare.training::PowerLatent(v, s, alpha) {axis=0}"), latentSurrogate(0)},
		{"smooth latent", text("  const v = f32[3,4]{3.1, -2.1, 0.4, -0.2, 9.0, -9.0, 1.4, 2.2, 0.1, 6.7, -6.6, -1.4}\n  const s = f32[3]{positive}\n  const alpha = f32[]{0.3}\n",
			"  y = pare.training::PowerLatent(v, s, alpha) {axis=0, beta=4.0}"), latentSurrogate(4)},
	}
}

// params are the constants that are learned.
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

func BenchmarkFakeQuantize(b *testing.B) {
	for name, body := range map[string]string{
		"uniform": "  y = pare.training::FakeQuantize(x, s)",
		"power":   "  y = pare.training::FakePowerQuantize(x, s, c, l)",
		"mix":     "  z = Relu(x)\n  y = pare.training::Mix(x, z)",
	} {
		b.Run(name, func(b *testing.B) {
			m := parse(b, "opset 21\nopset pare.training 1\ngraph g(x f32[32,32768]) -> (y) {\n  const s = f32[1]{0.02}\n  const c = u8[8]{0, 0, 1, 1, 2, 2, 2, 2}\n  const l = f32[3]{0.0, 3.0, 10.0}\n"+body+"\n}")
			p, err := grad.New(m, grad.Options{Params: m.Graph.Consts[:1], Inputs: m.Graph.Inputs})
			if err != nil {
				b.Fatal(err)
			}
			x := []*tensor.Tensor{tensor.Of([]int{32, 32768}, reals(3, 1<<20, 1))}
			b.SetBytes(4 << 20)
			for b.Loop() {
				if _, err := p.Forward(context.Background(), x); err != nil {
					b.Fatal(err)
				}
				if err := p.Backward(context.Background(), x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReconstruction is a step of learning the roundings of a residual block of
// ResNet-20 and the scales of its activations.
func BenchmarkReconstruction(b *testing.B) {
	weight := func(n string) string {
		return "  const b" + n + " = f32[16,16,3,3]{random}\n  const a" + n + " = f32[16,16,3,3]{positive}\n  const v" + n + " = f32[16,16,3,3]{random}\n  const s" + n + " = f32[16]{positive}\n" +
			"  w" + n + " = pare.training::SoftRound(b" + n + ", a" + n + ", v" + n + ", s" + n + ") {axis=0}\n"
	}
	text := "opset 21\nopset pare.training 1\ngraph g(x f32[32,16,32,32]) -> (y) {\n  const p = f32[]{0.1}\n  const q = f32[]{0.3}\n" + weight("1") + weight("2") +
		"  fx = pare.training::FakeQuantize(x, p) {hi=15}\n  mx = pare.training::Mix(fx, x)\n  c = Conv(mx, w1) {pads=[1, 1, 1, 1]}\n  r = Relu(c)\n" +
		"  fr = pare.training::FakeQuantize(r, q) {hi=15}\n  mr = pare.training::Mix(fr, r)\n  d = Conv(mr, w2) {pads=[1, 1, 1, 1]}\n  e = Add(d, mx)\n  y = Relu(e)\n}"
	m := parse(b, fill(text, rand.New(rand.NewPCG(1, 1))))
	var params []*ir.Value
	for _, c := range m.Graph.Consts {
		if slices.Contains([]string{"v", "p", "q"}, c.Name[:1]) {
			params = append(params, c)
		}
	}
	p, err := grad.New(m, grad.Options{Params: params})
	if err != nil {
		b.Fatal(err)
	}
	x := []*tensor.Tensor{tensor.Of([]int{32, 16, 32, 32}, reals(3, 32*16*1024, 1))}
	target, dy := reals(4, 32*16*1024, 1), make([]float32, 32*16*1024)
	grads := []*tensor.Tensor{tensor.Of([]int{32, 16, 32, 32}, dy)}
	for b.Loop() {
		out, err := p.Forward(context.Background(), x)
		if err != nil {
			b.Fatal(err)
		}
		grad.MSE(dy, tensor.Data[float32](out[0]), target, 16)
		if err := p.Backward(context.Background(), grads); err != nil {
			b.Fatal(err)
		}
		for _, q := range p.Params() {
			if q.Value.Name[0] == 'v' {
				grad.RoundingTerm(q.Grad, q.Data, 0.01, 10)
			}
		}
	}
}
