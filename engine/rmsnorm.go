package engine

import (
	"math"
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// rmsNormRows divide rows by their root mean square.
var rmsNormRows = []row{
	{op: "RMSNormalization", lower: lowerRMSNorm},
	{op: "SimplifiedLayerNormalization", lower: lowerRMSNorm},
}

func lowerRMSNorm(b *builder, n *ir.Node) bool {
	x := n.In[0]
	shape := b.val(x).shape
	axis, ok := axisOf(n.Int("axis", -1), len(shape))
	gamma := b.cst(n.In[1])
	if !ok || len(n.Out) > 1 || n.Int("stash_type", 1) != 1 || !b.real(x, n.In[1], n.Out[0]) || gamma == nil || !slices.Equal(gamma.Shape, shape[axis:]) {
		return false
	}
	b.rmsNorm(n, x, n.Out[0], tensor.Len(shape[axis:]), n.Float("epsilon", 1e-5), gamma)
	return true
}

// rmsNorm emits a division of rows of cols elements; gamma may be nil.
func (b *builder) rmsNorm(n *ir.Node, x, v *ir.Value, cols int, eps float32, gamma *tensor.Tensor) {
	var g []float32
	if gamma != nil {
		g = b.p.weights.reals(gamma)
	}
	b.eachRow(n, "rmsnorm", x, v, cols, false, func(_ *frame, d, s []float32) {
		for ; len(d) > 0; d, s = d[cols:], s[cols:] {
			scaleByRMS(d[:cols], s[:cols], eps)
			if g != nil {
				kernel.Mul.Run(d[:cols], d[:cols], g)
			}
		}
	})
}

// scaleByRMS sums squares in float64, as the reference does.
func scaleByRMS(dst, src []float32, eps float32) {
	var sum float64
	for _, x := range src {
		sum += float64(x) * float64(x)
	}
	kernel.Mul.RunScalar(dst, src, float32(1/math.Sqrt(sum/float64(len(src))+float64(eps))))
}

// rmsNormForm is x/√(mean(x²) + ε)·γ along the last axis, the quotient also as
// a product with the reciprocal.
func rmsNormForm(b *builder, n *ir.Node) bool {
	x := n.In[0]
	if is(n, "Pow") && !b.number(n.In[1], 2) || is(n, "Mul") && n.In[1] != x {
		return false
	}
	mean := b.only(n.Out[0])
	if !is(mean, "ReduceMean") || !b.lastMean(mean) {
		return false
	}
	add, e := b.then(mean.Out[0], "Add")
	if add == nil {
		return false
	}
	eps, ok := b.scalar(e)
	root := b.only(add.Out[0])
	if !ok || !is(root, "Sqrt") {
		return false
	}
	nodes := []*ir.Node{mean, add, root}
	last := b.only(root.Out[0])
	if r := root.Out[0]; is(last, "Div") && b.number(last.In[0], 1) || is(last, "Reciprocal") {
		nodes = append(nodes, last)
		mul, o := b.then(last.Out[0], "Mul")
		if mul == nil || o != x {
			return false
		}
		last = mul
	} else if !is(last, "Div") || last.In[0] != x || last.In[1] != r {
		return false
	}
	b.absorb(append(nodes, last)...)
	v := last.Out[0]
	shape := b.val(x).shape
	cols := shape[len(shape)-1]
	gamma := b.rowParam(&v, "Mul", cols)
	b.rmsNorm(n, x, v, cols, eps, gamma)
	return true
}
