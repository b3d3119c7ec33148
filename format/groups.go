package format

import (
	"pare/internal/par"
	"pare/tensor"
)

// layout says which elements of a tensor share a scale. Sizes before, at and
// behind the axis; a group is the set of elements with one scale.
type layout struct {
	outer, dim, inner int
	grain             Grain
	block, blocks     int // PerBlock only
	groups            int
}

func (s Spec) layout(shape []int) layout {
	l := layout{outer: 1, dim: 1, inner: tensor.Len(shape), grain: s.Grain, groups: 1}
	if s.Grain == PerTensor {
		return l
	}
	l.outer, l.dim, l.inner = tensor.Len(shape[:s.Axis]), shape[s.Axis], tensor.Len(shape[s.Axis+1:])
	l.groups = l.dim
	if s.Grain == PerBlock {
		l.block = s.Block
		l.blocks = (l.dim + s.Block - 1) / s.Block
		l.groups = l.outer * l.blocks * l.inner
	}
	return l
}

// segments calls f for the runs of group g: count elements from start, stride
// apart.
func (l layout) segments(g int, f func(start, count, stride int)) {
	if l.grain == PerBlock {
		o, b, i := g/(l.blocks*l.inner), g/l.inner%l.blocks, g%l.inner
		f((o*l.dim+b*l.block)*l.inner+i, min(l.block, l.dim-b*l.block), l.inner)
		return
	}
	for o := range l.outer {
		f((o*l.dim+g)*l.inner, l.inner, 1)
	}
}

// size is the largest number of elements of a group.
func (l layout) size() int {
	if l.grain == PerBlock {
		return min(l.block, l.dim)
	}
	return l.outer * l.inner
}

// together reports whether the elements of a group lie next to each other.
func (l layout) together() bool {
	return l.outer == 1 && l.grain != PerBlock || l.inner == 1 && l.grain == PerBlock
}

// span is where group g, whose elements lie together, begins and how many they
// are.
func (l layout) span(g int) (start, n int) {
	if l.grain != PerBlock {
		return g * l.inner, l.inner
	}
	o, b := g/l.blocks, g%l.blocks
	return o*l.dim + b*l.block, l.count(g)
}

// count is the number of elements of group g.
func (l layout) count(g int) int {
	if l.grain != PerBlock {
		return l.outer * l.inner
	}
	return min(l.block, l.dim-g/l.inner%l.blocks*l.block)
}

// groups are consecutive groups of a tensor, each with its elements together:
// in the tensor itself where they lie so, else copied.
type groups[T any] struct {
	layout
	from, to int
	data     []T // the tensor
	own      []T // copies, room apart; nil for none
	room     int
}

// cacheRows is how many rows are read side by side: as many as the nearest cache
// holds lines whose addresses are equal but for multiples of a page, as those of
// rows of a power of two are.
const cacheRows = 8

// blank returns room for the elements of groups from..to-1 of data, to be written
// there by store.
func blank[T any](l layout, from, to int, data []T) groups[T] {
	v := groups[T]{layout: l, from: from, to: to, data: data, room: l.size()}
	if !l.together() {
		v.own = make([]T, (to-from)*v.room)
	}
	return v
}

// gather returns groups from..to-1 of data.
func gather[T any](l layout, from, to int, data []T) groups[T] {
	v := blank(l, from, to, data)
	if v.own != nil {
		v.parts(func(own, data []T, rows, columns, stride int) {
			const edge = cacheRows
			for r := 0; r < rows; r += edge {
				for c := range columns {
					d := own[c*v.room+r : c*v.room+min(r+edge, rows)]
					for i := range d {
						d[i] = data[(r+i)*stride+c]
					}
				}
			}
		}, func(own, data []T) { copy(own, data) })
	}
	return v
}

// of are the elements of group g.
func (v groups[T]) of(g int) []T {
	if v.own == nil {
		start, n := v.span(g)
		return v.data[start : start+n : start+n]
	}
	start, n := (g-v.from)*v.room, v.count(g)
	return v.own[start : start+n : start+n]
}

// store writes copies back to the tensor.
func (v groups[T]) store() {
	if v.own == nil {
		return
	}
	v.parts(func(own, data []T, rows, columns, stride int) {
		const edge = 16
		for c := 0; c < columns; c += edge {
			for r := range rows {
				d := data[r*stride+c : r*stride+min(c+edge, columns)]
				for i := range d {
					d[i] = own[(c+i)*v.room+r]
				}
			}
		}
	}, func(own, data []T) { copy(data, own) })
}

// parts calls across for parts of the tensor, rows stride apart, that hold one
// group in each column, whose copies are room apart, and along for runs within a
// group.
func (v groups[T]) parts(across func(own, data []T, rows, columns, stride int), along func(own, data []T)) {
	switch {
	case v.grain == PerBlock:
		for g := v.from; g < v.to; {
			o, b, i := g/(v.blocks*v.inner), g/v.inner%v.blocks, g%v.inner
			n := min(v.inner-i, v.to-g)
			across(v.own[(g-v.from)*v.room:], v.data[(o*v.dim+b*v.block)*v.inner+i:], v.count(g), n, v.inner)
			g += n
		}
	case v.inner == 1:
		across(v.own, v.data[v.from:], v.outer, v.to-v.from, v.dim)
	default:
		for o := range v.outer {
			for g := v.from; g < v.to; g++ {
				at := (o*v.dim + g) * v.inner
				along(v.own[(g-v.from)*v.room+o*v.inner:][:v.inner], v.data[at:at+v.inner])
			}
		}
	}
}

// scaleShape is the shape of the scales in ONNX's DequantizeLinear.
func (s Spec) scaleShape(shape []int) []int {
	switch s.Grain {
	case PerChannel:
		return []int{shape[s.Axis]}
	case PerBlock:
		out := append([]int(nil), shape...)
		out[s.Axis] = (shape[s.Axis] + s.Block - 1) / s.Block
		return out
	}
	return nil
}

// chunkElems is how many elements a unit of parallel work has at least.
const chunkElems = 1 << 15

// each calls f for consecutive ranges of groups on up to threads goroutines.
// The ranges do not depend on the number of threads.
func (l layout) each(threads int, f func(from, to int)) {
	per := (chunkElems + max(1, l.size()) - 1) / max(1, l.size())
	par.Each((l.groups+per-1)/per, threads, func(i int) {
		f(i*per, min((i+1)*per, l.groups))
	})
}
