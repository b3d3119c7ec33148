package format

import (
	"fmt"
	"math"
	"math/bits"
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
	// Offset is added to codes before they are scaled: 0, or 0.5 where no level is
	// 0, so that 2^bits levels lie evenly about it.
	Offset float32
}

// OrderOptions steer NewOrder.
type OrderOptions struct {
	Bits int  // 1 to 8; one bit is stored in two
	Wide bool // codes in whole bytes, as in Spec
	// Max gives the term the levels -m..m, 2^Bits - 1 of them, where m is the
	// row's largest magnitude. Without it 2^Bits levels are the middles of as many
	// equal parts of -m..m: what is left of a rest is spread evenly, and this
	// leaves least of it. Two levels, signs, lie at the mean magnitude.
	Max bool
	// Steps fixes the scale of every index of the axis instead; it clips.
	Steps   []float32
	Threads int
}

// NewOrder encodes the rows of a residual, a Float32 tensor in the shape of the
// weights, with one scale per row. Rows lists indices along axis, ascending;
// nil stands for all of them.
func NewOrder(r *tensor.Tensor, axis int, rows []int, o OrderOptions) (Order, error) {
	part, steps := r, o.Steps
	if rows != nil {
		part = selectRows(r, axis, rows)
		if steps = nil; o.Steps != nil {
			for _, row := range rows {
				steps = append(steps, o.Steps[row])
			}
		}
	}
	s := Spec{Bits: max(2, o.Bits), Grain: PerChannel, Axis: axis, Wide: o.Wide}
	g := newGrid(s, NearestLevel)
	even := !o.Max && steps == nil
	e, _, err := encodeEach(part, s, o.Threads, func(k int, x []float32, codes []byte) (float32, Error) {
		switch {
		case even:
			return middles(x, o.Bits, codes)
		case steps != nil:
			return steps[k], g.quantise(x, steps[k], 0, codes)
		}
		scale, _ := g.scale(x, 0, Options{})
		return scale, g.quantise(x, scale, 0, codes)
	})
	out := Order{Encoded: e, Rows: rows, Axis: axis}
	if even {
		out.Offset = 0.5
	}
	return out, err
}

// middles stores x by the middles of 2^bits equal parts of its range; signs by
// the mean magnitude, which is best by least squares.
func middles(x []float32, bits int, codes []byte) (float32, Error) {
	half := float32(int(1) << (bits - 1))
	most, sum := float32(0), 0.0
	for _, v := range x {
		most = max(most, v, -v)
		sum += math.Abs(float64(v))
	}
	scale := most / half
	if bits == 1 {
		scale = float32(2 * sum / float64(max(1, len(x))))
	}
	if scale < dead {
		clear(codes)
		return dead, Error{N: len(x)}
	}
	var t tally
	for i, v := range x {
		q := min(max(float32(math.Floor(float64(v/scale))), -half), half-1)
		codes[i] = byte(int8(q))
		t.add(v, float32((q+0.5)*scale))
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
	parallel(tensor.Len(out.Shape[:o.Axis])*dim, threads, func(k int) {
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

// Integral reports whether every weight is one integer times the scale of its
// group: what integer kernels take. Sums of terms and codebooks without a largest
// level are not.
func (e *Encoded) Integral() bool {
	return e.Orders == nil && (e.Levels == nil || wholeTop(e.Levels) > 0)
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
	if b.Offset != 0 {
		return nil, false
	}
	if s := a.Spec; s.Kind != Uniform || s.Asymmetric || s.Grain != PerChannel || s.Axis != b.Axis {
		return nil, false
	}
	dim, inner := a.Codes.Shape[b.Axis], tensor.Len(a.Codes.Shape[b.Axis+1:])
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
			q = q*int16(ratio) + second[(k/dim*b.Codes.Shape[b.Axis]+place[c])*inner+i%inner]
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
