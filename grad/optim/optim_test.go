package optim_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/grad/optim"
)

const rate = 0.1

// one returns an optimiser of a single number and pointers to it and its gradient.
func one(t *testing.T, name string, decay float64, o optim.Options) (opt optim.Optimizer, p, g *float32) {
	t.Helper()
	ps, gs := []float32{1}, []float32{0}
	opt, err := optim.New(name, []optim.Group{{Params: [][]float32{ps}, Grads: [][]float32{gs}, WeightDecay: decay}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return opt, &ps[0], &gs[0]
}

// Two steps from 1 with gradients 1/2 and -1/4 (1/2 twice for descent), worked out
// on paper from the published formulas.
func TestSteps(t *testing.T) {
	for _, c := range []struct {
		what, name string
		decay      float64
		o          optim.Options
		second     float32
		want       [2]float64
	}{
		{"plain", "sgd", 0, optim.Options{}, .5, [2]float64{.95, .9}},
		{"momentum", "sgd", 0, optim.Options{Momentum: .9}, .5, [2]float64{.95, .855}},
		{"nesterov", "sgd", 0, optim.Options{Momentum: .9, Nesterov: true}, .5, [2]float64{.905, .7695}},
		{"decay", "sgd", .1, optim.Options{}, .5, [2]float64{.94, .8806}},
		{"adam", "adam", 0, optim.Options{}, -.25, [2]float64{.9, .8733663}},
		{"adamw", "adamw", .1, optim.Options{}, -.25, [2]float64{.89, .8544663}},
		{"adamax", "adamax", 0, optim.Options{}, -.25, [2]float64{.9, .8789263}},
		{"nadam", "nadam", 0, optim.Options{}, -.25, [2]float64{.8943548, .9354658}},
	} {
		opt, p, g := one(t, c.name, c.decay, c.o)
		for i, grad := range []float32{.5, c.second} {
			*g = grad
			opt.Step(rate)
			if math.Abs(float64(*p)-c.want[i]) > 2e-7 {
				t.Errorf("%s, step %d: %.8f, want %.8f", c.what, i+1, *p, c.want[i])
			}
		}
	}
}

// reference is one step of an optimiser on one number as its paper writes it, in
// float64: moments divided by one minus the powers of their decays.
type reference func(w *world, g float64)

type world struct{ p, m, v, t, product, decay float64 }

var references = map[string]reference{
	"sgd": func(w *world, g float64) {
		w.m = .8*w.m + g + w.decay*w.p
		w.p -= rate * w.m
	},
	"adam": func(w *world, g float64) {
		g += w.decay * w.p
		w.moments(g)
		w.p -= rate * w.m / (1 - math.Pow(.9, w.t)) / (math.Sqrt(w.v/(1-math.Pow(.999, w.t))) + 1e-8)
	},
	"adamw": func(w *world, g float64) {
		w.moments(g)
		w.p -= rate*w.decay*w.p + rate*w.m/(1-math.Pow(.9, w.t))/(math.Sqrt(w.v/(1-math.Pow(.999, w.t)))+1e-8)
	},
	"adamax": func(w *world, g float64) {
		g += w.decay * w.p
		u := max(.999*w.v, math.Abs(g))
		w.moments(g)
		w.v = u
		w.p -= rate / (1 - math.Pow(.9, w.t)) * w.m / u
	},
	"nadam": func(w *world, g float64) {
		g += w.decay * w.p
		w.moments(g)
		mu := func(t float64) float64 { return .9 * (1 - .5*math.Pow(.96, t*.004)) }
		if w.t == 1 {
			w.product = 1
		}
		w.product *= mu(w.t)
		mean := mu(w.t+1)*w.m/(1-w.product*mu(w.t+1)) + (1-mu(w.t))*g/(1-w.product)
		w.p -= rate * mean / (math.Sqrt(w.v/(1-math.Pow(.999, w.t))) + 1e-8)
	},
}

func (w *world) moments(g float64) {
	w.m, w.v = .9*w.m+.1*g, .999*w.v+.001*g*g
	w.t++
}

// Every optimiser follows its published formulas over many steps with decay.
func TestReferences(t *testing.T) {
	for _, name := range optim.Names() {
		for _, decay := range []float64{0, .05} {
			step, r := references[name], rand.New(rand.NewPCG(1, 2))
			opt, p, g := one(t, name, decay, optim.Options{Momentum: .8})
			w := world{p: 1, decay: decay}
			for i := range 200 {
				*g = float32(r.NormFloat64())
				if name != "sgd" && name != "adamw" {
					w.t = float64(i)
				}
				step(&w, float64(*g))
				opt.Step(rate)
				if math.Abs(float64(*p)-w.p) > 2e-4*max(1, math.Abs(w.p)) {
					t.Fatalf("%s, decay %v, step %d: %v, want %v", name, decay, i, *p, w.p)
				}
			}
		}
	}
}

// bowl is a convex function with curvatures from 1 to 10 and its least point.
type bowl struct{ p, g, at, k []float32 }

func newBowl(n int) *bowl {
	r := rand.New(rand.NewPCG(3, 4))
	b := &bowl{make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)}
	for i := range n {
		b.at[i], b.k[i] = float32(r.NormFloat64()), float32(1+9*r.Float64())
	}
	return b
}

func (b *bowl) slope() (distance float64) {
	for i := range b.p {
		d := b.p[i] - b.at[i]
		b.g[i] = b.k[i] * d
		distance = max(distance, math.Abs(float64(d)))
	}
	return distance
}

func (b *bowl) optimizer(t *testing.T, name string, threads int) optim.Optimizer {
	t.Helper()
	half := len(b.p) / 2
	opt, err := optim.New(name, []optim.Group{
		{Params: [][]float32{b.p[:half]}, Grads: [][]float32{b.g[:half]}},
		{Params: [][]float32{b.p[half:]}, Grads: [][]float32{b.g[half:]}, Rate: 0.5},
	}, optim.Options{Momentum: .9, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return opt
}

// Every optimiser with every schedule finds the least point of a convex function.
func TestConvex(t *testing.T) {
	const steps = 1500
	for _, name := range optim.Names() {
		for _, schedule := range optim.ScheduleNames() {
			b := newBowl(50)
			opt := b.optimizer(t, name, 1)
			s, err := optim.FindSchedule(schedule)
			if err != nil {
				t.Fatal(err)
			}
			for i := range steps {
				b.slope()
				opt.Step(0.05 * optim.WarmUp(0.05, s)(i, steps))
			}
			if d := b.slope(); d > 2e-2 {
				t.Errorf("%s, %s: still %g from the least point", name, schedule, d)
			}
		}
	}
}

// The bits do not depend on threads, nor on an interruption whose state went through
// a file.
func TestResume(t *testing.T) {
	const n, steps = 40000, 12
	for _, name := range optim.Names() {
		whole := newBowl(n)
		opt := whole.optimizer(t, name, 1)
		for range steps {
			whole.slope()
			opt.Step(rate)
		}
		b := newBowl(n)
		opt = b.optimizer(t, name, 7)
		for i := range steps {
			if i == 5 {
				text, err := json.Marshal(opt.State())
				if err != nil {
					t.Fatal(err)
				}
				var s optim.State
				if err := json.Unmarshal(text, &s); err != nil {
					t.Fatal(err)
				}
				opt = b.optimizer(t, name, 3)
				if err := opt.Restore(&s); err != nil {
					t.Fatal(err)
				}
			}
			b.slope()
			opt.Step(rate)
		}
		if !slices.Equal(b.p, whole.p) {
			t.Errorf("%s: other weights after an interruption with other threads", name)
		}
	}
}

// Removing channels in the middle equals never having had them.
func TestCut(t *testing.T) {
	shape, keep := []int{3, 5, 2}, []int{0, 3, 4}
	for _, name := range optim.Names() {
		full, few := newBowl(30), newBowl(30)
		small := &bowl{k: optim.Cut(few.k, shape, 1, keep), at: optim.Cut(few.at, shape, 1, keep), p: make([]float32, 18), g: make([]float32, 18)}
		opt, alone := single(t, name, full), single(t, name, small)
		for range 4 {
			full.slope()
			opt.Step(rate)
			small.slope()
			alone.Step(rate)
		}
		s := opt.State()
		s.Cut(0, shape, 1, keep)
		cut := &bowl{k: small.k, at: small.at, p: optim.Cut(full.p, shape, 1, keep), g: make([]float32, 18)}
		opt = single(t, name, cut)
		if err := opt.Restore(s); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			cut.slope()
			opt.Step(rate)
			small.slope()
			alone.Step(rate)
		}
		if !slices.Equal(cut.p, small.p) {
			t.Errorf("%s: %v with momentum cut, %v without the other channels", name, cut.p, small.p)
		}
	}
}

func single(t *testing.T, name string, b *bowl) optim.Optimizer {
	t.Helper()
	opt, err := optim.New(name, []optim.Group{{Params: [][]float32{b.p}, Grads: [][]float32{b.g}}}, optim.Options{Momentum: .9})
	if err != nil {
		t.Fatal(err)
	}
	return opt
}

func TestClipNorm(t *testing.T) {
	a, b := []float32{3, 0, 0, 0, 0}, []float32{0, 4}
	groups := []optim.Group{{Grads: [][]float32{a}}, {Grads: [][]float32{b}}}
	if n := optim.ClipNorm(groups, 6); n != 5 || a[0] != 3 {
		t.Errorf("norm %v below the limit, gradient %v", n, a)
	}
	if n := optim.ClipNorm(groups, 2.5); n != 5 || a[0] != 1.5 || b[1] != 2 {
		t.Errorf("norm %v, clipped to %v %v", n, a, b)
	}
	a[4] = float32(math.NaN())
	if n := optim.ClipNorm(groups, 1); !math.IsNaN(n) || b[1] != 2 {
		t.Errorf("norm %v with NaN, gradients %v", n, b)
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name string
		at   [5]float64 // steps 0, 25, 50, 75, 100 of 100
	}{
		{"constant", [5]float64{1, 1, 1, 1, 1}},
		{"linear", [5]float64{1, .75, .5, .25, 0}},
		{"cosine", [5]float64{1, .8535534, .5, .1464466, 0}},
		{"steps", [5]float64{1, 1, .1, .01, .01}},
	} {
		s, err := optim.FindSchedule(c.name)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.at {
			if got := s(25*i, 100); math.Abs(got-want) > 1e-6 {
				t.Errorf("%s at %d: %v, want %v", c.name, 25*i, got, want)
			}
		}
		warm := optim.WarmUp(0.2, s)
		if warm(0, 100) != 0.05 || warm(19, 100) != 1 || warm(20, 100) != 1 || math.Abs(warm(60, 100)-c.at[2]) > 1e-6 {
			t.Errorf("warm %s: %v %v %v %v", c.name, warm(0, 100), warm(19, 100), warm(20, 100), warm(60, 100))
		}
	}
}

func TestBadOptions(t *testing.T) {
	ok := []optim.Group{{Params: [][]float32{{1}}, Grads: [][]float32{{1}}}}
	for what, f := range map[string]func() error{
		"name":     func() error { _, err := optim.New("rmsprop", ok, optim.Options{}); return err },
		"momentum": func() error { _, err := optim.New("sgd", ok, optim.Options{Momentum: 1}); return err },
		"epsilon":  func() error { _, err := optim.New("adam", ok, optim.Options{Epsilon: math.NaN()}); return err },
		"lengths": func() error {
			_, err := optim.New("sgd", []optim.Group{{Params: [][]float32{{1}}, Grads: [][]float32{{1, 2}}}}, optim.Options{})
			return err
		},
		"schedule": func() error { _, err := optim.FindSchedule("exponential"); return err },
		"state": func() error {
			a, _ := optim.New("sgd", ok, optim.Options{})
			b, _ := optim.New("adam", ok, optim.Options{})
			return b.Restore(a.State())
		},
	} {
		if f() == nil {
			t.Errorf("a wrong %s is taken", what)
		}
	}
}
