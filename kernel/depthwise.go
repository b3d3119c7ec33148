package kernel

import "fmt"

// depthwiseLoops compute sums of src·w plus bias and residual, clamped.
var depthwiseLoops = append(archDepthwise, impl[windowLoop]{"f32_1x1_go", 0, depthwiseGo})

// Depthwise is a planned depthwise convolution: one filter per channel. Other
// channel multipliers are grouped convolutions (Conv).
type Depthwise struct{ w window }

// NewDepthwise plans a convolution with Groups = C = O.
func NewDepthwise(s ConvShape) (*Depthwise, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.Groups != s.C || s.O != s.C {
		return nil, fmt.Errorf("depthwise convolution: %d groups, %d input and %d output channels differ", s.Groups, s.C, s.O)
	}
	return &Depthwise{newWindow(s, s.OH(), s.OW())}, nil
}

// PackDepthwise returns weights [C][1][KH][KW] in the order [KH][KW][C].
func PackDepthwise(s ConvShape, w []float32) ([]float32, error) {
	if taps := s.KH * s.KW; len(w) != s.C*taps {
		return nil, fmt.Errorf("depthwise weights: %d elements for [%d,1,%d,%d]", len(w), s.C, s.KH, s.KW)
	}
	p := make([]float32, len(w))
	Transpose(p, w, s.C, s.KH*s.KW)
	return p, nil
}

// Tasks is the number of independent tasks; they write disjoint outputs.
func (d *Depthwise) Tasks() int { return d.w.tasks }

// Run computes one task: dst = act(clamp(conv(src) + bias + residual)) with weights
// from PackDepthwise.
func (d *Depthwise) Run(task int, dst, src, weights []float32, ep *Epilogue) {
	d.run(task, dst, src, weights, ep, pick(depthwiseLoops))
}

func (d *Depthwise) run(task int, dst, src, weights []float32, ep *Epilogue, loop windowLoop) {
	a := winPool.Get().(*winArgs)
	s := &d.w.s
	a.w = weights[:s.KH*s.KW*s.C]
	if ep.Bias != nil {
		a.bias = ep.Bias[:s.C]
	}
	a.lo, a.hi = ep.limits()
	d.w.run(task, call{winArgs: a, dst: dst, src: src, res: ep.Residual, loop: loop, act: ep.Act})
	a.release()
}

func depthwiseGo(a *winArgs) {
	for i := range a.px {
		for j := range a.c {
			var sum float32
			if a.bias != nil {
				sum = a.bias[j]
			}
			for _, t := range a.taps {
				sum += a.src[i*a.srcStep+int(t.src)+j] * a.w[int(t.w)+j]
			}
			if a.res != nil {
				sum += a.res[i*a.resStep+j]
			}
			a.dst[i*a.dstStep+j] = clampTo(sum, a.lo, a.hi)
		}
	}
}
