package grad

import (
	"pare/kernel"
)

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
