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
	axis  int            // of the output channels
	terms []intTerm
}

// intTerm is one of them, on all channels or on some rows.
type intTerm struct {
	format.Order
	scale []float64 // one, or one per row
}

// at is the scale of output channel o, which is the row of that number.
func (t *intTerm) at(o int) float64 { return t.scale[min(o, len(t.scale)-1)] }

// intWeightsOf knows weights whose codes were decoded before, with a scale for
// the tensor or one per index of the axis. Sums run over k products.
func (b *builder) intWeightsOf(v *ir.Value, axis, k int) (*intWeights, bool) {
	t := b.cst(v)
	e := b.p.codes[t]
	if t == nil || e == nil || k > maxIntSum {
		return nil, false
	}
	w, err := b.p.wholeTerms(t, e, axis)
	return w, err == nil
}

// wholeTerms are the terms of an encoding, if all of them are integers of 8 bits.
// They are looked at once for every axis.
func (p *Program) wholeTerms(t *tensor.Tensor, e *format.Encoded, axis int) (*intWeights, error) {
	f := formOf(p.weights, weightKey{t: t, form: fmt.Sprint("whole ", axis)}, func() (*intWeights, error) {
		w := &intWeights{t: t, axis: axis}
		for _, o := range e.Terms() {
			_, scale, err := o.Whole(axis)
			if err != nil {
				return nil, err
			}
			w.terms = append(w.terms, intTerm{o, scale})
		}
		return w, nil
	})
	err := f.done()
	return f.x, err
}

// byChannel are the term's integers with output channels first.
func (t *intTerm) byChannel(axis int) []int8 {
	values, _, _ := t.Whole(axis)
	shape := t.Codes.Shape
	outer, inner, rows := tensor.Len(shape[:axis]), tensor.Len(shape[axis+1:]), shape[axis]
	out := make([]int8, len(values))
	for i, v := range values {
		o := i / inner % rows
		out[(o*outer+i/inner/rows)*inner+i%inner] = v
	}
	return out
}

// pack packs all terms for a convolution.
func (w *intWeights) pack(s kernel.ConvShape, zero uint8) (*kernel.IntWeights, error) {
	var orders []kernel.IntOrder
	for _, t := range w.terms[1:] {
		orders = append(orders, kernel.IntOrder{Rows: t.Rows, W: t.byChannel(w.axis)})
	}
	return kernel.PackIntStack(s, w.terms[0].byChannel(w.axis), orders, zero)
}

// multipliers are, for the terms behind the first and n output channels, what an
// epilogue multiplies sums by; worth is that of a channel's sum by its scale.
func (w *intWeights) multipliers(n int, worth func(scale float64, o int) float64) [][]float32 {
	var out [][]float32
	for _, t := range w.terms[1:] {
		mul := make([]float32, n)
		for i := range t.Codes.Shape[w.axis] {
			o := i
			if t.Rows != nil {
				o = t.Rows[i]
			}
			mul[o] = float32(worth(t.at(i), o))
		}
		out = append(out, mul)
	}
	return out
}

// further is how many rows the terms behind the first have.
func (w *intWeights) further() int {
	n := 0
	for _, t := range w.terms[1:] {
		n += t.Codes.Shape[w.axis]
	}
	return n
}
