package group

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// Rescale adds to p what multiplies every unit u by scale[u] > 0 without a
// change of the network's function: rows and offsets are multiplied, columns
// divided, statistics follow. A Clip whose channels get different scales becomes
// a Relu or Max and a Min with a bound per channel. It reports a scale of a
// pinned unit other than 1, and one that is not positive and finite. The
// analysis must be for Rescaling.
func (a *Analysis) Rescale(p *ir.Patch, scale []float64) error {
	if err := a.checkScale(scale); err != nil {
		return err
	}
	a.rescaleConstants(p, scale)
	stats := map[*ir.Value]*ir.Stats{}
	for v := range a.values {
		if s := a.scaledStats(v, scale); s != nil {
			stats[v] = s
			p.SetStats(v, s)
		}
	}
	for _, b := range a.Bounds {
		b.rescale(p, scale, stats[b.Node.Out[0]])
	}
	return nil
}

func (a *Analysis) checkScale(scale []float64) error {
	if a.Purpose != Rescaling || len(scale) != len(a.Pinned) {
		return fmt.Errorf("%d scales for %d units of an analysis for another purpose", len(scale), len(a.Pinned))
	}
	for u, s := range scale {
		switch {
		case !(s > 0) || math.IsInf(s, 0):
			return fmt.Errorf("%v is no scale", s)
		case s != 1 && a.Pinned[u] != "":
			return fmt.Errorf("a pinned unit cannot be rescaled: %s", a.Pinned[u])
		}
	}
	return nil
}

// rescaleConstants multiplies every linked constant by the product of the
// factors of its links.
func (a *Analysis) rescaleConstants(p *ir.Patch, scale []float64) {
	type place struct {
		node    *ir.Node
		operand int
	}
	links := map[place][]*Link{}
	var order []place
	for _, l := range a.Links {
		if l.Power == 0 || even(l.Units, scale, 1) {
			continue
		}
		at := place{l.Node, l.Operand}
		if links[at] == nil {
			order = append(order, at)
		}
		links[at] = append(links[at], l)
	}
	for _, at := range order {
		v := at.node.In[at.operand]
		t := rescaled(v.Const, links[at], scale)
		if len(v.Uses()) == 1 {
			p.SetConst(v, t)
		} else {
			p.SetInput(at.node, at.operand, p.Const(v.Name, t))
		}
	}
}

// even reports whether all units have the scale s.
func even(units []int, scale []float64, s float64) bool {
	for _, u := range units {
		if scale[u] != s {
			return false
		}
	}
	return true
}

func rescaled(c *tensor.Tensor, links []*Link, scale []float64) *tensor.Tensor {
	x := tensor.Float64s(c)
	for _, l := range links {
		l.multiply(x, c.Shape, scale)
	}
	out := tensor.New(tensor.Float32, c.Shape...)
	for i, v := range x {
		tensor.Data[float32](out)[i] = float32(v)
	}
	return out
}

// multiply applies the factors of the link to the elements of its constant.
func (l *Link) multiply(x []float64, shape []int, scale []float64) {
	size, inner := shape[l.Axis], tensor.Len(shape[l.Axis+1:])
	outer := len(x) / max(1, size*inner)
	for o := range outer {
		group := o * l.Groups / outer
		for j := range size {
			f := scale[l.Units[group*size+j]]
			if l.Power < 0 {
				f = 1 / f
			}
			for k := range inner {
				x[(o*size+j)*inner+k] *= f
			}
		}
	}
}

func (a *Analysis) scaledStats(v *ir.Value, scale []float64) *ir.Stats {
	l := a.values[v]
	s := v.Stats
	if s == nil || !l.plain() || s.Axis != l.axis() || len(s.Mean) != len(l.ids) || even(l.ids, scale, 1) {
		return nil
	}
	times := func(x []float64) []float64 {
		if len(x) != len(l.ids) {
			return x
		}
		out := make([]float64, len(x))
		for i := range x {
			out[i] = x[i] * scale[l.ids[i]]
		}
		return out
	}
	return &ir.Stats{Axis: s.Axis, Mean: times(s.Mean), Std: times(s.Std), Lo: times(s.Lo), Hi: times(s.Hi), Source: s.Source}
}

// rescale gives a Clip the bounds of its rescaled channels. stats are those of
// its result.
func (b *Bound) rescale(p *ir.Patch, scale []float64, stats *ir.Stats) {
	if even(b.Units, scale, 1) || math.IsInf(b.Lo, 0) && math.IsInf(b.Hi, 0) {
		return
	}
	n := b.Node
	v, out := n.In[0], n.Out[0]
	switch {
	case b.Lo == 0:
		v = p.Node(out.Name+"_relu", "Relu", []*ir.Value{v})
		p.SetType(v, out.Type)
	case !math.IsInf(b.Lo, 0):
		v = p.Node(out.Name+"_max", "Max", []*ir.Value{v, b.limit(p, out, b.Lo, scale)})
		p.SetType(v, out.Type)
	}
	if !math.IsInf(b.Hi, 0) {
		v = p.Node(out.Name+"_min", "Min", []*ir.Value{v, b.limit(p, out, b.Hi, scale)})
	}
	if stats == nil {
		stats = out.Stats
	}
	p.SetStats(v, stats)
	p.SetType(v, out.Type)
	p.Replace(out, v)
	p.RemoveNode(n)
}

// limit is a bound per channel, shaped to broadcast.
func (b *Bound) limit(p *ir.Patch, out *ir.Value, x float64, scale []float64) *ir.Value {
	shape := []int{len(b.Units)}
	for range out.Type.Rank() - 1 - b.Axis {
		shape = append(shape, 1)
	}
	data := make([]float32, len(b.Units))
	for c, u := range b.Units {
		data[c] = float32(x * scale[u])
	}
	return p.Const(out.Name+"_bound", tensor.Of(shape, data))
}
