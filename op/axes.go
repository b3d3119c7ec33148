package op

import (
	"fmt"
	"slices"

	"pare/ir"
)

// normAxis maps a possibly negative axis to 0..rank-1.
func normAxis(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d is outside a tensor of rank %d", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// normAxes maps possibly negative axes to 0..rank-1 in the given order and
// reports duplicates.
func normAxes(axes []int, rank int) ([]int, error) {
	out := make([]int, len(axes))
	for i, a := range axes {
		n, err := normAxis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out[:i], n) {
			return nil, fmt.Errorf("axis %d is listed twice in %v", a, axes)
		}
		out[i] = n
	}
	return out, nil
}

// strides are the element distances of a dense tensor in C order.
func strides(shape []int) []int {
	out := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = step
		step *= shape[i]
	}
	return out
}

// split3 views a shape around one axis as outer × n × inner.
func split3(shape []int, axis int) (outer, n, inner int) {
	outer, n, inner = 1, shape[axis], 1
	for _, d := range shape[:axis] {
		outer *= d
	}
	for _, d := range shape[axis+1:] {
		inner *= d
	}
	return
}

// broadcast is the multidirectional broadcast of shapes.
func broadcast(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		off := rank - len(s)
		for i, d := range s {
			switch o := out[off+i]; {
			case o == d || d == 1:
			case o == 1:
				out[off+i] = d
			default:
				return nil, fmt.Errorf("shapes %v cannot be broadcast together", shapes)
			}
		}
	}
	return out, nil
}

// broadcastDims is broadcast of symbolic shapes.
func broadcastDims(shapes ...[]ir.Dim) ([]ir.Dim, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]ir.Dim, rank)
	for i := range out {
		out[i] = ir.Known(1)
	}
	for _, s := range shapes {
		off := rank - len(s)
		for i, d := range s {
			o := out[off+i]
			switch {
			case d == ir.Known(1) || o.Same(d):
			case o == ir.Known(1):
				out[off+i] = d
			case o.IsKnown() && d.IsKnown():
				return nil, fmt.Errorf("shapes %v cannot be broadcast together", shapes)
			case o.IsKnown(): // a number above 1 beats a symbol, which must be 1 or the same
			case d.IsKnown():
				out[off+i] = d
			default:
				out[off+i] = ir.Unknown
			}
		}
	}
	return out, nil
}

// broadcastStrides are the strides with which a tensor of the given shape is
// read under a broadcast to out: 0 along repeated axes.
func broadcastStrides(shape, out []int) []int {
	st := make([]int, len(out))
	own := strides(shape)
	off := len(out) - len(shape)
	for i, d := range shape {
		if d != 1 {
			st[off+i] = own[i]
		}
	}
	return st
}

// rows walks out in C order, one innermost row at a time: at calls f with the
// index of the row's first element in the result and, for each operand, its
// index and step along the row.
func rows(out []int, operands [][]int, f func(at, n int, index, step []int)) {
	k := len(operands)
	st := make([][]int, k)
	var shape []int
	for _, d := range out {
		if d != 1 {
			shape = append(shape, d)
		}
	}
	for i, s := range operands {
		for axis, step := range broadcastStrides(s, out) {
			if out[axis] != 1 {
				st[i] = append(st[i], step)
			}
		}
	}
	// Merge trailing axes along which every operand advances evenly.
	for len(shape) >= 2 {
		last := len(shape) - 1
		even := true
		for i := range st {
			even = even && st[i][last-1] == st[i][last]*shape[last]
		}
		if !even {
			break
		}
		shape[last-1] *= shape[last]
		for i := range st {
			st[i][last-1] = st[i][last]
			st[i] = st[i][:last]
		}
		shape = shape[:last]
	}
	n, step := 1, make([]int, k)
	if last := len(shape) - 1; last >= 0 {
		n = shape[last]
		for i := range st {
			step[i] = st[i][last]
		}
		shape = shape[:last]
	}
	total := n
	for _, d := range shape {
		total *= d
	}
	if total == 0 {
		return
	}
	index, pos := make([]int, k), make([]int, len(shape))
	for at := 0; ; at += n {
		f(at, n, index, step)
		axis := len(shape) - 1
		for ; axis >= 0; axis-- {
			pos[axis]++
			for i := range st {
				index[i] += st[i][axis]
			}
			if pos[axis] < shape[axis] {
				break
			}
			for i := range st {
				index[i] -= st[i][axis] * shape[axis]
			}
			pos[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// reduced is the shape without the axes, or with 1 in their place.
func reduced[T any](shape []T, axes []int, keep bool, one T) []T {
	out := make([]T, 0, len(shape))
	for i, d := range shape {
		switch {
		case !slices.Contains(axes, i):
			out = append(out, d)
		case keep:
			out = append(out, one)
		}
	}
	return out
}
