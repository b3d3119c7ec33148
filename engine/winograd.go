package engine

import (
	"fmt"

	"pare/kernel"
)

// winograd emits the convolution in Winograd's form, in tiles of m×m outputs.
func (b *builder) winograd(st *step, s kernel.ConvShape, m int, w *filter, ep kernel.Epilogue, src, dst, res place) {
	weights := later(b, w.key(fmt.Sprint("winograd ", m)), func() (*kernel.WinogradWeights, error) {
		return kernel.PackWinograd(s, m, w.weights())
	})
	c, err := kernel.NewWinograd(s, m)
	if err != nil {
		panic(err)
	}
	st.kernel = fmt.Sprintf("winograd %dx%d", m, m) + st.kernel
	st.tasks, st.scratch = c.Tasks(), c.ScratchFloats()
	st.task = func(f *frame, task int, scratch []float32) {
		e := ep
		e.Residual = f.maybe(res)
		c.Run(task, f.at(dst), f.at(src), weights.x, &e, scratch)
	}
	b.emit(st)
}
