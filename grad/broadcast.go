package grad

import "slices"

func sameShape(a, b []int) bool { return slices.Equal(a, b) }

// sizes is the shape of result i.
func (b *builder) sizes(i int) []int {
	shape, _ := b.node.Out[i].Type.Sizes()
	return shape
}

// spreading maps elements of a result to those of an operand broadcast to it.
type spreading struct {
	n    int // elements of the operand
	dims []int
	step []int // of the operand's index along each dimension, 0 where it is broadcast
	same bool
}

// spread is how x is broadcast to z, both in z's layout.
func spread(x, z *slot) spreading {
	dims := z.dims()
	shape := make([]int, len(z.shape)-len(x.shape), len(z.shape))
	for i := range shape {
		shape[i] = 1
	}
	shape = lie(append(shape, x.shape...), z.lay)
	s := spreading{n: x.size(), dims: dims, step: make([]int, len(dims)), same: slices.Equal(shape, dims)}
	at := 1
	for i := len(dims) - 1; i >= 0; i-- {
		if shape[i] != 1 {
			s.step[i] = at
		}
		at *= shape[i]
	}
	return s
}

// at is the operand's element for element i of the result.
func (s *spreading) at(i int) int {
	if s.same {
		return i
	}
	k := 0
	for d := len(s.dims) - 1; d >= 0; d-- {
		k += i % s.dims[d] * s.step[d]
		i /= s.dims[d]
	}
	return k
}

// collect sums f over the elements of the result that each element of the operand
// went to.
func (s spreading) collect(dst func() []float32, f func(i int) float32) work {
	total := 1
	for _, d := range s.dims {
		total *= d
	}
	if s.same {
		return span(total, func(lo, hi int) {
			d := dst()
			for i := lo; i < hi; i++ {
				d[i] = f(i)
			}
		})
	}
	sums := make([]float64, s.n)
	return serial(func() {
		clear(sums)
		for i := range total {
			sums[s.at(i)] += float64(f(i))
		}
		d := dst()
		for i, v := range sums {
			d[i] = float32(v)
		}
	})
}
