package quant

import (
	"pare/compress"
	"pare/internal/par"
	"pare/tensor"
)

// columnSum adds up weights times numbers, one for every channel that a layer
// reads.
type columnSum struct {
	w, less    []float32 // weights, and what is taken off them, or nil
	outs, ins  int
	outer      int       // distance of the rows of two output channels
	inner      int       // distance of two columns
	taps       int       // weights in a row
	groups     int       // of a convolution
	x          []float64 // by channel
	weigh      []float64 // by tap, nil for 1
	consistent bool      // rows and columns are all axes
}

// sumColumns adds up (w-less)·x for every output channel of a layer, as if all
// taps of a filter met the same x of their input channel. less may be nil. weigh,
// where it is not nil, counts the taps of one filter by how often they meet data
// at all. The result does not depend on threads.
func sumColumns(l *compress.Layer, w, less *tensor.Tensor, x, weigh []float64, threads int) []float64 {
	shape := w.Shape
	steps := strides(shape)
	c := &columnSum{w: tensor.Float32s(w), outs: shape[l.Out], ins: shape[l.In], outer: steps[l.Out], inner: steps[l.In], groups: 1, x: x, weigh: weigh}
	if less != nil {
		c.less = tensor.Float32s(less)
	}
	if l.Node.Op == "Conv" {
		c.groups = max(1, l.Node.Int("group", 1))
	}
	c.taps = w.Len() / max(1, c.outs*c.ins)
	c.consistent = l.Out == 0 && l.In == 1 || len(shape) == 2
	sum := make([]float64, c.outs)
	if !c.consistent {
		c.each(sum)
		return sum
	}
	const rows = 64
	par.Each((c.outs+rows-1)/rows, threads, func(k int) {
		from := k * rows
		part := sum[from:min(from+rows, c.outs)]
		if c.outer >= c.inner {
			for o := range part {
				part[o] = c.row(from + o)
			}
		} else {
			c.across(from, part)
		}
	})
	return sum
}

// at is weight i.
func (c *columnSum) at(i int) float64 {
	if c.less == nil {
		return float64(c.w[i])
	}
	return float64(c.w[i]) - float64(c.less[i])
}

// first is the channel that column 0 of output channel o reads.
func (c *columnSum) first(o int) int { return o * c.groups / c.outs * c.ins }

// row is the sum of one output channel whose weights lie together.
func (c *columnSum) row(o int) float64 {
	sum := 0.0
	for j, x := range c.x[c.first(o):][:c.ins] {
		at := o*c.outer + j*c.inner
		for t := range c.taps {
			v := c.at(at + t)
			if v == 0 {
				continue
			}
			if c.weigh != nil {
				v *= c.weigh[t]
			}
			sum += v * x
		}
	}
	return sum
}

// across adds up output channels that lie side by side.
func (c *columnSum) across(from int, sum []float64) {
	for j, x := range c.x[:c.ins] {
		for o := range sum {
			if v := c.at(j*c.inner + (from+o)*c.outer); v != 0 {
				sum[o] += v * x
			}
		}
	}
}

// each is sumColumns of any axes, weight by weight.
func (c *columnSum) each(sum []float64) {
	for i := range c.w {
		v := c.at(i)
		if v == 0 {
			continue
		}
		o, j := i/c.outer%c.outs, i/c.inner%c.ins
		if c.weigh != nil {
			v *= c.weigh[i%len(c.weigh)]
		}
		sum[o] += v * c.x[c.first(o)+j]
	}
}
