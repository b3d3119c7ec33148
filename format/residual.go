package format

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"pare/internal/par"
	"pare/tensor"
)

// Order is one term of a residual expansion (REx, arXiv:2203.14645): what the
// terms before it leave of the weights, encoded anew.
type Order struct {
	*Encoded
	// Rows are the indices along Axis, ascending, that the term adds to; its
	// codes and scales are those of these rows alone. Nil stands for all.
	Rows []int
	Axis int
	// Offset is added to codes before they are scaled: 0, or 0.5 where no level is
	// 0, so that 2^bits levels lie evenly about it.
	Offset float32
}

// Extend returns the expansion of e's terms and one more.
func (e *Encoded) Extend(o Order) *Encoded {
	orders := e.Orders
	if orders == nil {
		orders = []Order{{Encoded: e}}
	}
	s := orders[0].Spec
	s.Kind = Residual
	return &Encoded{Spec: s, Codes: orders[0].Codes, Scale: orders[0].Scale, Orders: append(slices.Clip(orders), o)}
}

// decodeOrders adds the terms in their order, each rounded to float32, as the
// ONNX form does.
func decodeOrders(orders []Order, threads int) (*tensor.Tensor, error) {
	out, err := orders[0].Decode(threads)
	if err != nil {
		return nil, err
	}
	for _, o := range orders[1:] {
		if err := o.AddTo(out, threads); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AddTo adds the term to sum, a Float32 tensor in the shape of the weights, each
// element rounded to float32.
func (o Order) AddTo(sum *tensor.Tensor, threads int) error {
	if o.called() {
		return o.addRows(sum, threads)
	}
	t, err := o.Decode(threads)
	if err != nil {
		return err
	}
	y := tensor.Data[float32](sum)
	for i, v := range tensor.Data[float32](t) {
		y[i] += v
	}
	return nil
}

// called: the term's ONNX form is the function, not a DequantizeLinear.
func (o Order) called() bool { return o.Rows != nil || o.Offset != 0 }

// addRows adds a term on rows. Like the ONNX form it adds zeros elsewhere.
func (o Order) addRows(out *tensor.Tensor, threads int) error {
	place, scales := o.place(out.Shape[o.Axis])
	codes, err := codesOf(o.Codes)
	if err != nil {
		return err
	}
	y := tensor.Data[float32](out)
	dim, inner, rows := out.Shape[o.Axis], tensor.Len(out.Shape[o.Axis+1:]), o.Codes.Shape[o.Axis]
	par.Each(tensor.Len(out.Shape[:o.Axis])*dim, threads, func(k int) {
		c := k % dim
		q := codes[(k/dim*rows+place[c])*inner:][:inner]
		for i, v := range q {
			y[k*inner+i] += float32((float32(v) + o.Offset) * scales[c])
		}
	})
	return nil
}

// place says for every index along the axis which row of codes it takes, and
// with which scale: 0, of the first row, where the term has none.
func (o Order) place(dim int) (place []int, scales []float32) {
	place, scales = make([]int, dim), make([]float32, dim)
	for k, s := range tensor.Data[float32](o.Scale) {
		at := k
		if o.Rows != nil {
			at = o.Rows[k]
		}
		place[at], scales[at] = k, s
	}
	return place, scales
}

// placeType is the narrowest type that holds the places of so many rows.
func placeType(rows int) tensor.DType {
	switch {
	case rows <= 1<<8:
		return tensor.Uint8
	case rows <= 1<<16:
		return tensor.Uint16
	}
	return tensor.Int32
}

func orderBytes(orders []Order) int {
	n := orders[0].Bytes()
	for _, o := range orders[1:] {
		n += o.Bytes()
		if o.called() {
			dim, rows := orders[0].Codes.Shape[o.Axis], o.Codes.Shape[o.Axis]
			n += 4*(dim-rows) + placeType(rows).ByteLen(dim) + 4
		}
	}
	return n
}

// String names the format and, of an expansion, its terms:
// "int4/channel+int4 on 32 of 64 rows".
func (e *Encoded) String() string {
	if e.Orders == nil {
		return e.Spec.String()
	}
	var b strings.Builder
	b.WriteString(e.Orders[0].String())
	for _, o := range e.Orders[1:] {
		if bits := o.bits(); bits == 1 {
			b.WriteString("+signs")
		} else {
			fmt.Fprintf(&b, "+int%d", bits)
		}
		if o.Rows != nil {
			fmt.Fprintf(&b, " on %d of %d rows", len(o.Rows), e.Codes.Shape[o.Axis])
		}
	}
	return b.String()
}

// bits is the width of the codes.
func (o Order) bits() int {
	if o.Offset == 0 {
		return o.Spec.Bits
	}
	codes, _ := codesOf(o.Codes)
	top := int16(0)
	for _, c := range codes {
		top = max(top, c, -c-1)
	}
	return bits.Len16(uint16(top)) + 1
}
