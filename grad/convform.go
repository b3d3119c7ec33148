package grad

import (
	"pare/kernel"
)

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
