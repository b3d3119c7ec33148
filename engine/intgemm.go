package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// intProduct is a product of codes with constant weights.
type intProduct struct {
	m, n, k int
	alpha   float64
	bias    []float32
	w       *intWeights
	name    string
}

// intGemm matches a Gemm with a bias per column or none.
func intGemm(b *builder, n *ir.Node) (*intProduct, bool) {
	x, y := b.val(n.In[0]).shape, b.val(n.Out[0]).shape
	if n.Int("transA", 0) != 0 || len(x) != 2 || b.cst(n.In[1]) == nil {
		return nil, false
	}
	p := &intProduct{m: y[0], n: y[1], k: x[1], alpha: float64(n.Float("alpha", 1)), name: "int8 gemm"}
	if len(n.In) > 2 && n.In[2] != nil {
		c := b.cst(n.In[2])
		if c == nil || !columns(c, y) {
			return nil, false
		}
		p.bias = spreadBias(b.p.weights.reals(c), p.n, n.Float("beta", 1))
	}
	var ok bool
	p.w, ok = b.intWeightsOf(n.In[1], 1-n.Int("transB", 0), p.k)
	return p, ok
}

// intMatMul matches a product of rows with a constant matrix.
func intMatMul(b *builder, n *ir.Node) (*intProduct, bool) {
	xs, ws := b.val(n.In[0]).shape, b.val(n.In[1]).shape
	if len(ws) != 2 || len(xs) < 2 || b.cst(n.In[1]) == nil {
		return nil, false
	}
	p := &intProduct{m: tensor.Len(xs) / ws[0], n: ws[1], k: ws[0], alpha: 1, name: "int8 matmul"}
	var ok bool
	p.w, ok = b.intWeightsOf(n.In[1], 1, p.k)
	return p, ok
}

// intProductForm lowers a product that match knows.
func intProductForm(match func(b *builder, n *ir.Node) (*intProduct, bool)) func(b *builder, n *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		x, rest := b.data(n.In[0])
		p, ok := match(b, n)
		if !ok || !b.flat(n.In[0], x) {
			return false
		}
		v := n.Out[0]
		if p.bias == nil {
			if bias := b.biasAfter(v, p.n); bias != nil {
				p.bias, v = bias.x, bias.v
			}
		}
		shift := make([]float64, p.n)
		for j := range p.bias {
			shift[j] = float64(p.bias[j])
		}
		worth := func(step, scale float64, _ int) float64 { return p.alpha * scale * step }
		b.intStep(&intStep{node: n, kernel: p.name, x: x, rest: rest, w: p.w, worth: worth, shift: shift, tail: b.intTail(v, false),
			shape: kernel.ConvShape{N: 1, H: p.m, W: 1, C: p.k, KH: 1, KW: 1, O: p.n}})
		return true
	}
}
