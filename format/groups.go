package format

import (
	"sync"
	"sync/atomic"

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

// gather returns the elements of group g, in src itself where they lie
// together, else copied to buf.
func gather[T any](l layout, g int, src, buf []T) []T {
	if l.grain != PerBlock && l.outer == 1 {
		return src[g*l.inner : (g+1)*l.inner]
	}
	k := 0
	l.segments(g, func(start, count, stride int) {
		if stride == 1 {
			copy(buf[k:], src[start:start+count])
			k += count
			return
		}
		for i := start; count > 0; i, count = i+stride, count-1 {
			buf[k] = src[i]
			k++
		}
	})
	return buf[:k]
}

// scatter is the inverse of gather: it stores vals as group g of dst.
func scatter[T any](l layout, g int, dst, vals []T) {
	k := 0
	l.segments(g, func(start, count, stride int) {
		if stride == 1 {
			k += copy(dst[start:start+count], vals[k:])
			return
		}
		for i := start; count > 0; i, count = i+stride, count-1 {
			dst[i] = vals[k]
			k++
		}
	})
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
	parallel((l.groups+per-1)/per, threads, func(i int) {
		f(i*per, min((i+1)*per, l.groups))
	})
}

// parallel calls f for 0..n-1 on up to threads goroutines.
func parallel(n, threads int, f func(i int)) {
	if threads <= 1 || n <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, threads) {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				f(i)
			}
		})
	}
	wg.Wait()
}
