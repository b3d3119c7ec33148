package grad

import (
	"pare/kernel"
)

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
