package quant

import (
	"cmp"
	"context"
	"math"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/op"
)

// upgrade is what may have 8 bits: the weights of a layer, or a tensor that layers
// read.
type upgrade struct {
	gain, cost float64
	plan       *plan      // nil for data
	nodes      []*ir.Node // that read the data
}

// bought lists the offers with the most gain for their cost that a budget allows:
// relative errors of all layers are taken to harm alike.
func bought(offers []*upgrade, budget float64) []*upgrade {
	sorted := slices.Clone(offers)
	slices.SortStableFunc(sorted, func(a, b *upgrade) int { return cmp.Compare(b.gain/b.cost, a.gain/a.cost) })
	return slices.DeleteFunc(sorted, func(o *upgrade) bool {
		if !(o.gain > 0) || o.cost <= 0 || o.cost > budget {
			return true
		}
		budget -= o.cost
		return false
	})
}

// widenWeights gives 8 bits to the weights of some plans, within a budget of
// bytes.
func (q *PowerQuant) widenWeights(plans []plan, threads int) error {
	if q.WBudget <= 1 {
		return nil
	}
	var offers []*upgrade
	all := 0.0
	for i := range plans {
		p := &plans[i]
		size := float64(p.layer.Params())
		all += size * float64(p.spec.Bits)
		h, err := q.histogram(p, threads)
		if err != nil {
			return err
		}
		if e := h.Energy(); e > 0 && p.layer.Bits == 0 && !(p.layer.Edge && q.Edges != 0) {
			offers = append(offers, &upgrade{h.Error(p.spec.Bits, p.spec.Exponent, 2, q.rounding()) / e, size * float64(wide-p.spec.Bits), p, nil})
		}
	}
	for _, o := range bought(offers, (q.WBudget-1)*all) {
		p := o.plan
		p.spec.Kind, p.spec.Bits, p.spec.Exponent, p.spec.Top = format.Uniform, wide, 0, 0
		if p.note == "" {
			p.note = "8 bits: fewer lose much for its size"
		}
	}
	return nil
}

// widenData lists the layers whose data shall have 8 bits, within a budget of
// bit-operations. The data must have statistics that follow from the network or
// from made-up samples.
func (q *PowerQuant) widenData(ctx context.Context, u *activations, m *ir.Model, env *compress.Env, plans []plan) (map[*ir.Node]bool, error) {
	layers := u.readers(m, env, plans)
	if q.ABudget <= 1 || len(layers) == 0 {
		return nil, nil
	}
	if err := complete(ctx, m, env); err != nil {
		return nil, err
	}
	acts := place(m, layers, u.regions, u.ranges(m, env))
	acts.rounding, acts.top = u.rounding, u.top
	table, by, all := propagated(m, env, 0), map[*ir.Value]*upgrade{}, 0.0
	var offers []*upgrade
	for _, l := range env.Layers(m) {
		r, ok := layers[l.Node]
		if !ok {
			continue
		}
		all += work(&l) * float64(r.bits)
		a, ok := acts.read(&l)
		if !ok || l.ActivationBits != 0 || l.Edge && u.edges != 0 {
			continue
		}
		v := l.Node.In[l.Input]
		if by[v] == nil {
			by[v] = &upgrade{gain: noise(table, v, a)}
			offers = append(offers, by[v])
		}
		by[v].cost += work(&l) * float64(wide-a.Bits)
		by[v].nodes = append(by[v].nodes, l.Node)
	}
	out := map[*ir.Node]bool{}
	for _, o := range bought(offers, (q.ABudget-1)*all) {
		for _, n := range o.nodes {
			out[n] = true
		}
	}
	return out, nil
}

// work is the number of multiply-accumulates of a layer; of its weights where
// sizes are open.
func work(l *compress.Layer) float64 {
	if macs, ok := op.MACs(l.Node); ok && macs > 0 {
		return float64(macs)
	}
	return float64(l.Params())
}

// noise is the expected squared error of v on the grid relative to its mean
// square; 0 where its distribution is not known, without bound for what the
// network is given: pictures have 8 bits to begin with.
func noise(t *calib.Table, v *ir.Value, a format.Activation) float64 {
	if isGiven(v) {
		return math.Inf(1)
	}
	round := a.Rounder()
	lost := t.Expect(v, func(x float64) float64 {
		d := x - float64(round(float32(x)))
		return d * d
	})
	if energy := total(t.Expect(v, func(x float64) float64 { return x * x })); energy > 0 {
		return total(lost) / energy
	}
	return 0
}

// isGiven reports whether v is what the network is given, at most moved.
func isGiven(v *ir.Value) bool {
	for n := v.Producer(); n != nil; n = v.Producer() {
		if roleOf(n) != carrier {
			return false
		}
		v = n.In[0]
	}
	return v.Const == nil
}
