package format

import (
	"fmt"

	"pare/tensor"
)

// Flip rounds some weights the other way, so that errors add up to less (SQuant,
// arXiv:2202.07471): over the taps of each kernel, and then, moving at most one
// more weight per kernel, over each output channel; to at most half a step where
// steps are equal. A sum of a layer errs by the sum of the errors of its weights
// where neighbouring data are alike, whatever the data are.
//
// w is what was encoded, out the axis of its output channels, and taps how many
// neighbours in memory form a kernel; 1 for dense layers. Blocks count as
// channels. It returns the new error and the number of flipped weights. The
// result does not depend on threads.
func (e *Encoded) Flip(w *tensor.Tensor, out, taps, threads int) (Error, int, error) {
	s := e.Spec
	codes, shift, err := bytesOf(e.Codes)
	if err != nil || w.Type != tensor.Float32 || taps < 1 {
		return Error{}, 0, fmt.Errorf("%v of %v weights, kernels of %d: cannot be flipped", s, w.Type, taps)
	}
	channels := Spec{Grain: PerChannel, Axis: out}
	if s.Grain == PerBlock {
		channels, taps = s, 1
	}
	l, data := channels.layout(w.Shape), tensor.Data[float32](w)
	scales, zeros, err := e.perGroup(l, channels)
	if err != nil {
		return Error{}, 0, err
	}
	errs, flips, packed := make([]Error, l.groups), make([]int, l.groups), make([]byte, len(codes))
	l.each(threads, func(from, to int) {
		f := newFlipper(e, l.size(), taps)
		x, before, after := gather(l, from, to, data), gather(l, from, to, codes), blank(l, from, to, packed)
		for g := from; g < to; g++ {
			f.use(zeros(g))
			q := f.q[:l.count(g)]
			for i, c := range before.of(g) {
				q[i] = int16(c)<<(shift&15)>>(shift&15) - f.least
			}
			flips[g] = f.run(x.of(g), q, scales(g))
			errs[g] = f.store(x.of(g), q, scales(g), after.of(g))
		}
		after.store()
	})
	e.Codes = tensor.FromCodes(e.Codes.Type, e.Codes.Shape, packed)
	var total Error
	n := 0
	for g := range errs {
		total.Add(errs[g])
		n += flips[g]
	}
	return total, n, nil
}

// perGroup gives the scale and zero point of the groups of a layout.
func (e *Encoded) perGroup(l layout, channels Spec) (scale func(g int) float32, zero func(g int) int16, err error) {
	scales := tensor.Data[float32](e.Scale)
	zeros := make([]int16, len(scales))
	if e.Zero != nil {
		if zeros, err = codesOf(e.Zero); err != nil {
			return nil, nil, err
		}
	}
	own := e.Spec.Grain == channels.Grain && e.Spec.Axis == channels.Axis
	if !own && len(scales) != 1 || own && len(scales) != l.groups {
		return nil, nil, fmt.Errorf("%v: scales do not go with output channels", e.Spec)
	}
	at := func(g int) int {
		if own {
			return g
		}
		return 0
	}
	return func(g int) float32 { return scales[at(g)] }, func(g int) int16 { return zeros[at(g)] }, nil
}

// steps are the levels of an evenly spaced grid in units of its scale, and the
// least code.
func (s Spec) steps(zero int16) (levels []float32, least int16) {
	if !s.Asymmetric {
		least = -int16(s.Levels())
	}
	for q := least; q <= int16(s.Levels()); q++ {
		levels = append(levels, float32(q-zero))
	}
	return levels, least
}
