package prune

import (
	"slices"

	"pare/group"
	"pare/ir"
	"pare/tensor"
)

// keepsZero are the operators that give zeros for a channel of zeros.
var keepsZero = map[string]bool{
	"Abs": true, "Add": true, "AveragePool": true, "Concat": true, "Conv": true, "Dropout": true, "Elu": true, "Erf": true, "Flatten": true,
	"Gelu": true, "GlobalAveragePool": true, "GlobalMaxPool": true, "HardSwish": true, "Identity": true, "LeakyRelu": true, "MaxPool": true,
	"Mish": true, "Mul": true, "Neg": true, "Pad": true, "PRelu": true, "ReduceMean": true, "Relu": true, "Reshape": true, "Slice": true,
	"Sub": true, "Sum": true, "Swish": true, "Squeeze": true, "Tanh": true, "Transpose": true, "Unsqueeze": true,
}

// silent says which units of b are zero wherever they are read: what computes them is
// zero, and nothing on the way adds to it.
func (p *pruning) silent(b *block) []bool {
	out, at := slices.Repeat([]bool{true}, b.size()), unitIndex(b.Group)
	for _, l := range b.Links {
		if l.Role == group.Column || l.Role == group.Parameter && !adds(l) {
			continue
		}
		c := l.Value().Const
		size, inner := c.Shape[l.Axis], tensor.Len(c.Shape[l.Axis+1:])
		for i, w := range tensor.Float32s(c) {
			if k, own := at[l.Units[i/inner%size]]; own && w != 0 {
				out[k] = false
			}
		}
	}
	if !p.keepsZeros(at) {
		clear(out)
	}
	return out
}

// adds reports whether a parameter is added to the channel: biases are.
func adds(l *group.Link) bool {
	return l.Operand == 2 || l.Node.Op == "Add" || l.Node.Op == "Sub" || l.Node.Op == "Sum"
}

// keepsZeros reports whether all nodes that the units pass through before they are
// read keep zeros.
func (p *pruning) keepsZeros(units map[int]int) bool {
	reads := map[*ir.Node]bool{}
	for _, r := range p.readers {
		reads[r.node] = r.node.Op != "Conv" || r.node.Int("group", 1) == 1
	}
	for _, n := range p.m.Graph.Nodes {
		if reads[n] || keepsZero[n.Op] {
			continue
		}
		for _, v := range n.In {
			if v == nil {
				continue
			}
			_, ids, _ := p.a.Channels(v)
			if slices.ContainsFunc(ids, func(u int) bool { _, own := units[u]; return own }) {
				return false
			}
		}
	}
	return true
}
