package recon

import (
	"pare/compress"
	"pare/ir"
)

// pace tells how far all units together are.
type pace struct {
	env   *compress.Env
	steps int
	cost  map[string]int // of a unit's step, by its name
	total int
	past  int    // of units that are done
	at    string // the running unit
}

// plan weighs the units of a network by what their steps compute.
func (r *run) plan(list []Segment) {
	r.pace = pace{env: r.env, steps: r.s.Steps, cost: map[string]int{}}
	for _, seg := range list {
		for _, u := range seg.Units {
			x := extent{}
			for _, name := range u.Layers {
				x.products += products(r.layers[name], r.f.Graph.Value(name))
			}
			r.cost[u.Name] = 1 + x.products*x.batch(r.s.Batch)>>20
			r.total += r.cost[u.Name] * r.s.Steps
		}
	}
	r.tell(0)
}

// products is how often a layer multiplies to compute v for one sample, as far as is
// known.
func products(l *compress.Layer, v *ir.Value) int {
	shape := l.Encoded.Codes.Shape
	n := 1
	for _, k := range shape {
		n *= k
	}
	n /= max(1, shape[l.Out])
	if v != nil && v.Type.Ranked {
		for i, d := range v.Type.Shape {
			if i > 0 {
				n *= max(1, d.N)
			}
		}
	}
	return n
}

// done tells of steps of a unit.
func (p *pace) done(u Unit, steps int) {
	if p.at != u.Name {
		if p.at != "" {
			p.past += p.cost[p.at] * p.steps
		}
		p.at = u.Name
	}
	p.tell(p.past + p.cost[u.Name]*steps)
}

func (p *pace) tell(done int) { p.env.Advance("learning", done, p.total) }
