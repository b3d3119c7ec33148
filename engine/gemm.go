package engine

import (
	"fmt"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// gemmRows are matrix products.
var gemmRows = []row{
	{op: "Gemm", since: 7, lower: lowerGemm},
	{op: "MatMul", lower: lowerMatMul},
}

// lowerGemm knows a constant B and a bias per column or of full size.
func lowerGemm(b *builder, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	t := b.cst(w)
	if t == nil || !b.real(x, w, y) || n.Int("transA", 0) != 0 {
		return false
	}
	alpha, beta := n.Float("alpha", 1), n.Float("beta", 1)
	shape := b.val(y).shape
	g := product{m: shape[0], n: shape[1], k: b.val(x).shape[1], trans: n.Int("transB", 0) != 0, alpha: alpha}
	var rest *ir.Value
	if len(n.In) > 2 && n.In[2] != nil && beta != 0 {
		switch c := n.In[2]; {
		case b.cst(c) != nil && columns(b.cst(c), shape):
			g.bias = spreadBias(b.p.weights.reals(b.cst(c)), g.n, beta)
		case b.real(c) && beta == 1 && tensor.Len(b.val(c).shape) == g.m*g.n:
			rest = c
		default:
			return false
		}
	}
	if rest != nil {
		g.tail = tail{v: y, res: b.plain(rest)}
	} else {
		g.tail = b.tail(y, false)
	}
	b.product(n, "gemm", g, x, t)
	return true
}

// columns reports whether a constant is one number or one per column of the
// shape.
func columns(t *tensor.Tensor, shape []int) bool {
	return t.Len() == 1 || t.Len() == shape[len(shape)-1] && t.Shape[t.Rank()-1] == t.Len()
}

// spreadBias is the bias of n columns times beta.
func spreadBias(x []float32, n int, beta float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = beta * x[min(i, len(x)-1)]
	}
	return out
}

// product is a product with a constant matrix.
type product struct {
	m, n, k int
	trans   bool
	alpha   float32
	bias    []float32
	tail    tail
}

// product emits a product of x, as m rows, with the constant t.
func (b *builder) product(n *ir.Node, name string, g product, x *ir.Value, t *tensor.Tensor) {
	if b.lowProduct(n, name, g, x, t) {
		return
	}
	ep := kernel.Epilogue{Bias: g.bias, Lo: g.tail.lo, Hi: g.tail.hi}
	if act, ok := b.activationBehind(g.tail.v); ok {
		b.absorb(act.nodes...)
		g.tail.v, ep.Act = act.v, act.op.Run
		name += " " + act.op.String()
	}
	from, lda := b.spread(x, g)
	to, ldc := b.newRows(g.tail.v)
	st := &step{node: n, kernel: name, flops: 2 * int64(g.m) * int64(g.n) * int64(g.k),
		reads: []*buf{from.b}, writes: []*buf{to.b}, bytes: 4 * int64(g.m*g.k+g.n*g.k+g.m*g.n)}
	res := g.tail.res
	if res.b != nil {
		st.reads = append(st.reads, res.b)
		if ldc == g.n {
			st.reuse = reuse(res, to.b.floats)
		}
	}
	if !b.sparseProduct(st, g, t, ep, lda, ldc, from, to) {
		b.panelProduct(st, g, t, ep, kernel.GemmShape{M: g.m, N: g.n, K: g.k, LDA: lda, LDC: ldc}, from, to)
	}
	b.emit(st)
}

// panelProduct lets a step multiply by all of a matrix.
func (b *builder) panelProduct(st *step, g product, t *tensor.Tensor, ep kernel.Epilogue, s kernel.GemmShape, from, to place) {
	panels, res := b.panels(g, t), g.tail.res
	plan, err := kernel.NewGemm(s)
	if err != nil {
		panic(err)
	}
	st.tasks, st.scratch = plan.Tasks(), plan.ScratchFloats()
	st.task = func(f *frame, task int, scratch []float32) {
		e := ep
		e.Residual = f.maybe(res)
		plan.Run(task, f.at(to), f.at(from), panels.x, &e, scratch)
	}
}

// panels is the packed form of the constant.
func (b *builder) panels(g product, t *tensor.Tensor) *form[*kernel.Panels] {
	src := kernel.Source{LD: g.n, Trans: g.trans, Alpha: g.alpha}
	name := "panels"
	if g.trans {
		src.LD, name = g.k, "panels transposed"
	}
	if g.alpha != 0 && g.alpha != 1 {
		name += fmt.Sprint(" ", g.alpha)
	}
	data := t
	if from := b.p.turned[t]; from != nil {
		data, src.Trans, src.LD = from, !g.trans, from.Shape[1]
	}
	return later(b, weightKey{t: t, form: name}, func() (*kernel.Panels, error) {
		defer data.Forget()
		src.Data = tensor.Float32s(data)
		return kernel.PackB(g.k, g.n, src)
	})
}

// lowerMatMul multiplies by a constant matrix, or matrices pair by pair.
func lowerMatMul(b *builder, n *ir.Node) bool {
	if a := b.attentions[n]; a != nil {
		b.attend(n, a)
		return true
	}
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if !b.real(x, w, y) {
		return false
	}
	xs, ws := b.val(x).shape, b.val(w).shape
	t := b.cst(w)
	if t == nil || len(ws) != 2 || len(xs) < 1 {
		return b.matMulPairs(n)
	}
	k := xs[len(xs)-1]
	g := product{m: tensor.Len(xs) / k, n: ws[1], k: k}
	v := y
	if bias := b.biasAfter(y, g.n); bias != nil {
		g.bias, v = bias.x, bias.v
	}
	g.tail = b.tail(v, false)
	b.product(n, "matmul", g, x, t)
	return true
}

type bias struct {
	v *ir.Value
	x []float32
}

// biasAfter absorbs the addition of a constant per column behind v.
func (b *builder) biasAfter(v *ir.Value, n int) *bias {
	add := b.only(v)
	if !is(add, "Add") || b.m.Opset("") < 7 || !b.real(add.Out[0]) {
		return nil
	}
	o := other(add, v)
	if o == nil || b.cst(o) == nil || !b.real(o) || b.cst(o).Rank() > len(b.val(v).shape) || !columns(b.cst(o), b.val(v).shape) {
		return nil
	}
	b.absorb(add)
	return &bias{add.Out[0], spreadBias(b.p.weights.reals(b.cst(o)), n, 1)}
}
