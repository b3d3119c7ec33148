package prune

import (
	"pare/calib"
	"pare/group"
	"pare/ir"
	"pare/tensor"
)

// reader is a layer that sums over channels: it has a column of weights for every
// one that it reads.
type reader struct {
	node *ir.Node
	link *group.Link
	in   *ir.Value // what it reads
}

// readersOf are the readers of units, in the order of the graph.
func readersOf(a *group.Analysis) []*reader {
	var out []*reader
	for _, l := range a.Links {
		if l.Role == group.Column && len(l.Units) == l.Value().Const.Shape[l.Axis] && l.Node.In[0] != nil {
			out = append(out, &reader{l.Node, l, l.Node.In[0]})
		}
	}
	return out
}

// padded reports whether the reader meets zeros beside what it reads.
func (r *reader) padded() bool {
	if auto := r.node.Str("auto_pad", "NOTSET"); auto != "NOTSET" && auto != "VALID" {
		return true
	}
	for _, p := range r.node.Ints("pads") {
		if p != 0 {
			return true
		}
	}
	return r.node.Op == "ConvTranspose"
}

// columns are the weights by what they read: column i is what position i of the
// channels is multiplied with, output by output and tap by tap.
func (r *reader) columns() [][]float32 {
	c := r.link.Value().Const
	x, size, inner := tensor.Float32s(c), c.Shape[r.link.Axis], tensor.Len(c.Shape[r.link.Axis+1:])
	outer := c.Len() / max(1, size*inner)
	out := make([][]float32, size)
	for i := range out {
		col := make([]float32, 0, outer*inner)
		for o := range outer {
			col = append(col, x[(o*size+i)*inner:][:inner]...)
		}
		out[i] = col
	}
	return out
}

// known are the statistics of the channels that the reader reads, one entry per
// column; nil where they are not known.
func (r *reader) known(t *calib.Table) *ir.Stats {
	s, _ := t.Stats(r.in)
	if s == nil || len(s.Mean) != len(r.link.Units) || len(s.Std) != len(s.Mean) {
		return nil
	}
	return s
}
