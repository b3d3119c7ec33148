package op

import (
	"fmt"
	"slices"
	"unsafe"

	"pare/ir"
	"pare/tensor"
)

// copyElems copies n consecutive elements from position s of src to position d
// of dst. Both have the same element type, whichever it is.
func copyElems(dst *tensor.Tensor, d int, src *tensor.Tensor, s, n int) {
	bits := src.Type.Bits()
	switch {
	case src.Type == tensor.String:
		copy(dst.Strings()[d:d+n], src.Strings()[s:s+n])
	case bits >= 8:
		w := bits / 8
		copy(dst.Bytes()[d*w:(d+n)*w], src.Bytes()[s*w:(s+n)*w])
	default:
		packedRow(dst.Bytes(), d, 1, src.Bytes(), s, 1, n, bits)
	}
}

// copyRow is copyElems with steps ds and ss between the elements.
func copyRow(dst *tensor.Tensor, d, ds int, src *tensor.Tensor, s, ss, n int) {
	switch src.Type.Bits() {
	case 8:
		row(dst.Bytes(), d, ds, src.Bytes(), s, ss, n)
	case 16:
		row(cells[[2]byte](dst), d, ds, cells[[2]byte](src), s, ss, n)
	case 32:
		row(cells[[4]byte](dst), d, ds, cells[[4]byte](src), s, ss, n)
	case 64:
		row(cells[[8]byte](dst), d, ds, cells[[8]byte](src), s, ss, n)
	case 128:
		row(cells[[16]byte](dst), d, ds, cells[[16]byte](src), s, ss, n)
	case 0:
		row(dst.Strings(), d, ds, src.Strings(), s, ss, n)
	default:
		packedRow(dst.Bytes(), d, ds, src.Bytes(), s, ss, n, src.Type.Bits())
	}
}

func row[E any](dst []E, d, ds int, src []E, s, ss, n int) {
	for range n {
		dst[d] = src[s]
		d += ds
		s += ss
	}
}

// packedRow is row for elements of 2 or 4 bits; the first of a byte lies in its
// lowest bits.
func packedRow(dst []byte, d, ds int, src []byte, s, ss, n, bits int) {
	per := 8 / bits
	mask := byte(1)<<bits - 1
	for range n {
		x := src[s/per] >> (s % per * bits) & mask
		shift := d % per * bits
		dst[d/per] = dst[d/per]&^(mask<<shift) | x<<shift
		d += ds
		s += ss
	}
}

// cells views the bytes of t as cells of an array type, which needs no alignment.
func cells[E any](t *tensor.Tensor) []E {
	raw := t.Bytes()
	if len(raw) == 0 {
		return nil
	}
	var zero E
	return unsafe.Slice((*E)(unsafe.Pointer(&raw[0])), len(raw)/int(unsafe.Sizeof(zero)))
}

// region is a set of positions in a tensor: at, and from there along each axis
// in steps of its stride, which may be zero or negative.
type region struct {
	t       *tensor.Tensor
	at      int
	strides []int
}

// whole is the region of all elements of t.
func whole(t *tensor.Tensor) region { return region{t, 0, strides(t.Shape)} }

// copyRegion copies an array of the given shape from one region to another.
func copyRegion(dst, src region, shape []int) {
	if tensor.Len(shape) == 0 {
		return
	}
	// Trailing axes that are dense on both sides are copied in one piece.
	block, k := 1, len(shape)
	for k > 0 && (shape[k-1] == 1 || dst.strides[k-1] == block && src.strides[k-1] == block) {
		block *= shape[k-1]
		k--
	}
	n, ds, ss := 1, 0, 0
	if block == 1 && k > 0 {
		k--
		n, ds, ss = shape[k], dst.strides[k], src.strides[k]
	}
	d, s := dst.at, src.at
	pos := make([]int, k)
	for {
		if block == 1 {
			copyRow(dst.t, d, ds, src.t, s, ss, n)
		} else {
			copyElems(dst.t, d, src.t, s, block)
		}
		axis := k - 1
		for ; axis >= 0; axis-- {
			pos[axis]++
			d += dst.strides[axis]
			s += src.strides[axis]
			if pos[axis] < shape[axis] {
				break
			}
			d -= dst.strides[axis] * shape[axis]
			s -= src.strides[axis] * shape[axis]
			pos[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// mover allocates the results of operators that only move elements about, so
// that shape inference can run them on positions as evaluation does on data.
type mover func(t tensor.DType, shape ...int) *tensor.Tensor

// dense copies a region into a tensor of its own.
func (alloc mover) dense(src region, shape []int) *tensor.Tensor {
	out := alloc(src.t.Type, shape...)
	copyRegion(whole(out), src, out.Shape)
	return out
}

// filled is a tensor of the given shape whose elements are all the first of one.
func (alloc mover) filled(one *tensor.Tensor, shape []int) *tensor.Tensor {
	return alloc.dense(region{one, 0, make([]int, len(shape))}, shape)
}

// transposed permutes the axes.
func (alloc mover) transposed(t *tensor.Tensor, perm []int) *tensor.Tensor {
	st := strides(t.Shape)
	shape, order := make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		shape[i], order[i] = t.Shape[p], st[p]
	}
	if len(perm) == 2 && perm[0] == 1 && t.Type.Bits() == 32 {
		out := alloc(t.Type, shape...)
		turn(cells[[4]byte](out), cells[[4]byte](t), t.Shape[0], t.Shape[1])
		return out
	}
	return alloc.dense(region{t, 0, order}, shape)
}

// turn transposes a matrix in tiles that stay in the nearest cache, which may hold
// no more than 8 lines that are a multiple of a page apart.
func turn[E any](dst, src []E, rows, cols int) {
	const high, wide = 8, 16
	for left := 0; left < cols; left += wide {
		for r := 0; r < rows; r += high {
			for c := left; c < min(left+wide, cols); c++ {
				column := dst[c*rows+r : c*rows+min(r+high, rows)]
				for i := range column {
					column[i] = src[(r+i)*cols+c]
				}
			}
		}
	}
}

// positions makes a list of positions along an axis of a result of length n.
func positions(n int) ([]int, error) {
	if n < 0 || n > DefaultMaxBytes/64 {
		return nil, fmt.Errorf("%w: an axis of length %d", ErrTooLarge, n)
	}
	return make([]int, n), nil
}

// taken picks positions along an axis. The positions are valid.
func (alloc mover) taken(t *tensor.Tensor, axis int, at []int) *tensor.Tensor {
	outer, n, inner := split3(t.Shape, axis)
	shape := slices.Clone(t.Shape)
	shape[axis] = len(at)
	out := alloc(t.Type, shape...)
	if out.Len() == 0 {
		return out // whatever the other axes count up to
	}
	d := 0
	for o := range outer {
		for _, i := range at {
			copyElems(out, d, t, (o*n+i)*inner, inner)
			d += inner
		}
	}
	return out
}

// joined concatenates tensors that agree in all other axes.
func (alloc mover) joined(parts []*tensor.Tensor, axis int) *tensor.Tensor {
	shape := slices.Clone(parts[0].Shape)
	shape[axis] = 0
	for _, p := range parts {
		shape[axis] += p.Shape[axis]
	}
	out := alloc(parts[0].Type, shape...)
	to := whole(out)
	for _, p := range parts {
		copyRegion(to, whole(p), p.Shape)
		to.at += p.Shape[axis] * to.strides[axis]
	}
	return out
}

// moveData computes the known elements of result i, whose type is set already,
// of an operator that only moves elements of the listed operands: by moving
// their positions.
func (c *Shape) moveData(i int, from []int, move func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error)) error {
	if i >= len(c.Out) {
		return nil
	}
	if shape, ok := c.Out[i].Sizes(); !ok || tensor.Len(shape) > maxData {
		return nil
	}
	var pool []ir.Dim
	in := make([]*tensor.Tensor, len(from))
	for k, operand := range from {
		elems, ok := c.Data(operand)
		shape, sized := c.In[operand].Sizes()
		if !ok || !sized || tensor.Len(shape) != len(elems) {
			return nil
		}
		in[k] = tensor.New(tensor.Int64, shape...)
		for p := range elems {
			tensor.Data[int64](in[k])[p] = int64(len(pool) + p)
		}
		pool = append(pool, elems...)
	}
	out, err := move(tensor.New, in)
	if err != nil {
		return err
	}
	elems := make([]ir.Dim, out.Len())
	for k, p := range tensor.Data[int64](out) {
		elems[k] = pool[p]
	}
	c.SetData(i, elems)
	return nil
}

// dimOf turns an element of Data into a dimension of a shape.
func dimOf(elem ir.Dim) ir.Dim {
	if elem.Sym == unknownElem || elem.Sym == "" && elem.N < 0 {
		return ir.Unknown
	}
	return elem
}

// elemOf is the inverse of dimOf.
func elemOf(d ir.Dim) ir.Dim {
	if d == ir.Unknown {
		return UnknownElem()
	}
	return d
}

// inferSame gives result 0 the type of operand 0.
func inferSame(c *Shape) error {
	c.Set(0, c.In[0])
	return nil
}
