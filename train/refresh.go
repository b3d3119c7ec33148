package train

import (
	"context"

	"pare/grad"
	"pare/ir"
	"pare/tensor"
)

// Statistics of batch-norms are estimated again on so many samples, in batches of so
// many.
const (
	refreshed    = 1024
	refreshBatch = 64
)

// Refresh estimates the statistics of batch-norms again with the weights as they are:
// means and mean squares over batches that are normalised by their own statistics
// [wu21]. Nothing happens to networks without batch-norms.
func (t *Trainer) Refresh(ctx context.Context) error {
	m, err := t.copy()
	if err != nil {
		return err
	}
	stats := statistics(m.Graph)
	if len(stats) == 0 {
		return nil
	}
	sums, err := t.moments(ctx, m, stats)
	if err != nil {
		return err
	}
	patch := ir.NewPatch(m.Graph, "refresh statistics")
	for v, sum := range sums {
		x, err := tensor.FromFloat64s(v.Const.Type, v.Const.Shape, sum)
		if err != nil {
			return err
		}
		patch.SetConst(v, x)
	}
	if err := patch.Apply(); err != nil {
		return err
	}
	return t.restore(weightsOf(m), t.opt.State())
}

// moments runs batches through a copy of the network whose batch-norms forget what
// was before, and returns the statistics over all of them.
func (t *Trainer) moments(ctx context.Context, m *ir.Model, stats []*ir.Value) (map[*ir.Value][]float64, error) {
	p := ir.NewPatch(m.Graph, "forget statistics")
	for _, n := range m.Graph.Nodes {
		if n.Op == "BatchNormalization" && ir.CanonicalDomain(n.Domain) == "" {
			p.SetAttrs(n, ir.WithAttr(n.Attrs, "momentum", float32(0)))
		}
	}
	if err := p.Apply(); err != nil {
		return nil, err
	}
	program, err := grad.New(m, grad.Options{Outputs: heads(m.Graph), Train: true, Threads: t.o.Threads, Memory: t.o.Memory, Seed: t.o.Seed})
	if err != nil {
		return nil, err
	}
	size := min(refreshBatch, len(t.order.train))
	if fixed := ir.FixedBatch(m.Graph.Inputs); fixed > 0 {
		size = fixed
	}
	list := stream(t.o.Seed, "statistics", 0).Perm(len(t.order.train))
	acc := newAverages(m.Graph)
	for lo := 0; lo+size <= min(len(list), refreshed); lo += size {
		places := make([]int, size)
		for i := range places {
			places[i] = t.order.train[list[lo+i]]
		}
		s, err := t.reader.samples(ctx, places)
		if err != nil {
			return nil, err
		}
		if _, err := program.Forward(ctx, s.in); err != nil {
			return nil, err
		}
		if err := program.Store(m); err != nil {
			return nil, err
		}
		acc.add()
	}
	return acc.means(), nil
}

// averages are sums over batches of what batch-norms saw.
type averages struct {
	norms []*ir.Node
	mean  map[*ir.Value][]float64 // by constant of means
	power map[*ir.Value][]float64 // sums of mean squares, by constant of variances
	n     float64
}

func newAverages(g *ir.Graph) *averages {
	a := &averages{mean: map[*ir.Value][]float64{}, power: map[*ir.Value][]float64{}}
	for _, n := range g.Nodes {
		if n.Op != "BatchNormalization" || ir.CanonicalDomain(n.Domain) != "" || n.In[3].Const == nil || n.In[4].Const == nil {
			continue
		}
		if a.mean[n.In[3]] == nil && a.power[n.In[4]] == nil {
			a.norms = append(a.norms, n)
			a.mean[n.In[3]] = make([]float64, n.In[3].Const.Len())
			a.power[n.In[4]] = make([]float64, n.In[4].Const.Len())
		}
	}
	return a
}

func (a *averages) add() {
	a.n++
	for _, n := range a.norms {
		mean, variance := tensor.Float64s(n.In[3].Const), tensor.Float64s(n.In[4].Const)
		for i, x := range mean {
			a.mean[n.In[3]][i] += x
			a.power[n.In[4]][i] += variance[i] + x*x
		}
	}
}

func (a *averages) means() map[*ir.Value][]float64 {
	out := map[*ir.Value][]float64{}
	if a.n == 0 {
		return out
	}
	for _, n := range a.norms {
		mean, power := a.mean[n.In[3]], a.power[n.In[4]]
		for i := range mean {
			mean[i] /= a.n
			power[i] = max(power[i]/a.n-mean[i]*mean[i], 0)
		}
		out[n.In[3]], out[n.In[4]] = mean, power
	}
	return out
}
