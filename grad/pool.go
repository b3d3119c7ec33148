package grad

import (
	"pare/kernel"
	"pare/tensor"
)

// lowerGlobalAveragePool is the mean over space.
func lowerGlobalAveragePool(b *builder) error {
	x := b.in(0, either)
	y := b.out(0, x.lay)
	f := expansion(x.dims(), y.dims())
	scale := 1 / float32(tensor.Len(x.shape[2:]))
	st := b.step([]*slot{x}, []*slot{y})
	st.then(f.sum(func() []float32 { return y.data }, func() []float32 { return x.data }, scale, nil))
	if st.wants(0) {
		st.back(f.repeat(func() []float32 { return st.dx[0] }, func() []float32 { return y.grad }, scale))
	}
	return nil
}

// poolShape reads the geometry of a pooling; lines are images of height 1.
func (b *builder) poolShape() kernel.PoolShape {
	x, n := b.shape(0), b.node
	rank := len(x) - 2
	if rank != 1 && rank != 2 {
		refuse("poolings over %d dimensions have no gradient", rank)
	}
	k, strides, dil := n.Ints("kernel_shape"), ones(n.Ints("strides"), rank), ones(n.Ints("dilations"), rank)
	pads := b.pads(x[2:], k, strides, dil)
	if rank == 1 {
		x, k = []int{x[0], x[1], 1, x[2]}, []int{1, k[0]}
		strides, dil, pads = []int{1, strides[0]}, []int{1, dil[0]}, []int{0, pads[0], 0, pads[1]}
	}
	return kernel.PoolShape{N: x[0], C: x[1], H: x[2], W: x[3], KH: k[0], KW: k[1],
		StrideH: strides[0], StrideW: strides[1], DilH: dil[0], DilW: dil[1],
		PadT: pads[0], PadL: pads[1], PadB: pads[2], PadR: pads[3],
		Ceil: n.Int("ceil_mode", 0) != 0, IncludePad: n.Int("count_include_pad", 0) != 0}
}

// globalShape is a pooling over all of space.
func (b *builder) globalShape() kernel.PoolShape {
	x := b.shape(0)
	return kernel.PoolShape{N: x[0], C: x[1], H: 1, W: tensor.Len(x[2:]), KH: 1, KW: tensor.Len(x[2:])}
}

func lowerMaxPool(b *builder) error {
	if !b.dtype(0).IsFloat() || b.wanted(1) {
		return lowerReference(b)
	}
	return b.maxPool(b.poolShape())
}

func lowerGlobalMaxPool(b *builder) error { return b.maxPool(b.globalShape()) }

// maxPool lowers a max pooling; of equal elements of a window the first gets the
// gradient.
func (b *builder) maxPool(s kernel.PoolShape) error {
	p, err := kernel.NewMaxPool(s)
	if err != nil {
		return err
	}
	x := b.in(0, last)
	y := b.out(0, last)
	st := b.step([]*slot{x}, []*slot{y})
	st.then(work{tasks: p.Tasks(), run: func(t int, _ []float32) { p.Run(t, y.data, x.data) }})
	if st.wants(0) {
		st.uses(x, y)
		w := newWindows(s)
		st.back(w.work(func() []float32 { return st.dx[0] }, func(dx []float32, out int, in []int, left []float32) {
			copy(left, y.grad[out:out+len(left)])
			for _, at := range in {
				for c, v := range y.data[out : out+len(left)] {
					if x.data[at+c] == v {
						dx[at+c] += left[c]
						left[c] = 0
					}
				}
			}
		}))
	}
	return nil
}

func lowerAveragePool(b *builder) error {
	s := b.poolShape()
	p, err := kernel.NewAvgPool(s)
	if err != nil {
		return err
	}
	x := b.in(0, last)
	y := b.out(0, last)
	st := b.step([]*slot{x}, []*slot{y})
	st.then(work{tasks: p.Tasks(), run: func(t int, _ []float32) { p.Run(t, y.data, x.data) }})
	if st.wants(0) {
		w := newWindows(s)
		st.back(w.work(func() []float32 { return st.dx[0] }, func(dx []float32, out int, in []int, left []float32) {
			count := len(in)
			if s.IncludePad {
				count = w.counted(out / s.C % (w.oh * w.ow))
			}
			kernel.Mul.RunScalar(left, y.grad[out:out+len(left)], 1/float32(count))
			for _, at := range in {
				add(dx[at:at+len(left)], left)
			}
		}))
	}
	return nil
}
