package optim

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pare/internal/par"
)

// Group is a set of weights that are treated alike. Params[i] and Grads[i] have the
// same length; Step reads Grads and changes Params in place.
type Group struct {
	Params, Grads [][]float32
	Rate          float64 // factor of the step's rate; 0 for 1
	WeightDecay   float64 // share of a weight that pulls it towards zero
}

// Options are the constants of an optimiser; zeros stand for the usual ones.
type Options struct {
	Momentum float64 // sgd: share of the last step that is kept; 0 for plain descent
	Nesterov bool    // sgd: gradient as if the momentum had been applied already
	Beta1    float64 // adam family: decay of the mean gradient, 0 for 0.9
	Beta2    float64 // adam family: decay of the squared (adamax: largest) gradient, 0 for 0.999
	Epsilon  float64 // adam family: added to the denominator, 0 for 1e-8
	Threads  int     // results do not depend on it
}

// Optimizer moves weights along their gradients.
type Optimizer interface {
	// Step changes the weights of all groups by one step at a rate.
	Step(rate float64)
	// State is what the optimiser knows besides the weights. Its slices are live.
	State() *State
	// Restore makes the optimiser go on from a state, which it takes over. It
	// reports a state of another optimiser or of other weights.
	Restore(s *State) error
}

// New returns an optimiser by its name, one of Names.
func New(name string, groups []Group, o Options) (Optimizer, error) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
	if i < 0 {
		return nil, fmt.Errorf("optimizer %q is none of %s", name, strings.Join(Names(), ", "))
	}
	if err := o.check(groups); err != nil {
		return nil, fmt.Errorf("optimizer %s: %w", name, err)
	}
	opt := &optimizer{rule: rules[i], o: o.defaults(), groups: groups}
	opt.state = opt.fresh()
	return opt, nil
}

// Names lists the optimisers.
func Names() []string {
	var out []string
	for _, r := range rules {
		out = append(out, r.name)
	}
	return out
}

func (o Options) check(groups []Group) error {
	for _, x := range []float64{o.Momentum, o.Beta1, o.Beta2} {
		if !(x >= 0 && x < 1) {
			return fmt.Errorf("momentum, beta1 and beta2 are in [0, 1), not %v", x)
		}
	}
	if !(o.Epsilon >= 0) || math.IsInf(o.Epsilon, 0) {
		return fmt.Errorf("epsilon is positive, not %v", o.Epsilon)
	}
	for _, g := range groups {
		if len(g.Params) != len(g.Grads) {
			return fmt.Errorf("%d weights with %d gradients", len(g.Params), len(g.Grads))
		}
		for i, p := range g.Params {
			if len(p) != len(g.Grads[i]) {
				return fmt.Errorf("weight %d has %d numbers and %d gradients", i, len(p), len(g.Grads[i]))
			}
		}
	}
	return nil
}

func (o Options) defaults() Options {
	for _, d := range []struct {
		x  *float64
		to float64
	}{{&o.Beta1, 0.9}, {&o.Beta2, 0.999}, {&o.Epsilon, 1e-8}} {
		if *d.x == 0 {
			*d.x = d.to
		}
	}
	o.Threads = max(o.Threads, 1)
	return o
}

// optimizer applies a rule to groups.
type optimizer struct {
	rule   rule
	o      Options
	groups []Group
	state  *State
	parts  []part
}

// part is a run of one weight's numbers, the work of one task.
type part struct {
	group  int
	weight int // over all groups
	p, g   []float32
	lo, hi int
}

// stretch is how many numbers a task moves: cut by size alone, so that results do
// not depend on threads.
const stretch = 1 << 14

func (t *optimizer) Step(rate float64) {
	if t.parts == nil {
		t.cut()
	}
	t.state.Steps++
	f := make([]update, len(t.groups))
	for i, g := range t.groups {
		f[i] = t.rule.step(t.o, t.state, rate*factor(g), g.WeightDecay)
	}
	par.Each(len(t.parts), t.o.Threads, func(i int) {
		p := t.parts[i]
		var m [2][]float32
		for k := range t.state.Moments {
			m[k] = t.state.Moments[k][p.weight][p.lo:p.hi]
		}
		f[p.group](p.p[p.lo:p.hi], p.g[p.lo:p.hi], m[0], m[1])
	})
}

func factor(g Group) float64 {
	if g.Rate == 0 {
		return 1
	}
	return g.Rate
}

// cut divides the weights into tasks.
func (t *optimizer) cut() {
	weight := 0
	for i, g := range t.groups {
		for k, p := range g.Params {
			for lo := 0; lo < len(p); lo += stretch {
				t.parts = append(t.parts, part{i, weight, p, g.Grads[k], lo, min(lo+stretch, len(p))})
			}
			weight++
		}
	}
}
