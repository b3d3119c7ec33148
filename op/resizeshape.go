package op

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// resizeOperands are the positions of roi, scales and sizes; -1 where the
// version has none.
func resizeOperands(version int) (roi, scales, sizes int) {
	if version < 11 {
		return -1, 1, -1
	}
	return 1, 2, 3
}

// newResizing reads attributes and operands of a Resize node. operand returns
// an operand, nil where it is left out or empty.
func newResizing(n *ir.Node, version int, in []int, operand func(int) *tensor.Tensor) (*resizing, error) {
	roi, scales, sizes := resizeOperands(version)
	r := &resizing{in: in, out: slices.Clone(in), scale: make([]float64, len(in)), width: make([]float64, len(in))}
	fill(r.scale, 1)
	r.transform = n.Str("coordinate_transformation_mode", "half_pixel")
	r.nearest = n.Str("nearest_mode", "round_prefer_floor")
	r.outside = float64(n.Float("extrapolation_value", 0))
	if version < 11 {
		r.transform, r.nearest = "asymmetric", "simple"
	}
	var err error
	if r.axes, err = resizeAxes(n, len(in)); err != nil {
		return nil, err
	}
	if err := r.checkModes(); err != nil {
		return nil, err
	}
	scaleT, sizeT := operand(scales), (*tensor.Tensor)(nil)
	if sizes >= 0 {
		sizeT = operand(sizes)
	}
	switch {
	case (scaleT == nil) == (sizeT == nil) && len(in) > 0 && len(r.axes) > 0:
		return nil, fmt.Errorf("either scales or sizes are needed")
	case scaleT != nil:
		err = r.byScales(scaleT)
	case sizeT != nil:
		err = r.bySizes(sizeT, n.Str("keep_aspect_ratio_policy", "stretch"))
	}
	if err == nil && r.transform == "tf_crop_and_resize" {
		err = r.crop(operand(roi))
	}
	// An axis that keeps its size and scale is left alone.
	r.axes = slices.DeleteFunc(slices.Clone(r.axes), func(a int) bool {
		whole := r.roi == nil || r.roi[a] == 0 && r.roi[len(in)+a] == 1
		return r.scale[a] == 1 && r.out[a] == in[a] && whole
	})
	if err == nil {
		for _, a := range r.axes {
			if in[a] == 0 && r.out[a] > 0 {
				err = fmt.Errorf("axis %d has no elements to resize to %d", a, r.out[a])
			}
		}
	}
	return r, err
}

func resizeAxes(n *ir.Node, rank int) ([]int, error) {
	list := n.Ints("axes")
	if list == nil {
		for i := range rank {
			list = append(list, i)
		}
	}
	return normAxes(list, rank)
}

func (r *resizing) checkModes() error {
	if !slices.Contains([]string{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
		"asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"}, r.transform) {
		return fmt.Errorf("coordinate_transformation_mode %q is unknown", r.transform)
	}
	if !slices.Contains([]string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"}, r.nearest) {
		return fmt.Errorf("nearest_mode %q is unknown", r.nearest)
	}
	return nil
}

// byScales multiplies the sizes of the axes and rounds them down.
func (r *resizing) byScales(t *tensor.Tensor) error {
	if t.Len() != len(r.axes) || !t.Type.IsFloat() {
		return fmt.Errorf("scales are %v; %d floats are needed", t, len(r.axes))
	}
	for i, s := range tensor.Float32s(t) {
		a := r.axes[i]
		size := math.Floor(float64(float32(r.in[a]) * s))
		if !(s > 0) || size > math.MaxInt32 {
			return fmt.Errorf("scale %v of axis %d must be positive and not absurdly large", s, a)
		}
		r.scale[a], r.out[a], r.width[a] = float64(s), int(size), float64(s)*float64(r.in[a])
	}
	return nil
}

// bySizes takes the sizes of the axes, changed to keep their ratio where the
// policy asks for it.
func (r *resizing) bySizes(t *tensor.Tensor, policy string) error {
	sizes, err := intsOf(t)
	if err != nil {
		return err
	}
	if len(sizes) != len(r.axes) {
		return fmt.Errorf("%d sizes for %d axes", len(sizes), len(r.axes))
	}
	for i, size := range sizes {
		a := r.axes[i]
		if size < 0 || size > math.MaxInt32 {
			return fmt.Errorf("size %d of axis %d is negative or absurdly large", size, a)
		}
		r.out[a], r.width[a] = size, float64(size)
		if r.in[a] > 0 {
			r.scale[a] = float64(size) / float64(r.in[a])
		}
	}
	common := slices.Min[[]float64]
	switch policy {
	case "stretch":
		return nil
	case "not_larger":
	case "not_smaller":
		common = slices.Max[[]float64]
	default:
		return fmt.Errorf("keep_aspect_ratio_policy %q is unknown; use stretch, not_larger or not_smaller", policy)
	}
	var scales []float64
	for _, a := range r.axes {
		scales = append(scales, r.scale[a])
	}
	if len(scales) == 0 {
		return nil
	}
	s := common(scales)
	for _, a := range r.axes {
		r.scale[a], r.width[a] = s, s*float64(r.in[a])
		r.out[a] = int(min(math.Floor(s*float64(r.in[a])+0.5), math.MaxInt32))
	}
	return nil
}

// crop reads the region of interest: starts, then ends, of the axes.
func (r *resizing) crop(t *tensor.Tensor) error {
	if t == nil || t.Len() != 2*len(r.axes) || !t.Type.IsFloat() {
		return fmt.Errorf("tf_crop_and_resize needs a roi of %d floats", 2*len(r.axes))
	}
	rank := len(r.in)
	r.roi = make([]float64, 2*rank)
	fill(r.roi[rank:], 1)
	for i, v := range tensor.Float64s(t) {
		a := r.axes[i%len(r.axes)]
		if i >= len(r.axes) {
			a += rank
		}
		r.roi[a] = v
	}
	return nil
}

func inferResize(c *Shape) error {
	x := c.In[0]
	c.Set(0, x)
	if !x.Ranked {
		return nil
	}
	rank := len(x.Shape)
	axes, err := resizeAxes(c.Node, rank)
	if err != nil {
		return err
	}
	shape := slices.Clone(x.Shape)
	for _, a := range axes {
		shape[a] = ir.Unknown
	}
	_, scales, sizes := resizeOperands(c.Version)
	stretch := c.Node.Str("keep_aspect_ratio_policy", "stretch") == "stretch"
	if elems, ok := c.Data(sizes); sizes >= 0 && ok && len(elems) > 0 {
		if len(elems) != len(axes) {
			return fmt.Errorf("%d sizes for %d axes", len(elems), len(axes))
		}
		for i, d := range elems {
			if stretch {
				shape[axes[i]] = dimOf(d)
			}
		}
	}
	if t := c.Const(scales); t != nil && t.Len() > 0 {
		if t.Len() != len(axes) || !t.Type.IsFloat() {
			return fmt.Errorf("scales are %v; %d floats are needed", t, len(axes))
		}
		for i, s := range tensor.Float32s(t) {
			switch d := x.Shape[axes[i]]; {
			case s == 1:
				shape[axes[i]] = d
			case d.IsKnown():
				shape[axes[i]] = ir.Known(max(0, int(float32(d.N)*s)))
			}
		}
	}
	if in, ok := x.Sizes(); ok && !stretch && c.Const(sizes) != nil {
		r, err := newResizing(c.Node, c.Version, in, func(i int) *tensor.Tensor {
			if i == sizes {
				return c.Const(i)
			}
			return nil
		})
		if err == nil {
			shape = ir.Dims(r.out)
		}
	}
	c.Set(0, ir.TensorType(x.DType, shape...))
	return nil
}

// raiseResize11 states what version 10 implied and makes room for the roi.
func raiseResize11(r *Raising) error {
	n := r.Node
	scales := n.In[1]
	attrs := ir.WithAttr(n.Attrs, "coordinate_transformation_mode", "asymmetric")
	if n.Str("mode", "nearest") == "nearest" {
		if scales.Const == nil {
			return fmt.Errorf("the scales %q must be constant to tell how version 10 rounds", scales.Name)
		}
		nearest := ""
		for _, s := range tensor.Float32s(scales.Const) {
			want := "floor"
			if s < 1 {
				want = "ceil"
			}
			if s != 1 && nearest != "" && nearest != want {
				return fmt.Errorf("scales %v enlarge and reduce, for which version 10 rounds differently", tensor.Float32s(scales.Const))
			}
			if s != 1 {
				nearest = want
			}
		}
		if nearest != "" {
			attrs = ir.WithAttr(attrs, "nearest_mode", nearest)
		}
	}
	r.Patch.SetAttrs(n, attrs)
	r.Patch.SetInput(n, 2, scales)
	r.ConstInput(1, "roi", tensor.New(tensor.Float32, 0))
	return nil
}

// raiseResize13 expresses the transformation that version 13 dropped.
func raiseResize13(r *Raising) error {
	n := r.Node
	if n.Str("coordinate_transformation_mode", "half_pixel") != "tf_half_pixel_for_nn" {
		return nil
	}
	// Its coordinates lie half an element above those of half_pixel.
	same := map[string]string{"floor": "round_prefer_ceil", "round_prefer_floor": "ceil"}
	nearest, ok := same[n.Str("nearest_mode", "round_prefer_floor")]
	if !ok || n.Str("mode", "nearest") != "nearest" {
		return fmt.Errorf("coordinate_transformation_mode tf_half_pixel_for_nn has no newer form in this mode")
	}
	attrs := ir.WithAttr(n.Attrs, "coordinate_transformation_mode", "half_pixel")
	r.Patch.SetAttrs(n, ir.WithAttr(attrs, "nearest_mode", nearest))
	return nil
}
