package grad_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pare/grad"
	"pare/ir"
	"pare/tensor"
)

// residual is a chain of n residual blocks with convolutions of c channels over
// batches of b.
func residual(n, c, b int) string {
	var s strings.Builder
	consts := func(k int) {
		fmt.Fprintf(&s, "  const w%d = f32[%d,%d,3,3]{random}\n", k, c, c)
		for _, name := range []string{"s", "v"} {
			fmt.Fprintf(&s, "  const %s%d = f32[%d]{positive}\n", name, k, c)
		}
		for _, name := range []string{"o", "m"} {
			fmt.Fprintf(&s, "  const %s%d = f32[%d]{random}\n", name, k, c)
		}
	}
	fmt.Fprintf(&s, "opset 18\ngraph g(x f32[%d,%d,6,6]) -> (y) {\n", b, c)
	for k := range 2 * n {
		consts(k)
	}
	at := "x"
	for k := range n {
		i, j := 2*k, 2*k+1
		fmt.Fprintf(&s, "  c%d = Conv(%s, w%d) {pads=[1, 1, 1, 1]}\n", i, at, i)
		fmt.Fprintf(&s, "  n%d = BatchNormalization(c%d, s%d, o%d, m%d, v%d)\n  r%d = Relu(n%d)\n", i, i, i, i, i, i, i, i)
		fmt.Fprintf(&s, "  c%d = Conv(r%d, w%d) {pads=[1, 1, 1, 1]}\n", j, i, j)
		fmt.Fprintf(&s, "  n%d = BatchNormalization(c%d, s%d, o%d, m%d, v%d)\n", j, j, j, j, j, j)
		fmt.Fprintf(&s, "  a%d = Add(n%d, %s)\n  r%d = Relu(a%d)\n", j, j, at, j, j)
		at = fmt.Sprintf("r%d", j)
	}
	fmt.Fprintf(&s, "  const d = f32[%d,5]{random}\n  p = GlobalAveragePool(%s)\n  f = Flatten(p)\n  y = MatMul(f, d)\n}", c, at)
	return s.String()
}

// trial is a program with everything differentiated, and data.
type trial struct {
	t   testing.TB
	p   *grad.Program
	m   *ir.Model
	in  []*tensor.Tensor
	out []*tensor.Tensor // gradients of the outputs
}

func newTrial(t testing.TB, text string, edit func(*grad.Options)) *trial {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	m := parse(t, fill(text, r))
	o := grad.Options{Inputs: m.Graph.Inputs}
	for _, c := range m.Graph.Consts {
		o.Params = append(o.Params, c)
	}
	if edit != nil {
		edit(&o)
	}
	p, err := grad.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return &trial{t: t, p: p, m: m, in: inputs(m.Graph.Inputs, r)}
}

// step goes forward and backward once.
func (x *trial) step() {
	x.t.Helper()
	y, err := x.p.Forward(context.Background(), x.in)
	if err != nil {
		x.t.Fatal(err)
	}
	if x.out == nil {
		r := rand.New(rand.NewPCG(5, 6))
		for _, v := range y {
			g := make([]float32, v.Len())
			for i := range g {
				g[i] = r.Float32() - 0.5
			}
			x.out = append(x.out, tensor.Of(v.Shape, g))
		}
	}
	if err := x.p.Backward(context.Background(), x.out); err != nil {
		x.t.Fatal(err)
	}
}

// gradients are those of parameters and of the first input.
func (x *trial) gradients() [][]float32 {
	var all [][]float32
	for _, q := range x.p.Params() {
		all = append(all, slices.Clone(q.Grad))
	}
	return append(all, slices.Clone(tensor.Data[float32](x.p.InputGrad(0))))
}

// trained lets batch-norms train: their statistics are no parameters then.
func trained(o *grad.Options) {
	o.Train = true
	o.Params = slices.DeleteFunc(o.Params, func(v *ir.Value) bool { return v.Name[0] == 'm' || v.Name[0] == 'v' })
}

// TestSameBits: neither threads nor recomputation change a bit, and memory stays
// within its bound.
func TestSameBits(t *testing.T) {
	text := residual(6, 4, 3)
	whole := newTrial(t, text, trained)
	whole.step()
	whole.step()
	want := whole.gradients()
	full := whole.p.Bytes()
	for _, o := range []struct {
		threads int
		memory  int64
	}{{2, 0}, {3, 0}, {1, full * 2 / 3}, {2, full / 2}} {
		x := newTrial(t, text, func(g *grad.Options) {
			trained(g)
			g.Threads, g.Memory = o.threads, o.memory
		})
		x.step()
		x.step()
		for i, g := range x.gradients() {
			if !slices.Equal(g, want[i]) {
				t.Errorf("%d threads, %d bytes: gradient %d differs", o.threads, o.memory, i)
			}
		}
		if o.memory > 0 && x.p.Bytes() > o.memory {
			t.Errorf("%d bytes of memory, allowed are %d of %d", x.p.Bytes(), o.memory, full)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	groups := `opset 21
graph g(x f32[2,4,6,6]) -> (y) {
  const w = f32[4,4,3,3]{random}
  const s = f32[4]{random}
  const b = f32[4]{random}
  c = Conv(x, w) {pads=[1, 1, 1, 1]}
  n = GroupNormalization(c, s, b) {num_groups=2}
  r = Relu(n)
  p = MaxPool(r) {kernel_shape=[2, 2], strides=[2, 2]}
  q = Concat(p, p) {axis=1}
  y = GlobalAveragePool(q)
}`
	for _, text := range []string{residual(2, 4, 2), groups} {
		for _, threads := range []int{1, 2} {
			x := newTrial(t, text, func(o *grad.Options) {
				trained(o)
				o.Threads = threads
			})
			x.step()
			if n := testing.AllocsPerRun(20, x.step); n > 0 && !raced {
				t.Errorf("%d threads: %v allocations", threads, n)
			}
		}
	}
}

// TestShapes: batches of other sizes get plans of their own, which take turns.
func TestShapes(t *testing.T) {
	text := strings.Replace(residual(1, 4, 2), "f32[2,4,6,6]", "f32[N,4,6,6]", 1)
	r := rand.New(rand.NewPCG(3, 4))
	m := parse(t, fill(text, r))
	p, err := grad.New(m, grad.Options{Inputs: m.Graph.Inputs})
	if err != nil {
		t.Fatal(err)
	}
	var first [][]float32
	for turn := range 2 {
		for i, n := range []int{2, 5, 1} {
			x := tensor.New(tensor.Float32, n, 4, 6, 6)
			for k, data := 0, tensor.Data[float32](x); k < len(data); k++ {
				data[k] = float32(k%17) / 17
			}
			y, err := p.Forward(context.Background(), []*tensor.Tensor{x})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Backward(context.Background(), y); err != nil {
				t.Fatal(err)
			}
			g := slices.Clone(tensor.Data[float32](p.InputGrad(0)))
			if turn == 0 {
				first = append(first, g)
			} else if !slices.Equal(g, first[i]) {
				t.Errorf("batch of %d: another gradient the second time", n)
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	x := newTrial(t, residual(1, 4, 1), nil)
	x.step()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	if _, err := x.p.Forward(ctx, x.in); !errors.Is(err, why) {
		t.Errorf("Forward: %v", err)
	}
	if err := x.p.Backward(context.Background(), x.out); err == nil {
		t.Error("Backward follows a Forward that was cancelled")
	}
}
