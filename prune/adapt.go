package prune

import (
	"context"
	"math"

	"pare/ir"
	"pare/tensor"
)

// affine is what takes the channels of a layer's result to the statistics that
// training saw: times scale, plus shift.
type affine struct{ scale, shift []float64 }

// mostAdapted bounds scales: beyond, a channel is all but silent on samples.
const mostAdapted = 8

// adapt changes a network such that on the samples every layer behind which a
// batch-norm stood computes channels of the mean and deviation that the batch-norm
// tells. Made-up samples then lead to data that look like real ones to every layer:
// channels related as the network relates them, of the size they were trained with.
// It returns what was done, by node name.
func adapt(ctx context.Context, m *ir.Model, smp *samples) (map[string]affine, error) {
	f, out := newFrontier(m, smp), map[string]affine{}
	for _, n := range m.Graph.Nodes {
		s := told(n)
		if s == nil {
			continue
		}
		got, err := f.reach(ctx, n.Out[0])
		if err != nil {
			return nil, err
		}
		a := adaptation(got, s)
		for _, t := range got {
			a.apply(t, s.Axis)
		}
		if err := a.rows(m, n); err != nil {
			return nil, err
		}
		out[n.Name] = a
	}
	return out, nil
}

// told are the statistics of a layer's result that a batch-norm left.
func told(n *ir.Node) *ir.Stats {
	if n.Op != "Conv" || len(n.In) < 2 || n.In[1].Const == nil || n.In[1].Const.Type != tensor.Float32 {
		return nil
	}
	s := n.Out[0].Stats
	if s == nil || s.Axis != 1 || len(s.Mean) != n.In[1].Const.Shape[0] || len(s.Std) != len(s.Mean) {
		return nil
	}
	return s
}

// adaptation takes what was seen to the statistics s.
func adaptation(got []*tensor.Tensor, s *ir.Stats) affine {
	c := len(s.Mean)
	sum, squares, n := make([]float64, c), make([]float64, c), 0.0
	for _, t := range got {
		x, inner := tensor.Data[float32](t), tensor.Len(t.Shape[2:])
		n += float64(t.Shape[0] * inner)
		for i, v := range x {
			k := i / inner % c
			sum[k] += float64(v)
			squares[k] += float64(v) * float64(v)
		}
	}
	a := affine{make([]float64, c), make([]float64, c)}
	for k := range sum {
		mean := sum[k] / n
		std := math.Sqrt(max(squares[k]/n-mean*mean, 0))
		a.scale[k] = min(max(s.Std[k]/max(std, 1e-12), 1/float64(mostAdapted)), mostAdapted)
		a.shift[k] = s.Mean[k] - a.scale[k]*mean
	}
	return a
}

// apply changes channels in place.
func (a affine) apply(t *tensor.Tensor, axis int) {
	x, inner := tensor.Data[float32](t), tensor.Len(t.Shape[axis+1:])
	for i, v := range x {
		k := i / inner % len(a.scale)
		x[i] = float32(float64(v)*a.scale[k] + a.shift[k])
	}
}

// picked keeps the given channels.
func (a affine) picked(channels []int) affine {
	out := affine{}
	for _, c := range channels {
		out.scale, out.shift = append(out.scale, a.scale[c]), append(out.shift, a.shift[c])
	}
	return out
}

// inverse undoes a.
func (a affine) inverse() affine {
	out := affine{make([]float64, len(a.scale)), make([]float64, len(a.scale))}
	for k, s := range a.scale {
		out.scale[k], out.shift[k] = 1/s, -a.shift[k]/s
	}
	return out
}

// rows changes a convolution so that its channels come out changed.
func (a affine) rows(m *ir.Model, n *ir.Node) error {
	c := n.In[1].Const
	w, b := c.Clone(), tensor.New(tensor.Float32, len(a.scale))
	if len(n.In) > 2 && n.In[2] != nil {
		b = n.In[2].Const.Clone()
	}
	x, inner := tensor.Data[float32](w), tensor.Len(c.Shape[1:])
	for i := range x {
		x[i] = float32(float64(x[i]) * a.scale[i/inner])
	}
	y := tensor.Data[float32](b)
	for k := range y {
		y[k] = float32(float64(y[k])*a.scale[k] + a.shift[k])
	}
	p := ir.NewPatch(m.Graph, "adapt "+n.String())
	replace(p, n, 1, n.In[1].Name, w)
	replace(p, n, 2, n.Name+"_bias", b)
	return p.Apply()
}
