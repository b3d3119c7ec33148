package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// normRows are functions of whole rows.
var normRows = []row{
	{op: "Softmax", since: 13, lower: lowerSoftmax},
	{op: "LayerNormalization", lower: lowerLayerNorm},
	{op: "BatchNormalization", since: 7, lower: lowerBatchNorm},
}

// eachRow emits f over rows of the operand along its last axis, or along the
// channels where these lie last.
func (b *builder) eachRow(n *ir.Node, name string, x, v *ir.Value, cols int, last bool, f func(fr *frame, dst, src []float32)) {
	total := tensor.Len(b.val(x).shape)
	var from, to place
	if last {
		from = b.dense(x, b.last(x), cols)
		to = place{b: newBuf(total)}
		b.val(v).last = to
	} else {
		from, to = b.plain(x), b.newPlain(v)
	}
	perTask := max(1, chunk/cols)
	rows := total / cols
	end := b.landingOf(v, to, last, cols)
	st := &step{node: n, kernel: end.name(name), tasks: (rows + perTask - 1) / perTask, flops: 4 * int64(total),
		reads: []*buf{from.b}, writes: []*buf{end.buf()}, scratch: end.room,
		task: func(fr *frame, task int, scratch []float32) {
			to := end.flow(fr, scratch)
			end.parts(task*perTask*cols, min((task+1)*perTask, rows)*cols, cols, func(i, j int) { f(fr, to.at(i, j), fr.at(from)[i:j]) })
			to.end()
		}}
	if end.c == nil {
		st.reuse = reuse(from, total)
	}
	b.emit(st)
}

func lowerSoftmax(b *builder, n *ir.Node) bool {
	x := n.In[0]
	shape := b.val(x).shape
	axis, ok := axisOf(n.Int("axis", -1), len(shape))
	if !ok || !b.real(x, n.Out[0]) {
		return false
	}
	last := axis == 1 && len(shape) >= 3 && tensor.Len(shape[2:]) > 1
	if axis != len(shape)-1 && !last && tensor.Len(shape[axis+1:]) > 1 {
		return false
	}
	cols := shape[axis]
	b.eachRow(n, "softmax", x, n.Out[0], cols, last, func(_ *frame, d, s []float32) { kernel.Softmax(d, s, cols) })
	return true
}

func lowerLayerNorm(b *builder, n *ir.Node) bool {
	x := n.In[0]
	shape := b.val(x).shape
	axis, ok := axisOf(n.Int("axis", -1), len(shape))
	if !ok || len(n.Out) > 1 || n.Int("stash_type", 1) != 1 || !b.real(x, n.Out[0]) {
		return false
	}
	cols := tensor.Len(shape[axis:])
	params := make([]*tensor.Tensor, 2)
	for i, v := range n.In[1:] {
		if v == nil {
			continue
		}
		if params[i] = b.cst(v); params[i] == nil || !b.real(v) || !slices.Equal(params[i].Shape, shape[axis:]) {
			return false
		}
	}
	b.layerNorm(n, x, n.Out[0], cols, n.Float("epsilon", 1e-5), params[0], params[1])
	return true
}

// layerNorm emits a normalisation of rows of cols elements; gamma and beta may
// be nil.
func (b *builder) layerNorm(n *ir.Node, x, v *ir.Value, cols int, eps float32, gamma, beta *tensor.Tensor) {
	g := slices.Repeat([]float32{1}, cols)
	var shift []float32
	if gamma != nil {
		g = b.p.weights.reals(gamma)
	}
	if beta != nil {
		shift = b.p.weights.reals(beta)
	}
	b.eachRow(n, "layernorm", x, v, cols, false, func(_ *frame, d, s []float32) { kernel.LayerNorm(d, s, g, shift, eps) })
}

// lowerBatchNorm scales and shifts channels that no weights take in.
func lowerBatchNorm(b *builder, n *ir.Node) bool {
	shape := b.val(n.In[0]).shape
	if len(shape) < 2 || !b.real(n.In[0], n.Out[0]) {
		return false
	}
	c := shape[1]
	scale, shift, _ := b.normChannels(n, c)
	if scale == nil {
		return false
	}
	all := b.foldChannels(n.Out[0], c)
	for i := range all.scale {
		scale[i], shift[i] = scale[i]*all.scale[i], shift[i]*all.scale[i]+all.shift[i]
	}
	clamp := b.clampAfter(all.v)
	b.scaleChannels(n, n.In[0], clamp, floats(scale), floats(shift))
	return true
}

func floats(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// scaleChannels emits a scale and shift per channel with a clamp.
func (b *builder) scaleChannels(n *ir.Node, x *ir.Value, clamp clamping, scale, shift []float32) {
	shape := b.val(x).shape
	c := shape[1]
	total, pixels := tensor.Len(shape), tensor.Len(shape[2:])
	st := &step{node: n, kernel: "scale channels", flops: 2 * int64(total)}
	if pixels > 1 && !b.isLast(x) {
		from, to := b.plain(x), b.newPlain(clamp.v)
		st.reads, st.writes, st.reuse = []*buf{from.b}, []*buf{to.b}, reuse(from, total)
		st.tasks = shape[0] * c
		st.task = func(f *frame, i int, _ []float32) {
			kernel.Affine(f.at(to)[i*pixels:(i+1)*pixels], f.at(from)[i*pixels:], scale[i%c], shift[i%c], clamp.lo, clamp.hi)
		}
		b.emit(st)
		return
	}
	from, to := b.plainOrLast(x, clamp.v, total)
	end := b.landingOf(clamp.v, to, len(shape) > 2, c)
	st.kernel = end.name(st.kernel)
	st.reads, st.writes, st.scratch = []*buf{from.b}, []*buf{end.buf()}, end.room
	if from.dense(c) && end.c == nil {
		st.reuse = reuse(from, total)
	}
	pitch, perTask := from.pitch(c), max(1, chunk/c)
	rows := total / c
	st.tasks = (rows + perTask - 1) / perTask
	st.task = func(f *frame, task int, scratch []float32) {
		to, s := end.flow(f, scratch), f.at(from)
		for i := task * perTask; i < min((task+1)*perTask, rows); i++ {
			d := to.at(i*c, (i+1)*c)
			kernel.Mul.Run(d, s[i*pitch:i*pitch+c], scale)
			kernel.Add.RunClamp(d, d, shift, clamp.lo, clamp.hi)
		}
		to.end()
	}
	b.emit(st)
}

// plainOrLast places an operand whose channels lie last, and room for a result
// of the same layout.
func (b *builder) plainOrLast(x, v *ir.Value, total int) (from, to place) {
	if len(b.val(x).shape) == 2 {
		return b.plain(x), b.newPlain(v)
	}
	to = place{b: newBuf(total)}
	b.val(v).last = to
	return b.last(x), to
}

// rowParam absorbs a product or sum of v with a constant of cols elements along
// the last axis, and moves v behind it.
func (b *builder) rowParam(v **ir.Value, name string, cols int) *tensor.Tensor {
	n, o := b.then(*v, name)
	if n == nil || o == nil || b.cst(o) == nil || !b.real(o) {
		return nil
	}
	t := b.cst(o)
	if t.Len() != cols || t.Rank() < 1 || t.Shape[t.Rank()-1] != cols || t.Rank() > len(b.val(*v).shape) {
		return nil
	}
	*v = n.Out[0]
	b.absorb(n)
	return t
}
