package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// granularity says which scale belongs to which element: one for all, one per
// index of an axis, or one per block along an axis.
type granularity struct {
	outer, n, inner int
	block           int // 0: one per index of the axis; unused for one in all
	blocks          int // scales along the axis
	single          bool
}

// granularityOf reads it from the shapes of a quantised tensor and its scale.
func granularityOf(n *ir.Node, x, scale []int) (granularity, error) {
	if tensor.Len(scale) == 1 {
		return granularity{single: true, outer: 1, n: tensor.Len(x), inner: 1}, nil
	}
	axis := n.Int("axis", 1)
	if len(x) == 1 {
		axis = 0
	}
	axis, err := normAxis(axis, len(x))
	if err != nil {
		return granularity{}, err
	}
	var g granularity
	g.outer, g.n, g.inner = split3(x, axis)
	g.block = n.Int("block_size", 0)
	if g.block == 0 {
		if len(scale) != 1 || scale[0] != g.n {
			return g, fmt.Errorf("scale of shape %v does not fit axis %d of shape %v; per-block scales need the attribute block_size", scale, axis, x)
		}
		return g, nil
	}
	if g.block < 0 {
		return g, fmt.Errorf("block_size is %d", g.block)
	}
	g.blocks = (g.n + g.block - 1) / g.block
	want := slices.Clone(x)
	want[axis] = g.blocks
	if !slices.Equal(want, scale) {
		return g, fmt.Errorf("scale of shape %v does not fit shape %v in blocks of %d along axis %d", scale, x, g.block, axis)
	}
	return g, nil
}

// runs walks the elements in order: n of them from at on use the scales from p
// on, step (0 or 1) apart.
func (g granularity) runs(f func(at, n, p, step int)) {
	if g.single {
		f(0, g.n, 0, 0)
		return
	}
	if g.block == 0 && g.inner == 1 {
		for o := range g.outer {
			f(o*g.n, g.n, 0, 1)
		}
		return
	}
	for o := range g.outer {
		for k := range g.n {
			at := (o*g.n + k) * g.inner
			if g.block == 0 {
				f(at, g.inner, k, 0)
			} else {
				f(at, g.inner, (o*g.blocks+k/g.block)*g.inner, 1)
			}
		}
	}
}

// ScaleRuns returns what walks the elements of a tensor quantised as node n says, of
// the shapes of the tensor and its scales: count elements from at on use the scales
// from p on, step (0 or 1) apart.
func ScaleRuns(n *ir.Node, x, scale []int) (runs func(f func(at, count, p, step int)), err error) {
	g, err := granularityOf(n, x, scale)
	return g.runs, err
}
