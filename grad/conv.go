package grad

import "pare/kernel"

// lowerConv is a convolution of images or lines.
func lowerConv(b *builder) error {
	s := b.convShape()
	x, w, bias := b.in(0, last), b.in(1, plain), b.in(2, plain)
	y := b.out(0, last)
	st := b.step([]*slot{x, w, bias}, []*slot{y})
	if err := st.convForward(s); err != nil {
		return err
	}
	if st.wants(0) {
		if err := st.convInputGrad(s); err != nil {
			return err
		}
	}
	if st.wants(1) || st.wants(2) {
		return st.convWeightGrad(s)
	}
	return nil
}

// convForm is one of the ways to compute a convolution.
type convForm struct {
	tasks, scratch int
	run            func(task int, dst, src []float32, ep *kernel.Epilogue, scratch []float32)
	packTasks      int
	packFloats     int
	pack           func(task int, w, scratch []float32)
}

// newConvForm chooses the fastest.
func newConvForm(s kernel.ConvShape) (*convForm, error) {
	if s.Groups == s.C && s.O == s.C && s.C > 1 {
		return depthwiseForm(s)
	}
	if m := kernel.WinogradTile(s); m > 0 {
		return winogradForm(s, m)
	}
	c, err := kernel.NewConv(s)
	if err != nil {
		return nil, err
	}
	w, err := kernel.NewConvWeights(s)
	if err != nil {
		return nil, err
	}
	return &convForm{tasks: c.Tasks(), scratch: c.ScratchFloats(), packTasks: w.PackTasks(), packFloats: w.PackFloats(), pack: w.Repack,
		run: func(task int, dst, src []float32, ep *kernel.Epilogue, scratch []float32) {
			c.Run(task, dst, src, w, ep, scratch)
		}}, nil
}

func winogradForm(s kernel.ConvShape, m int) (*convForm, error) {
	c, err := kernel.NewWinograd(s, m)
	if err != nil {
		return nil, err
	}
	w, err := kernel.NewWinogradWeights(s, m)
	if err != nil {
		return nil, err
	}
	return &convForm{tasks: c.Tasks(), scratch: c.ScratchFloats(), packTasks: w.PackTasks(), packFloats: w.PackFloats(), pack: w.Repack,
		run: func(task int, dst, src []float32, ep *kernel.Epilogue, scratch []float32) {
			c.Run(task, dst, src, w, ep, scratch)
		}}, nil
}

func depthwiseForm(s kernel.ConvShape) (*convForm, error) {
	c, err := kernel.NewDepthwise(s)
	if err != nil {
		return nil, err
	}
	w := make([]float32, s.C*s.KH*s.KW)
	return &convForm{tasks: c.Tasks(), packTasks: 1,
		pack: func(_ int, src, _ []float32) { kernel.RepackDepthwise(s, w, src) },
		run: func(task int, dst, src []float32, ep *kernel.Epilogue, _ []float32) {
			c.Run(task, dst, src, w, ep)
		}}, nil
}

// convForward adds the forward work of a convolution of in[0] by in[1] plus in[2],
// which may be nil.
func (st *step) convForward(s kernel.ConvShape) error {
	f, err := newConvForm(s)
	if err != nil {
		return err
	}
	x, w, bias, y := st.in[0], st.in[1], st.in[2], st.out[0]
	ep := &kernel.Epilogue{}
	st.limit = func(lo, hi float32) { ep.Lo, ep.Hi = lo, hi }
	st.packing(w, f.packTasks, f.packFloats, f.pack)
	st.then(work{tasks: f.tasks, scratch: f.scratch, run: func(t int, scratch []float32) {
		f.run(t, y.data, x.data, ep, scratch)
	}})
	if bias != nil {
		st.forward = append([]work{serial(func() { ep.Bias = bias.data })}, st.forward...)
	}
	return nil
}

// packing adds the work of packing weights before each forward, or does it now
// where the weights are constant.
func (st *step) packing(w *slot, tasks, floats int, pack func(task int, w, scratch []float32)) {
	if w.fixed == nil {
		st.then(work{tasks: tasks, scratch: floats, run: func(t int, scratch []float32) { pack(t, w.data, scratch) }})
		return
	}
	scratch := make([]float32, floats)
	for t := range tasks {
		pack(t, w.data, scratch)
	}
}

// convInputGrad adds the gradient of the source of a convolution.
func (st *step) convInputGrad(s kernel.ConvShape) error {
	g, err := kernel.NewConvInputGrad(s)
	if err != nil {
		return err
	}
	st.accumulates(0)
	w, y, packed := st.in[1], st.out[0], g.NewWeights()
	pack := work{tasks: packed.PackTasks(), scratch: packed.PackFloats(), run: func(t int, scratch []float32) {
		packed.Repack(t, w.data, scratch)
	}}
	if w.fixed == nil {
		st.uses(w)
		st.back(pack)
	} else {
		scratch := make([]float32, pack.scratch)
		for t := range pack.tasks {
			pack.run(t, scratch)
		}
	}
	st.back(work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(t int, scratch []float32) {
		g.Run(t, st.dx[0], y.grad, packed, st.adding[0], scratch)
	}})
	return nil
}

// convWeightGrad adds the gradients of the weights and the bias of a convolution.
func (st *step) convWeightGrad(s kernel.ConvShape) error {
	g, err := kernel.NewConvWeightGrad(s)
	if err != nil {
		return err
	}
	x, y, partial := st.in[0], st.out[0], st.temp(g.PartialFloats())
	st.accumulates(1, 2)
	st.uses(x)
	unused := st.temp(0)
	if !st.wants(1) {
		unused.size = st.in[1].size()
	}
	bias := st.wants(2)
	st.back(
		work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(t int, scratch []float32) {
			g.Run(t, partial.data, x.data, y.grad, bias, scratch)
		}},
		serial(func() { st.clear(1); st.clear(2) }),
		work{tasks: g.SumTasks(), scratch: g.SumFloats(), run: func(t int, scratch []float32) {
			dw := st.dx[1]
			if dw == nil {
				dw = unused.data
			}
			g.Sum(t, dw, st.dx[2], partial.data, scratch)
		}})
	return nil
}

// clear prepares the gradient of operand i for being added to.
func (st *step) clear(i int) {
	if st.dx[i] != nil && !st.adding[i] {
		clear(st.dx[i])
	}
}

// convShape reads the geometry of a convolution; lines are images of height 1.
func (b *builder) convShape() kernel.ConvShape {
	x, w := b.shape(0), b.shape(1)
	rank := len(x) - 2
	if rank != 1 && rank != 2 {
		refuse("convolutions over %d dimensions have no gradient", rank)
	}
	n := b.node
	strides, dil := ones(n.Ints("strides"), rank), ones(n.Ints("dilations"), rank)
	pads := b.pads(x[2:], w[2:], strides, dil)
	if rank == 1 {
		x, w = []int{x[0], x[1], 1, x[2]}, []int{w[0], w[1], 1, w[2]}
		strides, dil, pads = []int{1, strides[0]}, []int{1, dil[0]}, []int{0, pads[0], 0, pads[1]}
	}
	return kernel.ConvShape{N: x[0], C: x[1], H: x[2], W: x[3], O: w[0], KH: w[2], KW: w[3],
		StrideH: strides[0], StrideW: strides[1], DilH: dil[0], DilW: dil[1],
		PadT: pads[0], PadL: pads[1], PadB: pads[2], PadR: pads[3], Groups: n.Int("group", 1)}
}

func ones(list []int, n int) []int {
	for len(list) < n {
		list = append(list, 1)
	}
	return list
}

// pads are those of a window that slides over space, begins before ends.
func (b *builder) pads(in, k, strides, dil []int) []int {
	rank := len(in)
	pads := make([]int, 2*rank)
	switch auto := b.node.Str("auto_pad", "NOTSET"); auto {
	case "SAME_UPPER", "SAME_LOWER":
		for i := range rank {
			out := (in[i] + strides[i] - 1) / strides[i]
			total := max(0, (out-1)*strides[i]+(k[i]-1)*dil[i]+1-in[i])
			pads[i] = total / 2
			if auto == "SAME_LOWER" {
				pads[i] = total - total/2
			}
			pads[rank+i] = total - pads[i]
		}
	case "NOTSET", "":
		copy(pads, b.node.Ints("pads"))
	}
	return pads
}
