package pass

import (
	"fmt"
	"math"

	"pare/ir"
)

// candidate is a node that scales and shifts every channel.
type candidate struct {
	node   *ir.Node
	axis   int
	affine affine
	norm   *norm // nil for other than batch-norms
}

// candidate describes n as something to fold, or says why a batch-norm is none.
// Multiplications are only folded backward and into a single layer, where
// batch-norms are taken apart: the factors of other normalisations belong to what
// they normalise.
func (f *bnFolder) candidate(n *ir.Node, simple bool) (*candidate, string) {
	if f.standard(n, "BatchNormalization") {
		b, why := f.norm(n)
		if b == nil {
			return nil, why
		}
		return &candidate{n, 1, b.affine(), b}, ""
	}
	if !simple || !f.standard(n, "Mul") && !f.standard(n, "Div") || len(n.Out) != 1 {
		return nil, ""
	}
	rank := f.types[n.Out[0]].Rank()
	for axis := 1; axis < rank; axis++ {
		k, factors := f.factors(n, n.Out[0], axis)
		if factors == nil || !finite(factors) {
			continue
		}
		if n.In[k].Const.Len() > 1 || axis == f.naturalAxis(n.In[1-k], rank) {
			return &candidate{n, axis, affine{factors, make([]float64, len(factors))}, nil}, ""
		}
	}
	return nil, ""
}

// naturalAxis is the axis of the channels of v as its producer sees it.
func (f *bnFolder) naturalAxis(v *ir.Value, rank int) int {
	if n := v.Producer(); n != nil {
		for axis := range rank {
			if l, _ := f.layer(n, v, axis); l != nil {
				return axis
			}
		}
	}
	if rank == 3 {
		return 2
	}
	return 1
}

// weakest is the largest ratio of the mean of a batch-norm's output to its
// deviation at which other readers of its operand may undo it: their rounding
// errors grow by that factor.
const weakest = 100

// weak says why undoing the candidate would lose accuracy, "" when it would not.
func (c *candidate) weak() string {
	if c.norm == nil {
		return ""
	}
	for k, g := range c.norm.gamma {
		if g != 0 && math.Abs(c.norm.beta[k]) > weakest*math.Abs(g) {
			return fmt.Sprintf("its scale is nearly zero in channel %d, which other readers could not undo accurately", k)
		}
	}
	return ""
}

// data is the operand that the candidate changes.
func (c *candidate) data(w *work) *ir.Value {
	if c.norm == nil && w.constant(c.node.In[0]) {
		return c.node.In[1]
	}
	return c.node.In[0]
}
