package op

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// Taps says how a Resize node makes the elements along one axis: element o of
// the result is the sum of Weight[o][k] times element At[o][k] of the operand.
type Taps struct {
	Axis   int
	At     [][]int
	Weight [][]float64
}

// ResizeTaps resolves a Resize node on an operand of a known shape into its
// taps, axis by axis in the order of evaluation. in are the operands, nil where
// left out; ok is false for crops, which reach outside, and for operands that
// do not fit.
func ResizeTaps(n *ir.Node, version int, shape []int, in []*tensor.Tensor) (list []Taps, ok bool) {
	r, err := newResizing(n, version, shape, func(i int) *tensor.Tensor {
		if i < len(in) && in[i] != nil && in[i].Len() > 0 {
			return in[i]
		}
		return nil
	})
	if err != nil || r.transform == "tf_crop_and_resize" {
		return nil, false
	}
	var f *filter
	switch n.Str("mode", "nearest") {
	case "nearest":
	case "linear":
		f = linearFilter
	case "cubic":
		f = cubicFilter(float64(n.Float("cubic_coeff_a", -0.75)))
	default:
		return nil, false
	}
	antialias, exclude := n.Int("antialias", 0) != 0, n.Int("exclude_outside", 0) != 0
	for _, axis := range slices.Clone(r.axes) {
		t := Taps{Axis: axis}
		for o := range r.out[axis] {
			var taps tapList
			if at, _ := r.source(axis, o); f == nil {
				taps.add(r.round(axis, at), 1)
			} else {
				taps = f.taps(at, r.in[axis], r.scale[axis], antialias, exclude)
			}
			t.At, t.Weight = append(t.At, taps.at), append(t.Weight, taps.weight)
		}
		list = append(list, t)
	}
	return list, true
}
