package format

import (
	"errors"
	"fmt"
	"math"

	"pare/tensor"
)

// Integers calls f with the index of every element and the integer that stands
// before its scale: the code less the zero point, or the level, which must be an
// integer. Codes must be valid, as those of Encode and MatchWeight are. It knows
// grids per tensor and per channel, of one term.
func (e *Encoded) Integers(f func(i int, v int16)) {
	codes := tensor.Ints8(e.Codes)
	if e.Levels != nil {
		for i, c := range codes {
			f(i, int16(e.Levels[c]))
		}
		return
	}
	zeros := []int16{0}
	if e.Zero != nil {
		zeros = tensor.Ints8(e.Zero)
	}
	inner, groups := len(codes), 1
	if e.Spec.Grain == PerChannel && len(zeros) > 1 {
		inner, groups = tensor.Len(e.Codes.Shape[e.Spec.Axis+1:]), e.Codes.Shape[e.Spec.Axis]
	}
	for i, c := range codes {
		f(i, c-zeros[i/max(1, inner)%groups])
	}
}

// Whole returns the integers of the term, in the order of its codes, and the scale
// that goes with each row: half the step where levels lie between integers. It
// reports an error where they pass eight bits or the scales are not one per index
// along the axis.
func (o Order) Whole(axis int) (values []int8, scale []float64, err error) {
	if !o.Integral() {
		return nil, nil, errors.New("levels of a term are no integers")
	}
	if o.Spec.Grain == PerBlock || o.Spec.Grain == PerChannel && o.Spec.Axis != axis {
		return nil, nil, errors.New("scales of a term are not those of output channels")
	}
	values = make([]int8, o.Codes.Len())
	twice := int16(2 * o.Offset)
	o.Integers(func(i int, v int16) {
		if v = v<<twice + twice; v < math.MinInt8 || v > math.MaxInt8 {
			err = fmt.Errorf("a level of a term is %d, which takes more than 8 bits", v)
		}
		values[i] = int8(v)
	})
	scale = tensor.Float64s(o.Scale)
	for i := range scale {
		scale[i] /= float64(int(1) << twice)
	}
	return values, scale, err
}

// Terms are the terms of an expansion, or e alone.
func (e *Encoded) Terms() []Order {
	if e.Orders != nil {
		return e.Orders
	}
	return []Order{{Encoded: e, Axis: e.Spec.Axis}}
}
