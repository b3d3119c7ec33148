package grad_test

import (
	"slices"
	"testing"

	"pare/grad"
	"pare/ir"
)

// encoder is a layer of a transformer whose weights and activations are quantised.
const encoder = `opset 23
opset pare.training 1
graph g(x f32[3,20,16]) -> (y) {
  const g = f32[16]{random}
  const b = f32[16]{random}
  const wq = f32[16,48]{random}
  const bq = f32[48]{random}
  const s = f32[]{0.05}
  const sw = f32[48]{positive}
  const cut = i64[3]{16, 16, 16}
  const below = f32[16,16]{random}
  const above = f32[16,16]{positive}
  const v = f32[16,16]{random}
  const so = f32[16]{positive}
  const l = f32[16,40]{random}
  const m = f32[40]{positive}
  const a = f32[]{0.2}
  const d = f32[40,16]{random}
  const one = i64[1]{-1}
  n = LayerNormalization(x, g, b)
  q = pare.training::FakeQuantize(n, s) {lo=-8, hi=7}
  mixed = pare.training::Mix(q, n)
  fw = pare.training::FakeQuantize(wq, sw) {axis=1, lo=-8, hi=7}
  p = MatMul(mixed, fw)
  pb = Add(p, bq)
  h, k, u = Split(pb, cut) {axis=2}
  at = Attention(h, k, u) {q_num_heads=2, kv_num_heads=2, is_causal=1}
  wo = pare.training::SoftRound(below, above, v, so) {axis=1}
  o = MatMul(at, wo)
  r = Add(o, x)
  wl = pare.training::PowerLatent(l, m, a) {axis=1}
  e = MatMul(r, wl)
  f = Gelu(e)
  w = MatMul(f, d)
  t = Add(w, r)
  c = Softmax(t)
  i = ReduceL2(c, one)
  y = Div(c, i)
}`

// TestSteadySteps expects the same bits for any number of threads and any memory, and
// steps that allocate nothing once shapes are known.
func TestSteadySteps(t *testing.T) {
	learn := func(o *grad.Options) {
		o.Params = slices.DeleteFunc(o.Params, func(v *ir.Value) bool { return slices.Contains([]string{"below", "above", "cut", "one"}, v.Name) })
	}
	first := newTrial(t, encoder, learn)
	first.step()
	want := first.gradients()
	for _, o := range []struct {
		threads int
		memory  int64
	}{{2, 0}, {3, 0}, {2, first.p.Bytes() * 2 / 3}} {
		x := newTrial(t, encoder, func(g *grad.Options) {
			learn(g)
			g.Threads, g.Memory = o.threads, o.memory
		})
		x.step()
		for i, g := range x.gradients() {
			if !slices.Equal(g, want[i]) {
				t.Errorf("%d threads, %d bytes: gradient %d differs", o.threads, o.memory, i)
			}
		}
		if n := testing.AllocsPerRun(10, x.step); n > 0 && !raced {
			t.Errorf("%d threads: %v allocations", o.threads, n)
		}
	}
}
