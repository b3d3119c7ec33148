package prune

import (
	"context"
	"slices"

	"pare/ir"
)

// view is what a network does on samples, the network being adapted to them where
// they are made up.
type view struct {
	m       *ir.Model // a copy, adapted
	adapted map[string]affine
	smp     *samples
	seen    map[string]*glance // by value
	places  int                // of every value that layers read
}

// What is looked at. More samples fit weights better, up to several hundred.
const (
	viewMACs     = int64(4e10) // in a pass over the samples
	viewBytes    = 512 << 20   // of activations kept at a time
	viewPlaces   = 8192        // of every value that layers read, over all samples
	viewNumbers  = 1 << 27     // of all these values together
	fewPlaces    = 512         // of values whose variance alone counts
	leastSamples = 16
	mostSamples  = 512
)

// newView looks at all that the network computes; why says that there are no samples.
func (p *pruning) newView(ctx context.Context) (why string, err error) {
	smp, why, err := newSamples(ctx, p.m, p.env, p.affordable())
	if smp == nil || err != nil {
		return why, err
	}
	v := &view{m: ir.CloneModel(p.m), smp: smp, seen: map[string]*glance{}}
	if smp.madeUp {
		if v.adapted, err = adapt(ctx, v.m, smp); err != nil {
			return "", err
		}
	}
	values, axes, channels := p.visible(v.m)
	v.places = min(max(viewNumbers/max(1, channels), 2*fewPlaces), viewPlaces)
	limits := make([]int, len(values))
	for i := range limits {
		limits[i] = fewPlaces
		if p.isSource(values[i].Name) {
			limits[i] = v.places
		}
	}
	seen, err := smp.glances(ctx, v.m, values, axes, limits, p.env.Seed)
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
			largest = max(largest, perSample(v))
		}
	}
	n := min(int(viewMACs/max(1, costOf(p.m).macs)), viewBytes/(2*largest))
	return min(max(n, leastSamples), mostSamples)
}

// doubtful says that samples are made up and no batch-norm tells what real ones look
// like to the layers.
func (v *view) doubtful() bool { return v != nil && v.smp.madeUp && len(v.adapted) == 0 }

// of is what was seen of a value of the original; nil for nothing.
func (v *view) of(x *ir.Value) *glance {
	if v == nil {
		return nil
	}
	return v.seen[x.Name]
}

// isSource reports whether a reader reads the value of that name, or averages of it.
func (p *pruning) isSource(name string) bool {
	return slices.ContainsFunc(p.readers, func(r *reader) bool { return p.source(r.in, len(r.link.Units)).Name == name })
}

// visible are the values of m, a copy of the network, that are worth a look and the
// axes of their channels: what readers read and compute, and sums with their
// operands. channels is the number of all that readers read.
func (p *pruning) visible(m *ir.Model) (values []*ir.Value, axes []int, channels int) {
	seen := map[string]bool{}
	add := func(v *ir.Value) {
		axis, _, ok := p.a.Channels(v)
		if ok && !seen[v.Name] && v.Const == nil && v.Type.DType.IsFloat() && v.Type.Rank() > 1 {
			seen[v.Name] = true
			values, axes = append(values, m.Graph.Value(v.Name)), append(axes, axis)
		}
	}
	for _, r := range p.readers {
		channels += len(r.link.Units)
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
	return values, axes, channels
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

// moments are those of a value: as seen, else as the network tells; nil where they
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
	axis, _, ok := p.a.Channels(v)
	if g := p.view.of(v); ok && g != nil {
		return g.stats(axis, p.view.smp.source)
	}
	s, _ := p.table.Stats(v)
	return s
}
