package format

import (
	"fmt"
	"math"
	"slices"
	"strings"

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
}

// OrderOptions steer NewOrder.
type OrderOptions struct {
	// Bits are 1 to 8. One bit holds the codes -1 and 1, scaled by the mean
	// magnitude, and is stored in 2 bits.
	Bits int
	Wide bool // codes in whole bytes, as in Spec
	// Steps fixes the scale of every index of the axis, and clips; nil takes
	// each from the largest magnitude.
	Steps   []float32
	Threads int
}

// NewOrder encodes the rows of a residual, a Float32 tensor in the shape of the
// weights, with one scale per row. Rows lists indices along axis, ascending;
// nil stands for all of them.
func NewOrder(r *tensor.Tensor, axis int, rows []int, o OrderOptions) (Order, error) {
	part := r
	if rows != nil {
		part = selectRows(r, axis, rows)
	}
	s := Spec{Bits: max(2, o.Bits), Grain: PerChannel, Axis: axis, Wide: o.Wide}
	g := newGrid(s, NearestLevel)
	e, _, err := encodeEach(part, s, o.Threads, func(k int, x []float32, codes []byte) (float32, Error) {
		if o.Bits == 1 {
			return signs(x, codes)
		}
		scale, _ := g.scale(x, 0, Options{})
		if o.Steps != nil && rows != nil {
			scale = o.Steps[rows[k]]
		} else if o.Steps != nil {
			scale = o.Steps[k]
		}
		return scale, g.quantise(x, scale, 0, codes)
	})
	return Order{Encoded: e, Rows: rows, Axis: axis}, err
}

// signs stores x as -1 and 1 times its mean magnitude, which is the best scale
// by least squares.
func signs(x []float32, codes []byte) (float32, Error) {
	sum := 0.0
	for _, v := range x {
		sum += math.Abs(float64(v))
	}
	scale := float32(sum / float64(max(1, len(x))))
	if scale < dead {
		scale = 1
		clear(codes)
		return scale, Error{N: len(x)}
	}
	var t tally
	for i, v := range x {
		codes[i] = 1
		if v < 0 {
			codes[i] = 0xff
		}
		t.add(v, float32(float32(int8(codes[i]))*scale))
	}
	return scale, t.error(len(x))
}

// selectRows copies the given indices along axis.
func selectRows(t *tensor.Tensor, axis int, rows []int) *tensor.Tensor {
	shape := slices.Clone(t.Shape)
	shape[axis] = len(rows)
	out := tensor.New(tensor.Float32, shape...)
	src, dst := tensor.Data[float32](t), tensor.Data[float32](out)
	dim, inner := t.Shape[axis], tensor.Len(t.Shape[axis+1:])
	for k := 0; k < len(dst); k += inner {
		at := k / inner
		copy(dst[k:k+inner], src[(at/len(rows)*dim+rows[at%len(rows)])*inner:])
	}
	return out
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
	y := tensor.Data[float32](out)
	for _, o := range orders[1:] {
		if o.Rows != nil {
			err = o.addRows(out, threads)
		} else if t, fail := o.Decode(threads); fail == nil && t.Len() == out.Len() {
			for i, v := range tensor.Data[float32](t) {
				y[i] += v
			}
		} else {
			err = fmt.Errorf("a term does not fit the shape %v: %v", out.Shape, fail)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// addRows adds a term on rows. Like the ONNX form it adds zeros elsewhere.
func (o Order) addRows(out *tensor.Tensor, threads int) error {
	place, scales := o.place(out.Shape[o.Axis])
	codes, err := codesOf(o.Codes)
	if err != nil {
		return err
	}
	y := tensor.Data[float32](out)
	dim, inner := out.Shape[o.Axis], tensor.Len(out.Shape[o.Axis+1:])
	parallel(tensor.Len(out.Shape[:o.Axis])*dim, threads, func(k int) {
		c := k % dim
		q := codes[(k/dim*len(o.Rows)+place[c])*inner:][:inner]
		for i, v := range q {
			y[k*inner+i] += float32(float32(v) * scales[c])
		}
	})
	return nil
}

// place says for every index along the axis which row of codes it takes, and
// with which scale: 0, of the first row, where the term has none.
func (o Order) place(dim int) (place []int, scales []float32) {
	place, scales = make([]int, dim), make([]float32, dim)
	for k, s := range tensor.Data[float32](o.Scale) {
		place[o.Rows[k]], scales[o.Rows[k]] = k, s
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
		if o.Rows != nil {
			dim := orders[0].Codes.Shape[o.Axis]
			n += 4*(dim-len(o.Rows)) + placeType(len(o.Rows)).ByteLen(dim)
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
		fmt.Fprintf(&b, "+int%d", o.Spec.Bits)
		if o.Rows != nil {
			fmt.Fprintf(&b, " on %d of %d rows", len(o.Rows), e.Codes.Shape[o.Axis])
		}
	}
	return b.String()
}

// Fused returns two uniform terms as one of at most 8 bits, where the scales of
// every index along the axis are equal but for a power of two: one integer
// matrix for both. It stands for the same numbers up to the rounding of their
// sum.
func (e *Encoded) Fused() (*Encoded, bool) {
	if len(e.Orders) != 2 || e.Orders[1].Spec.Grain != PerChannel {
		return nil, false
	}
	a, b := e.Orders[0], e.Orders[1]
	if s := a.Spec; s.Kind != Uniform || s.Asymmetric || s.Grain != PerChannel || s.Axis != b.Axis {
		return nil, false
	}
	dim, inner := a.Codes.Shape[b.Axis], tensor.Len(a.Codes.Shape[b.Axis+1:])
	if b.Rows == nil {
		b.Rows = make([]int, dim)
		for i := range b.Rows {
			b.Rows[i] = i
		}
	}
	place, fine := b.place(dim)
	coarse := tensor.Data[float32](a.Scale)
	first, _ := codesOf(a.Codes)
	second, _ := codesOf(b.Codes)
	codes := make([]byte, len(first))
	for i, q := range first {
		k := i / inner
		c := k % dim
		if fine[c] != 0 {
			ratio := coarse[c] / fine[c]
			if f, _ := math.Frexp(float64(ratio)); f != 0.5 || ratio < 1 || ratio > 128 {
				return nil, false
			}
			q = q*int16(ratio) + second[(k/dim*len(b.Rows)+place[c])*inner+i%inner]
		}
		if q < -127 || q > 127 {
			return nil, false
		}
		codes[i] = byte(q)
	}
	for c, s := range coarse {
		if fine[c] == 0 {
			fine[c] = s
		}
	}
	s := a.Spec
	s.Bits, s.Wide = 8, false
	return &Encoded{
		Spec: s, Codes: tensor.FromCodes(tensor.Int8, a.Codes.Shape, codes), Scale: tensor.Of([]int{dim}, fine),
		Zero: tensor.New(tensor.Int8, dim),
	}, true
}
