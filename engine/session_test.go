package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pare/engine"
	"pare/internal/cpu"
	"pare/tensor"
)

// residual is a network with most kinds of steps.
const residual = `(x f32[N,3,32,32]) -> (y) {
	const w0 = f32[16,3,3,3]{*0.0}
	const wb = f32[16]{*0.0}
	const w1 = f32[16,1,3,3]{*0.0}
	const w2 = f32[16,16,3,3]{*0.0}
	const w3 = f32[16,10]{*0.0}
	const w4 = f32[1,10]{*0.0}
	a = Conv(x, w0, wb) {pads=[1,1,1,1]}
	b = Relu(a)
	c = Conv(b, w1) {group=16, pads=[1,1,1,1]}
	s = Sigmoid(c)
	m = Mul(c, s)
	d = Conv(m, w2) {pads=[1,1,1,1]}
	e = Add(d, b)
	f = Relu(e)
	g = GlobalAveragePool(f)
	h = Flatten(g)
	i = MatMul(h, w3)
	j = Softmax(i)
	k = Add(j, w4)
	y = Tanh(k)
}`

func residualModel(t testing.TB) (in map[string]*tensor.Tensor, compile func(o engine.Options) *engine.Session) {
	m := model(t, residual)
	fillConsts(m)
	return inputsOf(m, 2), func(o engine.Options) *engine.Session {
		p, err := engine.Compile(context.Background(), m, o)
		if err != nil {
			t.Fatal(err)
		}
		return p.NewSession()
	}
}

// TestThreads demands the same bits for any number of threads.
func TestThreads(t *testing.T) {
	in, compile := residualModel(t)
	var want *tensor.Tensor
	for _, threads := range []int{1, 2, 3, 8} {
		out, err := compile(engine.Options{Threads: threads}).Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = out["y"]
		} else if !tensor.Equal(out["y"], want) {
			t.Errorf("%d threads give other bits than one", threads)
		}
	}
}

// TestLevels compares every level of the processor with the reference.
func TestLevels(t *testing.T) {
	m := model(t, residual)
	fillConsts(m)
	for _, level := range cpu.Levels() {
		t.Run(level, func(t *testing.T) {
			restore, _ := cpu.Cap(level)
			defer restore()
			compare(t, m, inputsOf(m, 2))
		})
	}
}

// TestExtra asks for values inside fused steps.
func TestExtra(t *testing.T) {
	in, compile := residualModel(t)
	names := []string{"a", "c", "s", "d", "e", "i", "x", "w3"}
	fast, err := compile(engine.Options{Extra: names}).Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := compile(engine.Options{Extra: names, Reference: true}).Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "y") {
		if slow[name] == nil {
			t.Fatalf("%s is missing", name)
		}
		if err := distance(fast[name], slow[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := engine.Compile(context.Background(), model(t, "(x f32[1]) -> (y) { y = Relu(x) }"), engine.Options{Extra: []string{"q"}}); err == nil {
		t.Error("an unknown value is accepted")
	}
}

// TestPassedThrough has outputs that no step computes.
func TestPassedThrough(t *testing.T) {
	m := model(t, "(x f32[N,2], k i64[3]) -> (x, k, y, c) { const c = f32[2]{1.0, 2.0}\ny = Identity(x) }")
	in := inputsOf(m, 2)
	compare(t, m, in)
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range out {
		x.Bytes()[0]++ // belongs to the caller
	}
	for name, x := range inputsOf(m, 2) {
		if !tensor.Equal(in[name], x) {
			t.Errorf("writing to a result changed input %s", name)
		}
	}
	compare(t, m, in)
}

// TestShapes runs one session with several batch sizes, back and forth.
func TestShapes(t *testing.T) {
	m := model(t, "(x f32[N,3,8,8]) -> (y) { const w = f32[4,3,3,3]{*0.0}\na = Conv(x, w)\ny = Flatten(a) }")
	fillConsts(m)
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := p.NewSession()
	for _, n := range []int{1, 3, 1, 2, 4, 5, 6, 7, 8, 9, 10, 1} {
		in := inputsOf(m, n)
		out, err := s.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if err := distance(out["y"], byReference(t, m, in)["y"]); err != nil {
			t.Fatalf("batch %d: %v", n, err)
		}
	}
	if s.ArenaBytes() <= 0 {
		t.Error("the arena has no size")
	}
}

func TestConcurrentSessions(t *testing.T) {
	in, compile := residualModel(t)
	first := compile(engine.Options{Threads: 2})
	want, err := first.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	p := first.Program()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s := p.NewSession()
			for range 5 {
				out, err := s.Run(context.Background(), in)
				if err != nil || !tensor.Equal(out["y"], want["y"]) {
					t.Errorf("a session beside others gives something else (%v)", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestInputErrors(t *testing.T) {
	in, compile := residualModel(t)
	s := compile(engine.Options{})
	for _, c := range []struct {
		in   map[string]*tensor.Tensor
		want []string
	}{
		{nil, []string{`"x"`, "missing", "f32[N,3,32,32]"}},
		{map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1, 3, 32)}, []string{`"x"`, "f32[N,3,32,32]", "f32[1,3,32]"}},
		{map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1, 4, 32, 32)}, []string{`"x"`, "f32[1,4,32,32]", "dimension 1"}},
		{map[string]*tensor.Tensor{"x": tensor.New(tensor.Float64, 1, 3, 32, 32)}, []string{`"x"`, "f64[1,3,32,32]"}},
		{map[string]*tensor.Tensor{"x": in["x"], "z": in["x"]}, []string{`"z"`, `"x"`}},
	} {
		_, err := s.Run(context.Background(), c.in)
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("error %v does not mention %s", err, part)
			}
		}
	}
}

func TestCancel(t *testing.T) {
	in, compile := residualModel(t)
	s := compile(engine.Options{})
	if _, err := s.Run(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	if _, err := s.Run(ctx, in); !errors.Is(err, why) {
		t.Errorf("cancelled with %v, got %v", why, err)
	}
}

// TestPanics: what goes wrong inside a step is an error that names the node.
func TestPanics(t *testing.T) {
	m := model(t, "(i i64[N]) -> (y) { const w = f32[3,4]{*0.0}\nr = Gather(w, i) @lookup\ny = Relu(r) }")
	p, err := engine.Compile(context.Background(), m, engine.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.NewSession().Run(context.Background(), map[string]*tensor.Tensor{"i": tensor.Of([]int{2}, []int64{1, 3})})
	if err == nil || !strings.Contains(err.Error(), "lookup") || !strings.Contains(err.Error(), "index 3") {
		t.Errorf("got %v", err)
	}
}

// TestSteadyState counts the allocations of one run: those of the result and of
// its maps, whatever the number of steps.
func TestSteadyState(t *testing.T) {
	if raced {
		t.Skip("SKIPPED: pools forget at random under the race detector")
	}
	count := func(layers int) float64 {
		body := "(x f32[1,8,16,16]) -> (y) { const w = f32[8,8,3,3]{*0.0}\nconst v = f32[8,1,3,3]{*0.0}\na0 = Relu(x)\n"
		for i := range layers {
			body += fmt.Sprintf("c%d = Conv(a%d, w) {pads=[1,1,1,1]}\nd%d = Conv(c%d, v) {pads=[1,1,1,1], group=8}\ns%d = Tanh(d%d)\nb%d = MatMul(s%d, s%d)\na%d = Add(a%d, b%d)\n", i, i, i, i, i, i, i, i, i, i+1, i, i)
		}
		m := model(t, body+fmt.Sprintf("y = Sigmoid(a%d) }", layers))
		fillConsts(m)
		p, err := engine.Compile(context.Background(), m, engine.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		s, in := p.NewSession(), inputsOf(m, 1)
		return testing.AllocsPerRun(20, func() {
			if _, err := s.Run(context.Background(), in); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := count(1), count(8)
	if many > few+2 {
		t.Errorf("%v allocations with 1 layer, %v with 8", few, many)
	}
}

// TestDefaults gives an input that has a default, and leaves it out.
func TestDefaults(t *testing.T) {
	m := model(t, "(x f32[2], k f32[2]) -> (y) { default k = f32[2]{1.0, 2.0}\na = Mul(k, k)\ny = Add(x, a) }")
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := p.NewSession()
	x := tensor.Of([]int{2}, []float32{0, 0})
	for _, c := range []struct {
		in   map[string]*tensor.Tensor
		want float32
	}{
		{map[string]*tensor.Tensor{"x": x}, 4},
		{map[string]*tensor.Tensor{"x": x, "k": tensor.Of([]int{2}, []float32{3, 3})}, 9},
		{map[string]*tensor.Tensor{"x": x}, 4},
	} {
		out, err := s.Run(context.Background(), c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := tensor.Data[float32](out["y"])[1]; got != c.want {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}
