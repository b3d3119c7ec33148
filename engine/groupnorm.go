package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// groupNormRows normalise groups of channels of each image.
var groupNormRows = []row{
	{op: "InstanceNormalization", since: 6, lower: func(b *builder, n *ir.Node) bool {
		return b.groupNorm(n, b.val(n.In[0]).shape[1])
	}},
	{op: "GroupNormalization", since: 18, lower: func(b *builder, n *ir.Node) bool {
		return b.groupNorm(n, n.Int("num_groups", 0))
	}},
}

// groupNorm emits one task per image and group, in C order.
func (b *builder) groupNorm(n *ir.Node, groups int) bool {
	x, y := n.In[0], n.Out[0]
	shape := b.val(x).shape
	if len(shape) < 3 || groups < 1 || shape[1]%groups != 0 || !b.real(x, y) || b.cst(n.In[1]) == nil || b.cst(n.In[2]) == nil {
		return false
	}
	scale, shift := tensor.Float32s(b.cst(n.In[1])), tensor.Float32s(b.cst(n.In[2]))
	images, c, pixels := dims(shape)
	if len(scale) != len(shift) || len(scale) != c && len(scale) != groups {
		return false
	}
	perScale := c / len(scale) // channels that share a scale
	inGroup := c / groups
	size := inGroup * pixels
	flat := make([]float32, size)
	for i := range flat {
		flat[i] = 1
	}
	eps := n.Float("epsilon", 1e-5)
	from, to := b.plain(x), b.newPlain(y)
	b.emit(&step{node: n, kernel: "groupnorm", tasks: images * groups, flops: 6 * int64(images*groups*size),
		reads: []*buf{from.b}, writes: []*buf{to.b}, reuse: reuse(from, images*groups*size),
		task: func(f *frame, task int, _ []float32) {
			d, s := f.at(to)[task*size:(task+1)*size], f.at(from)[task*size:(task+1)*size]
			kernel.LayerNorm(d, s, flat, nil, eps)
			for i := range inGroup {
				k := (task%groups*inGroup + i) / perScale
				row := d[i*pixels : (i+1)*pixels]
				kernel.Affine(row, row, scale[k], shift[k], -inf, inf)
			}
		}})
	return true
}
