package grad

import "pare/kernel"

// lowerConvTranspose is the gradient of a convolution by its source, taken as a layer:
// what is forward there is backward here.
func lowerConvTranspose(b *builder) error {
	s := b.transposedShape()
	x, w, bias := b.in(0, last), b.in(1, plain), b.in(2, plain)
	y := b.out(0, last)
	st := b.step([]*slot{x, w, bias}, []*slot{y})
	g, err := kernel.NewConvInputGrad(s)
	if err != nil {
		return err
	}
	packed := g.NewWeights()
	st.packing(w, packed.PackTasks(), packed.PackFloats(), packed.Repack)
	if bias != nil {
		st.then(span(y.size()/s.C, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				copy(y.data[i*s.C:(i+1)*s.C], bias.data)
			}
		}))
	}
	st.then(work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(t int, scratch []float32) {
		g.Run(t, y.data, x.data, packed, bias != nil, scratch)
	}})
	if st.wants(2) {
		f := foldingOf([]int{y.size() / s.C, s.C}, []bool{true, false})
		st.back(f.sum(func() []float32 { return st.dx[2] }, func() []float32 { return y.grad }, 1, nil))
	}
	if st.wants(1) {
		if err := st.transposedWeightGrad(s); err != nil {
			return err
		}
	}
	if st.wants(0) {
		return st.transposedInputGrad(s)
	}
	return nil
}

func (st *step) transposedInputGrad(s kernel.ConvShape) error {
	f, err := newConvForm(s)
	if err != nil {
		return err
	}
	w, y := st.in[1], st.out[0]
	st.uses(w)
	ep := &kernel.Epilogue{}
	st.back(
		work{tasks: f.packTasks, scratch: f.packFloats, run: func(t int, scratch []float32) { f.pack(t, w.data, scratch) }},
		work{tasks: f.tasks, scratch: f.scratch, run: func(t int, scratch []float32) { f.run(t, st.dx[0], y.grad, ep, scratch) }})
	return nil
}

func (st *step) transposedWeightGrad(s kernel.ConvShape) error {
	g, err := kernel.NewConvWeightGrad(s)
	if err != nil {
		return err
	}
	x, y, partial := st.in[0], st.out[0], st.temp(g.PartialFloats())
	st.accumulates(1)
	st.uses(x)
	st.back(
		work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(t int, scratch []float32) {
			g.Run(t, partial.data, y.grad, x.data, false, scratch)
		}},
		serial(func() { st.clear(1) }),
		work{tasks: g.SumTasks(), scratch: g.SumFloats(), run: func(t int, scratch []float32) {
			g.Sum(t, st.dx[1], nil, partial.data, scratch)
		}})
	return nil
}

// transposedShape is the convolution whose gradient the node is: from its result to
// its operand. Pads that crop more than the windows give are refused.
func (b *builder) transposedShape() kernel.ConvShape {
	x, w, y := b.shape(0), b.shape(1), b.sizes(0)
	rank := len(x) - 2
	if rank != 1 && rank != 2 {
		refuse("transposed convolutions over %d dimensions have no gradient", rank)
	}
	n := b.node
	strides, dil := ones(n.Ints("strides"), rank), ones(n.Ints("dilations"), rank)
	begin, end := make([]int, rank), make([]int, rank)
	for i := range rank {
		// The windows reach over all of this; y is a part of it.
		all := (x[2+i]-1)*strides[i] + (w[2+i]-1)*dil[i] + 1
		begin[i] = b.cropped(i, rank, all-y[2+i])
		end[i] = max(0, all-y[2+i]-begin[i])
	}
	if rank == 1 {
		x, w, y = []int{x[0], x[1], 1, x[2]}, []int{w[0], w[1], 1, w[2]}, []int{y[0], y[1], 1, y[2]}
		strides, dil = []int{1, strides[0]}, []int{1, dil[0]}
		begin, end = []int{0, begin[0]}, []int{0, end[0]}
	}
	s := kernel.ConvShape{N: x[0], C: y[1], H: y[2], W: y[3], O: x[1], KH: w[2], KW: w[3],
		StrideH: strides[0], StrideW: strides[1], DilH: dil[0], DilW: dil[1],
		PadT: begin[0], PadL: begin[1], PadB: end[0], PadR: end[1], Groups: n.Int("group", 1)}
	if s.OH() != x[2] || s.OW() != x[3] || min(begin[0], begin[1]) < 0 {
		refuse("this geometry of a transposed convolution has no gradient")
	}
	return s
}

// cropped is how much is cut off before axis i, of total at both ends.
func (b *builder) cropped(i, rank, total int) int {
	n := b.node
	if pads := n.Ints("pads"); pads != nil && !n.Has("output_shape") {
		return pads[i]
	}
	switch n.Str("auto_pad", "NOTSET") {
	case "SAME_UPPER":
		return total / 2
	case "NOTSET", "":
		if !n.Has("output_shape") {
			return 0
		}
	case "VALID":
		return 0
	}
	return total - total/2
}
