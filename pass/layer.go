package pass

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// layer is a node that is affine in its data operand, with parameters that can
// take up a change of operand or result.
type layer struct {
	node            *ir.Node
	operand         int // of the data
	out             *ir.Value
	inAxis, outAxis int
	inC, outC       int
	// uneven says why an offset of the operand has not the same effect on all of
	// a channel; "" where it has.
	uneven string
	// diagonal says that every channel depends on itself alone.
	diagonal bool
	// biased says that the node has a place for an offset.
	biased bool
	// rewrite changes the parameters for an operand that must first be mapped by in
	// to be what it was, and a result that is to be mapped by out. It returns why
	// that cannot be.
	rewrite func(e *edit, in, out affine) string
}

// in is the data operand.
func (l *layer) in() *ir.Value { return l.node.In[l.operand] }

// layers says how nodes of the standard set become layers. axis is that of the
// channels of v, an operand or result of the node. A rule returns nil, and why,
// where the node is no layer.
var layers map[string]func(w *work, n *ir.Node, v *ir.Value, axis int) (*layer, string)

// init rather than an initialiser: the rules refer to the work.
func init() {
	layers = map[string]func(w *work, n *ir.Node, v *ir.Value, axis int) (*layer, string){
		"BatchNormalization": batchNormLayer,
		"Conv":               convLayer,
		"ConvTranspose":      convTransposeLayer,
		"Div":                scaleLayer,
		"Gemm":               gemmLayer,
		"MatMul":             matMulLayer,
		"Mul":                scaleLayer,
	}
}

// layer describes n as a layer, or says why it is none.
func (w *work) layer(n *ir.Node, v *ir.Value, axis int) (*layer, string) {
	rule := layers[n.Op]
	if rule == nil || !w.plain(n) {
		return nil, ""
	}
	l, why := rule(w, n, v, axis)
	if l == nil {
		return nil, why
	}
	if v == l.in() && axis != l.inAxis || v == l.out && axis != l.outAxis {
		return nil, fmt.Sprintf("%v has its channels along another axis", n)
	}
	return l, ""
}

// matrix is the weights of a layer: element (d0, d1) of the first two
// dimensions, with everything behind them, connects input channel in to output
// channel out.
type matrix struct {
	operand int
	index   func(d0, d1 int) (out, in int) // linear in d1
	// factor multiplies the weights, biasFactor the bias.
	factor, biasFactor float64
	// bias is the operand of the bias, -1 where the operator has none; fromEnd the
	// axis of its channels.
	bias, fromEnd int
}

// rewrite is layer.rewrite for layers with weights.
func (m *matrix) rewrite(l *layer, e *edit, in, out affine) string {
	n := l.node
	w := n.In[m.operand]
	t, moved, ok := m.weights(w.Const, in, out)
	if !ok {
		return fmt.Sprintf("weights of %v would not fit %v", n, w.Const.Type)
	}
	if t != nil {
		e.setConst(n, m.operand, t)
	}
	return m.rewriteBias(l, e, affine{out.scale, moved})
}

// weights returns the changed weights, nil where they stay, and the offset that
// operand and result put on the result.
func (m *matrix) weights(t *tensor.Tensor, in, out affine) (*tensor.Tensor, []float64, bool) {
	if in.isIdentity() && out.keepsScale() {
		return nil, out.offset, true
	}
	var y *tensor.Tensor
	sum := make([]float64, len(out.scale))
	ok := true
	if t.Type == tensor.Float32 {
		y = tensor.New(tensor.Float32, t.Shape...)
		ok = rescale(m, t.Shape, tensor.Data[float32](t), tensor.Data[float32](y), in, out, sum)
	} else {
		list := make([]float64, t.Len())
		rescale(m, t.Shape, tensor.Float64s(t), list, in, out, sum)
		y, ok = stored(t.Type, t.Shape, list)
	}
	for o := range sum {
		sum[o] = sum[o]*out.scale[o] + out.offset[o]
	}
	if in.keepsScale() && out.keepsScale() {
		return nil, sum, true
	}
	return y, sum, ok
}

// rescale makes y of the weights x scaled for operand and result, in float64 until
// they are rounded, and reports whether they are finite; it adds up what offsets of
// the operand contribute.
func rescale[T float32 | float64](m *matrix, shape []int, x, y []T, in, out affine, sum []float64) bool {
	r := &rescaled[T]{m: m, in: in, out: out, second: shape[1], inner: tensor.Len(shape[2:]), x: x, y: y, sum: sum, even: in.isIdentity()}
	if !in.moves() { // offsets of several rows may add up in one place
		r.sum = nil
	}
	row := r.second * r.inner
	rows := 1 + (1<<15)/max(1, row)
	threads := runtime.GOMAXPROCS(0)
	if r.sum != nil {
		threads = 1
	}
	var broken atomic.Bool
	par.Each((shape[0]+rows-1)/rows, threads, func(k int) {
		from, to := k*rows, min((k+1)*rows, shape[0])
		for d0 := from; d0 < to; d0++ {
			r.row(d0)
		}
		if !finite(r.y[from*row : to*row]) {
			broken.Store(true)
		}
	})
	return !broken.Load()
}

// rescaled is a run of rescale.
type rescaled[T float32 | float64] struct {
	m             *matrix
	in, out       affine
	second, inner int // elements (d0, d1) and what is behind them
	x, y          []T
	sum           []float64 // nil where the operand has no offsets
	even          bool      // the operand does not change
}

func rescaleBy[T float32 | float64](y, x []T, scale float64) {
	y = y[:len(x)]
	for k, v := range x {
		y[k] = T(float64(v) * scale)
	}
}

// row does elements (d0, ...).
func (r *rescaled[T]) row(d0 int) {
	n := r.second * r.inner
	x, y := r.x[d0*n:(d0+1)*n], r.y[d0*n:(d0+1)*n]
	o, i := r.m.index(d0, 0)
	toO, toI := r.m.index(d0, 1)
	toO, toI = toO-o, toI-i // indices are linear along a row
	if toO == 0 && r.even {
		rescaleBy(y, x, r.out.scale[o])
		return
	}
	for d1 := range r.second {
		scale := r.out.scale[o] * r.in.scale[i]
		if r.inner == 1 {
			y[d1] = T(float64(x[d1]) * scale)
		} else {
			rescaleBy(y[d1*r.inner:(d1+1)*r.inner], x[d1*r.inner:(d1+1)*r.inner], scale)
		}
		if offset := r.m.factor * r.in.offset[i]; r.sum != nil && offset != 0 {
			for _, v := range x[d1*r.inner : (d1+1)*r.inner] {
				r.sum[o] += float64(v) * offset
			}
		}
		o, i = o+toO, i+toI
	}
}

// rewriteBias applies out to the bias, which is made where it is missing and
// wanted.
func (m *matrix) rewriteBias(l *layer, e *edit, out affine) string {
	n := l.node
	if m.bias < 0 {
		if out.moves() {
			return e.addBehind(l.out, l.outAxis, out.offset)
		}
		return ""
	}
	has := len(n.In) > m.bias && n.In[m.bias] != nil
	if !has && !out.moves() || has && out.isIdentity() {
		return ""
	}
	old := tensor.New(n.In[m.operand].Const.Type, slices.Repeat([]int{1}, m.fromEnd+1)...)
	if has {
		if !e.constant(n.In[m.bias]) {
			return fmt.Sprintf("the bias of %v is computed", n)
		}
		old = n.In[m.bias].Const
	}
	scale := slices.Clone(out.scale)
	for c := range scale {
		scale[c] *= m.biasFactor
	}
	t, ok := affine{scale, out.offset}.applyTo(old, m.fromEnd)
	if !ok {
		return fmt.Sprintf("the bias of %v would not fit %v", n, old.Type)
	}
	if m.biasFactor != 1 {
		e.p.SetAttrs(n, ir.WithAttr(n.Attrs, "beta", float32(1)))
	}
	if has {
		e.setConst(n, m.bias, t)
	} else {
		e.newConst(n, m.bias, n.In[m.operand], t)
	}
	return ""
}

// withMatrix completes a layer with weights.
func (l *layer) withMatrix(m *matrix) *layer {
	if m.factor == 0 {
		m.factor = 1
	}
	l.biased = m.bias >= 0
	l.rewrite = func(e *edit, in, out affine) string { return m.rewrite(l, e, in, out) }
	return l
}

// weightOf returns the constant weights that operand i of n must be.
func (w *work) weightOf(n *ir.Node, i, minRank int) (*tensor.Tensor, string) {
	if i >= len(n.In) || !w.constant(n.In[i]) {
		return nil, fmt.Sprintf("the weights of %v are computed", n)
	}
	t := n.In[i].Const
	if !t.Type.IsFloat() || t.Rank() < minRank {
		return nil, fmt.Sprintf("the weights of %v are %v", n, t)
	}
	return t, ""
}
