package group

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// sizes are those of the axes of v's channels after the change; ok is false where
// what is left is no full grid.
func (e *edit) sizes(v *ir.Value) (sizes []int, ok bool) {
	l := e.a.values[v]
	kept := e.kept(l.ids)
	if len(l.sizes) == 1 {
		return []int{len(kept)}, true
	}
	for i, size := range l.sizes {
		inner, used := tensor.Len(l.sizes[i+1:]), map[int]bool{}
		for _, k := range kept {
			used[k/inner%size] = true
		}
		sizes = append(sizes, len(used))
	}
	if !slices.ContainsFunc(l.ids, func(u int) bool { return e.c.times(u) > 1 }) {
		return sizes, len(kept) == tensor.Len(sizes)
	}
	for i := range sizes {
		if grown, ok := e.grown(l, sizes, i); ok {
			return grown, true
		}
	}
	return sizes, false
}

// grown are the sizes of a grid along whose i-th axis some indices occur several
// times: all that lies at such an index must be one unit, and all rows of the axis
// get the same length.
func (e *edit) grown(l labels, sizes []int, i int) ([]int, bool) {
	n, length := tensor.Len(sizes[i+1:]), -1
	inner := tensor.Len(l.sizes[i+1:])
	for row := range slices.Chunk(l.ids, inner*l.sizes[i]) {
		total := 0
		for block := range slices.Chunk(row, inner) {
			k := len(e.kept(block))
			one := !slices.ContainsFunc(block, func(u int) bool { return u != block[0] })
			if k%n != 0 || k > n && !one {
				return nil, false
			}
			total += k / n
		}
		if length >= 0 && total != length {
			return nil, false
		}
		length = total
	}
	sizes = slices.Clone(sizes)
	sizes[i] = length
	return sizes, true
}
