package grad_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/grad"
	"pare/ir"
	"pare/tensor"
)

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
