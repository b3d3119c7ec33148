package prune

import (
	"context"

	"pare/ir"
)

// view is what a network does on samples, the network being adapted to them where
// they are made up.
type view struct {
	m       *ir.Model // a copy, adapted
	adapted map[string]affine
	smp     *samples
	seen    map[string]*glance // by value
}

// What is looked at.
var (
	viewMACs   = int64(4e10) // in a pass over the samples
	viewBytes  = 512 << 20   // of activations kept at a time
	viewPlaces = 8192        // of every value, over all samples
)

const leastSamples, mostSamples = 16, 512

// newView looks at all that the network computes; why says that there are no samples.
func (p *pruning) newView(ctx context.Context) (why string, err error) {
	smp, why, err := newSamples(ctx, p.m, p.env, p.affordable())
	if smp == nil || err != nil {
		return why, err
	}
	v := &view{m: ir.CloneModel(p.m), smp: smp, seen: map[string]*glance{}}
	if p.env.Data == nil && adapts {
		if v.adapted, err = adapt(ctx, v.m, smp); err != nil {
			return "", err
		}
	}
	values, axes := p.visible(v.m)
	seen, err := smp.glances(ctx, v.m, values, axes, viewPlaces, p.env.Seed)
	if err != nil {
		return "", err
	}
	for i, x := range values {
		v.seen[x.Name] = seen[i]
	}
	p.view = v
	return "", nil
}

// affordable is the number of samples that time and memory allow.
func (p *pruning) affordable() int {
	largest := 1
	for v := range p.m.Graph.Values {
		if v.Const == nil && v.Type.Ranked && v.Type.Rank() > 1 {
			n := 4
			for _, d := range v.Type.Shape[1:] {
				n *= max(1, d.N)
			}
			largest = max(largest, n)
		}
	}
	n := min(int(viewMACs/max(1, costOf(p.m).macs)), viewBytes/(2*largest))
	return min(max(n, leastSamples), mostSamples)
}

// of is what was seen of a value of the original; nil for nothing.
func (v *view) of(x *ir.Value) *glance {
	if v == nil {
		return nil
	}
	return v.seen[x.Name]
}

// visible are the values of m, a copy of the network, that are worth a look and the
// axes of their channels: what readers read and compute, and sums with their
// operands.
func (p *pruning) visible(m *ir.Model) (values []*ir.Value, axes []int) {
	seen := map[string]bool{}
	add := func(v *ir.Value) {
		axis, _, ok := p.a.Channels(v)
		if ok && !seen[v.Name] && v.Const == nil && v.Type.DType.IsFloat() && v.Type.Rank() > 1 {
			seen[v.Name] = true
			values, axes = append(values, m.Graph.Value(v.Name)), append(axes, axis)
		}
	}
	for _, r := range p.readers {
		add(r.in)
		add(p.source(r.in, len(r.link.Units)))
		add(r.node.Out[0])
	}
	for _, n := range p.m.Graph.Nodes {
		if sums[n.Op] {
			for _, v := range n.In {
				add(v)
			}
			add(n.Out[0])
		}
	}
	return values, axes
}

// averages are the operators that average places of channels, or rename them.
var averages = map[string]bool{"GlobalAveragePool": true, "Flatten": true, "Reshape": true, "Squeeze": true, "Unsqueeze": true, "ReduceMean": true, "AveragePool": true, "Identity": true, "Dropout": true}

// source is the value with c channels that v holds averages of, v itself where it
// holds none. What is linear of one is the same of the other, and there is more to
// see of the former.
func (p *pruning) source(v *ir.Value, c int) *ir.Value {
	for {
		n := v.Producer()
		if n == nil || !averages[n.Op] || n.In[0] == nil {
			return v
		}
		_, units, ok := p.a.Channels(n.In[0])
		if !ok || len(units) != c || n.In[0].Const != nil {
			return v
		}
		v = n.In[0]
	}
}

// moments are those of a value: as the network tells, else as seen; nil where they
// are not known.
func (p *pruning) moments(v *ir.Value) (mean, variance []float64) {
	if m, known := p.known[v]; known {
		return m[0], m[1]
	}
	if g := p.view.of(v); g != nil {
		mean, variance = g.moments()
	} else if s, _ := p.table.Stats(v); s != nil {
		mean, variance = s.Mean, make([]float64, len(s.Std))
		for c, d := range s.Std {
			variance[c] = d * d
		}
	}
	p.known[v] = [2][]float64{mean, variance}
	return mean, variance
}

// stats are the moments as statistics.
func (p *pruning) stats(v *ir.Value) *ir.Stats {
	if s, _ := p.table.Stats(v); s != nil && p.env.Data == nil {
		return s
	}
	axis, _, ok := p.a.Channels(v)
	if g := p.view.of(v); ok && g != nil {
		return g.stats(axis, p.view.smp.source)
	}
	return nil
}
