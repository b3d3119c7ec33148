package op

import (
	"fmt"
	"math"
	"slices"

	"pare/tensor"
)

// resizeDef resamples a tensor along its axes.
// https://onnx.ai/onnx/operators/onnx__Resize.html
var resizeDef = Def{
	Name: "Resize", Versions: []int{10, 11, 13, 18, 19}, In: Arity{1, 4}, Out: Arity{1, 1},
	Infer: inferResize,
	Eval:  evalResize,
	Raise: map[int]func(*Raising) error{11: raiseResize11, 13: raiseResize13},
}

// resizing is the geometry of one application: for every axis the sizes and the
// scale, and how the result's coordinates lie in the operand.
type resizing struct {
	in, out   []int
	scale     []float64
	width     []float64 // out before it was rounded down
	axes      []int
	roi       []float64 // start and end of every axis; nil when there is none
	transform string
	nearest   string
	outside   float64 // value beyond the operand
}

func evalResize(c *Eval) error {
	x := c.Need(0)
	r, err := newResizing(c.Node, c.Version, x.Shape, c.optTensor)
	if err != nil {
		return err
	}
	c.fits(tensor.Float64, r.out)
	mode := c.Node.Str("mode", "nearest")
	antialias, exclude := c.Node.Int("antialias", 0) != 0, c.Node.Int("exclude_outside", 0) != 0
	var f *filter
	switch mode {
	case "nearest":
		if r.transform != "tf_crop_and_resize" {
			return r.pick(c, x)
		}
	case "linear":
		f = linearFilter
	case "cubic":
		f = cubicFilter(float64(c.Node.Float("cubic_coeff_a", -0.75)))
	default:
		return fmt.Errorf("mode %q is unknown; use nearest, linear or cubic", mode)
	}
	if !isNumeric(x.Type) {
		return unsupported(x.Type)
	}
	values, shape := tensor.Float64s(x), slices.Clone(x.Shape)
	for _, axis := range r.axes {
		taps := make([]tapList, r.out[axis])
		for o := range taps {
			if at, inside := r.source(axis, o); !inside {
				taps[o].outside = true
			} else if f == nil {
				taps[o].add(r.round(axis, at), 1)
			} else {
				taps[o] = f.taps(at, r.in[axis], r.scale[axis], antialias, exclude)
			}
		}
		values = resample(c, values, shape, axis, taps, r.outside)
		shape[axis] = len(taps)
	}
	out, err := saturated(x.Type, shape, values)
	c.Set(0, out)
	return err
}

// optTensor is operand i, nil where it is left out or empty.
func (c *Eval) optTensor(i int) *tensor.Tensor {
	if t := c.Tensor(i); t != nil && t.Len() > 0 {
		return t
	}
	return nil
}

// saturated rounds values to even and clamps them where t is an integer type.
func saturated(t tensor.DType, shape []int, values []float64) (*tensor.Tensor, error) {
	if t.IsInt() {
		lo, hi := intRange(t)
		rounded := make([]float64, len(values))
		for i, v := range values {
			rounded[i] = min(max(math.RoundToEven(v), lo), hi)
		}
		values = rounded
	}
	return tensor.FromFloat64s(t, shape, values)
}

// pick copies the nearest elements, whatever their type.
func (r *resizing) pick(c *Eval, x *tensor.Tensor) error {
	for _, axis := range r.axes {
		at := make([]int, r.out[axis])
		for o := range at {
			v, _ := r.source(axis, o)
			at[o] = r.round(axis, v)
		}
		x = mover(c.New).taken(x, axis, at)
	}
	c.Set(0, x)
	return nil
}

// source is where coordinate o of the result lies in the operand, in elements,
// and whether that is inside; only cropping leaves it.
func (r *resizing) source(axis, o int) (at float64, inside bool) {
	x, n, out, width := float64(o), float64(r.in[axis]), r.out[axis], r.width[axis]
	switch r.transform {
	case "align_corners":
		if out == 1 || width == 1 {
			return 0, true
		}
		return quotient32(x*(n-1), width-1), true
	case "asymmetric":
		return quotient32(x*n, width), true
	case "tf_half_pixel_for_nn":
		return quotient32((x+0.5)*n, width), true
	case "pytorch_half_pixel":
		if out == 1 {
			return 0, true
		}
	case "half_pixel_symmetric":
		return n/2*(1-float64(out)/width) + quotient32((x+0.5)*n, width) - 0.5, true
	case "tf_crop_and_resize":
		start, end := r.roi[axis], r.roi[len(r.in)+axis]
		at = 0.5 * (start + end) * (n - 1)
		if out > 1 {
			at = start*(n-1) + quotient32(x*(end-start)*(n-1), float64(out-1))
		}
		return at, at >= 0 && at <= n-1
	}
	return quotient32((x+0.5)*n, width) - 0.5, true
}

// quotient32 is a/b rounded to float32: scales such as 0.6 are float32 numbers
// and only then give whole coordinates where they should.
func quotient32(a, b float64) float64 { return float64(float32(a / b)) }

// round is the element nearest to a coordinate.
func (r *resizing) round(axis int, at float64) int {
	switch r.nearest {
	case "round_prefer_ceil":
		at = math.Floor(at + 0.5)
	case "floor":
		at = math.Floor(at)
	case "ceil":
		at = math.Ceil(at)
	case "simple": // version 10
		if r.scale[axis] < 1 {
			at = math.Ceil(at)
		} else {
			at = math.Floor(at)
		}
	default:
		at = math.Ceil(at - 0.5)
	}
	return int(min(max(at, 0), float64(r.in[axis]-1)))
}

// tapList are the elements along an axis of which one element of the result is
// the weighted sum.
type tapList struct {
	at      []int
	weight  []float64
	outside bool
}

func (t *tapList) add(at int, weight float64) {
	t.at = append(t.at, at)
	t.weight = append(t.weight, weight)
}

// filter is an interpolation kernel.
type filter struct {
	support float64 // the weight is 0 from this distance on
	weight  func(distance float64) float64
}

// linearFilter weighs by distance.
var linearFilter = &filter{support: 1, weight: func(t float64) float64 { return max(0, 1-math.Abs(t)) }}

// cubicFilter is the kernel of cubic convolution.
func cubicFilter(a float64) *filter {
	return &filter{support: 2, weight: func(t float64) float64 {
		t = math.Abs(t)
		switch {
		case t <= 1:
			return ((a+2)*t-(a+3))*t*t + 1
		case t < 2:
			return ((a*t-5*a)*t+8*a)*t - 4*a
		}
		return 0
	}}
}

// taps centres the filter at a coordinate of an axis of n elements. Elements
// beyond the ends repeat the outermost one, or do not count. With antialias the
// filter is stretched where the scale is below 1.
func (f *filter) taps(at float64, n int, scale float64, antialias, exclude bool) tapList {
	if !antialias || scale > 1 {
		scale = 1
	}
	reach := f.support / scale
	var t tapList
	var sum float64
	for i := int(math.Ceil(at - reach)); i <= int(math.Floor(at+reach)); i++ {
		w := f.weight((float64(i) - at) * scale)
		if w == 0 || exclude && (i < 0 || i >= n) {
			continue
		}
		t.add(min(max(i, 0), n-1), w)
		sum += w
	}
	if (antialias || exclude) && sum != 0 {
		for i := range t.weight {
			t.weight[i] /= sum
		}
	}
	return t
}

// resample forms the weighted sums along one axis.
func resample(c *Eval, x []float64, shape []int, axis int, taps []tapList, outside float64) []float64 {
	outer, n, inner := split3(shape, axis)
	y := c.zeros(outer * len(taps) * inner)
	for o := range outer {
		for i, t := range taps {
			row := y[(o*len(taps)+i)*inner:][:inner]
			if t.outside {
				fill(row, outside)
			}
			for k, at := range t.at {
				addScaled(row, x[(o*n+at)*inner:][:inner], t.weight[k])
			}
		}
	}
	return y
}
