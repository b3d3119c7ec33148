package format

import (
	"math"
	"slices"

	"pare/tensor"
)

// OrderOptions steer NewOrder.
type OrderOptions struct {
	Bits int  // 1 to 8; one bit is stored in two
	Wide bool // codes in whole bytes, as in Spec
	// Max gives the term the levels -m..m, 2^Bits - 1 of them, where m is the
	// row's largest magnitude. Without it 2^Bits levels are the middles of as many
	// equal parts of -m..m: what is left of a rest is spread evenly, and this
	// leaves least of it. Two levels, signs, lie at the mean magnitude.
	Max bool
	// Steps fixes the scale of every index of the axis instead of the range.
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
	e, _, err := encodeEach(part, s, o.Threads, func(k int, x []float32, codes []byte) (float32, Error) {
		scale := float32(0)
		switch {
		case steps != nil:
			scale = steps[k]
		case o.Max:
			scale, _ = g.scale(x, 0, Options{})
		default:
			scale = middleStep(x, o.Bits)
		}
		if o.Max {
			return scale, g.quantise(x, scale, 0, codes)
		}
		return scale, middles(x, o.Bits, scale, codes)
	})
	out := Order{Encoded: e, Rows: rows, Axis: axis}
	if !o.Max {
		out.Offset = 0.5
	}
	return out, err
}

// middleStep is the width of 2^bits equal parts of the range of x; that of signs
// is twice the mean magnitude, which is best by least squares.
func middleStep(x []float32, bits int) float32 {
	most, sum := float32(0), 0.0
	for _, v := range x {
		most = max(most, v, -v)
		sum += math.Abs(float64(v))
	}
	scale := most / float32(int(1)<<(bits-1))
	if bits == 1 {
		scale = float32(2 * sum / float64(max(1, len(x))))
	}
	return max(scale, dead)
}

// middles stores x by the middles of 2^bits parts of the given width.
func middles(x []float32, bits int, scale float32, codes []byte) Error {
	half := float32(int(1) << (bits - 1))
	var t tally
	for i, v := range x {
		q := min(max(float32(math.Floor(float64(v/scale))), -half), half-1)
		codes[i] = byte(int8(q))
		t = t.with(v, float32((q+0.5)*scale))
	}
	return t.error(len(x))
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
