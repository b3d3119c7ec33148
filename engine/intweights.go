package engine

import (
	"fmt"
	"math"

	"pare/format"
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// maxIntSum is how many products of codes and weights of 8 bits the sums of
// integer kernels hold.
const maxIntSum = math.MaxInt32 / (255 * 128)

// intWeights are constant weights that are sums of terms, mostly one, of integers
// times a scale per output channel.
type intWeights struct {
	t     *tensor.Tensor // the decoded constant
	e     *format.Encoded
	axis  int              // of the output channels
	terms []format.IntTerm // without the values where these are codes
}

// intWeightsOf knows weights whose codes were decoded before, with a scale for
// the tensor or one per index of the axis. Sums run over k products.
func (b *builder) intWeightsOf(v *ir.Value, axis, k int) (*intWeights, bool) {
	t := b.cst(v)
	e := b.p.codes[t]
	if t == nil || e == nil || k > maxIntSum {
		return nil, false
	}
	// Forms ask for them again and again.
	f := formOf(b.p.weights, weightKey{t: t, form: fmt.Sprint("terms ", axis)}, func() (*intWeights, error) {
		terms, err := e.IntTerms(axis)
		if e.Orders == nil && err == nil {
			terms[0].Values = nil
		}
		return &intWeights{t, e, axis, terms}, err
	})
	err := f.done()
	return f.x, err == nil
}

// floatReason says why a node with expanded weights does not compute on
// integers, although its data come from a grid; "" for other nodes.
func (b *builder) floatReason(n *ir.Node) string {
	axis, known := intAxes[n.Op]
	if !known || len(n.In) < 2 || !b.onGrids(n.In[0]) {
		return ""
	}
	e := b.p.codes[b.cst(n.In[1])]
	if e == nil || e.Orders == nil {
		return ""
	}
	if _, err := e.IntTerms(axis(n)); err != nil {
		return err.Error()
	}
	return "the data have no grid that integer kernels take"
}

// onGrids: v comes from a grid, or is a sum of values that do.
func (b *builder) onGrids(v *ir.Value) bool {
	if p := v.Producer(); is(p, "Add") {
		return b.onGrid(p.In[0]) && b.onGrid(p.In[1])
	}
	return b.onGrid(v)
}

// onGrid: v comes from a grid, be its codes of use to integer kernels or not.
func (b *builder) onGrid(v *ir.Value) bool {
	return b.powerOf[v] != nil || is(v.Producer(), "DequantizeLinear")
}

// intAxes are the axes of output channels in weights.
var intAxes = map[string]func(n *ir.Node) int{
	"Conv":   func(*ir.Node) int { return 0 },
	"Gemm":   func(n *ir.Node) int { return 1 - n.Int("transB", 0) },
	"MatMul": func(*ir.Node) int { return 1 },
}

// pack packs all terms for a convolution.
func (w *intWeights) pack(s kernel.ConvShape, zero uint8) (*kernel.IntWeights, error) {
	terms := w.terms
	if terms[0].Values == nil {
		terms, _ = w.e.IntTerms(w.axis)
	}
	defer w.e.Codes.Forget()
	var orders []kernel.IntOrder
	for _, t := range terms[1:] {
		orders = append(orders, kernel.IntOrder{Rows: t.Rows, W: t.Values})
	}
	return kernel.PackIntStack(s, terms[0].Values, orders, zero)
}

// values are the integers of the first term.
func (w *intWeights) values() []int8 {
	if w.terms[0].Values != nil {
		return w.terms[0].Values
	}
	terms, _ := w.e.IntTerms(w.axis)
	return terms[0].Values
}

// packFew packs one term for a product of few rows.
func (w *intWeights) packFew(s kernel.ConvShape, zero uint8) (*kernel.IntWeights, error) {
	defer w.e.Codes.Forget()
	return kernel.PackIntFew(s, w.values(), zero)
}

// multipliers are, for the terms behind the first and n output channels, what an
// epilogue multiplies sums by; worth is that of a channel's sum by its scale.
func (w *intWeights) multipliers(n int, worth func(scale float64, o int) float64) [][]float32 {
	var out [][]float32
	for _, t := range w.terms[1:] {
		mul := make([]float32, n)
		for i, scale := range t.Scale {
			o := i
			if t.Rows != nil {
				o = t.Rows[i]
			}
			mul[o] = float32(worth(scale, o))
		}
		out = append(out, mul)
	}
	return out
}

// further is how many rows the terms behind the first have.
func (w *intWeights) further() int {
	n := 0
	for _, t := range w.terms[1:] {
		n += len(t.Scale)
	}
	return n
}
