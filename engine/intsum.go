package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// addsData matches sums that are computed on codes: those that end on a grid, and
// those whose terms products take one after the other.
func addsData(b *builder, n *ir.Node) bool { return addsCodes(b, n) || expandsData(b, n) }

func intAddForms(b *builder, n *ir.Node) bool { return intAddForm(b, n) || intSumForm(b, n) }

// expandsData matches a sum of two values that come from grids and that a product
// reads: data expanded into two orders (REx, arXiv:2203.14645).
func expandsData(b *builder, n *ir.Node) bool {
	if len(n.In) != 2 || n.In[0] == n.In[1] {
		return false
	}
	for _, v := range n.In {
		if !b.fromGrid(v) || !slices.Equal(b.val(v).shape, b.val(n.Out[0]).shape) {
			return false
		}
	}
	return slices.ContainsFunc(n.Out[0].Uses(), func(u ir.Use) bool {
		if u.In != 0 || !b.alive[u.Node] || b.done[u.Node] || !b.static(u.Node) {
			return false
		}
		f, ok := b.intFormOf(u.Node)
		return ok && f.sums && f.reads(b, u.Node)
	})
}

// intSumForm leaves the sum to those who read it.
func intSumForm(b *builder, n *ir.Node) bool {
	if !expandsData(b, n) {
		return false
	}
	x, y := b.val(n.In[0]).coded, b.val(n.In[1]).coded
	if x == nil || y == nil || x.last != y.last {
		return false
	}
	b.val(n.Out[0]).sum = []*coded{x, y}
	return true
}

// data are the codes of v, and those of its second order, where it has one.
func (b *builder) data(v *ir.Value) (x, rest *coded) {
	if s := b.val(v).sum; s != nil {
		return s[0], s[1]
	}
	return b.val(v).coded, nil
}

// realSum is the place of a sum of codes as float32.
func (b *builder) realSum(v *ir.Value, sum []*coded) place {
	x, y := b.realOf(v, sum[0]), b.realOf(v, sum[1])
	n := sum[0].n
	to := place{b: newBuf(n)}
	b.emit(&step{node: b.maker(v), kernel: "add", flops: int64(n), tasks: tasksFor(n), reads: []*buf{x.b, y.b}, writes: []*buf{to.b},
		task: func(f *frame, task int, _ []float32) {
			i, j := span(task, n)
			kernel.Add.Run(f.at(to)[i:j], f.at(x)[i:j], f.at(y)[i:j])
		}})
	return to
}

// restStep emits the product of the second order of data, in units of the grid
// that the sum of both comes to.
func (b *builder) restStep(p *intStep) place {
	s := p.shape
	n := s.N * s.OH() * s.OW() * s.O
	to := place{b: newBuf(n + kernel.ExtraRoom)}
	s.DstStride = s.O
	unit := p.tail.unit()
	ep := kernel.IntEpilogue{Mul: make([]float32, s.O), Add: make([]float32, s.O)}
	for o := range ep.Mul {
		ep.Mul[o] = float32(p.worth(float64(p.rest.step), p.w.terms[0].Scale[o], o) / unit)
	}
	st := &step{node: p.node, kernel: p.kernel + " of the rest", flops: p.flops(), integer: true, bytes: int64(p.rest.n) + 4*int64(n),
		reads: []*buf{p.rest.b}, writes: []*buf{to.b}}
	b.planInt(st, p, &intWork{x: p.rest, shape: s, ep: &ep, plan: kernel.NewIntConv, run: func(c intPlan, f *frame, task int, scratch []float32) {
		c.RunFloat(task, f.at(to), f.codes(p.rest), &ep, byteView(scratch))
	}})
	b.emit(st)
	return to
}
