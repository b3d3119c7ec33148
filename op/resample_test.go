package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/ir"
	"pare/tensor"
)

// ramp is a plane through an image: interpolation reproduces it inside.
func ramp(h, w int) *tensor.Tensor {
	t := tensor.New(tensor.Float64, 1, 1, h, w)
	for i := range tensor.Data[float64](t) {
		tensor.Data[float64](t)[i] = 2*float64(i/w) - 3*float64(i%w)
	}
	return t
}

func TestResizeReproducesAPlane(t *testing.T) {
	x := ramp(9, 11)
	for _, mode := range []string{"linear", "cubic"} {
		for transform, source := range map[string]func(o, in, out float64) float64{
			"half_pixel":           func(o, in, out float64) float64 { return (o+0.5)*in/out - 0.5 },
			"asymmetric":           func(o, in, out float64) float64 { return o * in / out },
			"align_corners":        func(o, in, out float64) float64 { return o * (in - 1) / (out - 1) },
			"half_pixel_symmetric": func(o, in, out float64) float64 { return (o+0.5)*in/out - 0.5 },
		} {
			a := attrs("mode", mode, "coordinate_transformation_mode", transform, "cubic_coeff_a", float32(-0.5))
			y := must(t, 19, &ir.Node{Op: "Resize", Attrs: a}, 1, x, nil, nil, vector[int64](1, 1, 14, 7))[0]
			for i, got := range tensor.Float64s(y) {
				sy, sx := source(float64(i/7), 9, 14), source(float64(i%7), 11, 7)
				if sy < 1 || sy > 7 || sx < 1 || sx > 9 {
					continue // where the filter reaches beyond the edge
				}
				if want := 2*sy - 3*sx; math.Abs(got-want) > 1e-5 {
					t.Fatalf("%s %s: element %d is %v, want %v", mode, transform, i, got, want)
				}
			}
		}
	}
}

func TestResizeOfEveryKind(t *testing.T) {
	x := tensor.Of([]int{4}, []float64{1, 2, 3, 4})
	for _, k := range []struct {
		attrs  []ir.Attr
		scales []float32
		sizes  []int64
		want   []float64
	}{
		{attrs(), []float32{2}, nil, []float64{1, 1, 2, 2, 3, 3, 4, 4}},
		{attrs("nearest_mode", "ceil", "coordinate_transformation_mode", "asymmetric"), []float32{1.5}, nil, []float64{1, 2, 3, 3, 4, 4}},
		{attrs("mode", "linear", "antialias", 1), []float32{0.5}, nil, []float64{1.625, 3.375}},
		{attrs("mode", "linear", "coordinate_transformation_mode", "pytorch_half_pixel"), nil, []int64{1}, []float64{1}},
		{attrs("mode", "linear", "exclude_outside", 1), []float32{2}, nil, []float64{1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4}},
		{attrs("keep_aspect_ratio_policy", "not_larger"), nil, []int64{2}, []float64{1, 3}},
	} {
		in := []any{nil, nil}
		if k.scales != nil {
			in[0] = vector(k.scales...)
		} else {
			in[1] = vector(k.sizes...)
		}
		got := must(t, 19, &ir.Node{Op: "Resize", Attrs: k.attrs}, 1, x, nil, in[0], in[1])[0]
		near(t, fmt.Sprint(k.attrs), got, vector(k.want...), 1e-6)
	}
	roi := vector[float32](0.25, 1.25)
	crop := attrs("mode", "linear", "coordinate_transformation_mode", "tf_crop_and_resize", "extrapolation_value", float32(-1))
	near(t, "crop", must(t, 19, &ir.Node{Op: "Resize", Attrs: crop}, 1, x, roi, nil, vector[int64](4))[0], vector(1.75, 2.75, 3.75, -1), 1e-6)
	words := tensor.OfStrings([]int{2}, []string{"a", "b"})
	if got := must(t, 19, &ir.Node{Op: "Resize"}, 1, words, nil, vector[float32](2))[0].Strings(); fmt.Sprint(got) != "[a a b b]" {
		t.Errorf("words resized to %q", got)
	}
	bytes := must(t, 19, &ir.Node{Op: "Resize", Attrs: attrs("mode", "cubic")}, 1, vector[uint8](0, 0, 255, 255), nil, vector[float32](2))[0]
	if b := tensor.Data[uint8](bytes); b[2] != 0 || b[5] != 255 {
		t.Errorf("overshoot is not clamped: %v", b)
	}
}

func TestOldResizesRaise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	x := noise(r, 1, 2, 5, 6)
	for name, k := range map[string]struct {
		opset  int
		n      *ir.Node
		scales []float32
	}{
		"upsample":          {9, &ir.Node{Op: "Upsample"}, []float32{1, 1, 2, 3}},
		"linear upsample":   {9, &ir.Node{Op: "Upsample", Attrs: attrs("mode", "linear")}, []float32{1, 1, 2, 1.5}},
		"enlarge":           {10, &ir.Node{Op: "Resize"}, []float32{1, 1, 1.5, 2.5}},
		"reduce":            {10, &ir.Node{Op: "Resize"}, []float32{1, 1, 0.6, 0.4}},
		"linear":            {10, &ir.Node{Op: "Resize", Attrs: attrs("mode", "linear")}, []float32{1, 1, 0.6, 1.4}},
		"half pixel, floor": {11, &ir.Node{Op: "Resize", Attrs: attrs("coordinate_transformation_mode", "tf_half_pixel_for_nn", "nearest_mode", "floor")}, []float32{1, 1, 0.5, 2}},
	} {
		m := oneNode(k.opset, k.n, 1, x)
		v := ir.NewConst("scales", vector(k.scales...))
		if k.opset >= 11 {
			roi := ir.NewConst("roi", tensor.New(tensor.Float32, 0))
			m.Graph.Consts = append(m.Graph.Consts, roi)
			k.n.In = append(k.n.In, roi)
		}
		k.n.In = append(k.n.In, v)
		m.Graph.Consts = append(m.Graph.Consts, v)
		m.Graph.Bind()
		sameRaised(t, name, m, x)
	}
}

func TestIdentityGridSamplesTheImage(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 6))
	theta := tensor.Of([]int{1, 3, 4}, []float64{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0})
	x := noise(r, 1, 2, 3, 4, 5)
	for _, corners := range []int{0, 1} {
		a := attrs("align_corners", corners)
		grid := must(t, 20, &ir.Node{Op: "AffineGrid", Attrs: a}, 1, theta, vector[int64](1, 2, 3, 4, 5))[0]
		for _, mode := range []string{"linear", "nearest", "cubic"} {
			n := &ir.Node{Op: "GridSample", Attrs: append(attrs("mode", mode), a...)}
			near(t, mode, must(t, 20, n, 1, x, grid)[0], x, 1e-12)
		}
	}
	// Beyond the edge, per padding mode: x = -1.25 is half an element outside.
	line := tensor.Of([]int{1, 1, 1, 4}, []float64{1, 2, 3, 4})
	point := tensor.Of([]int{1, 1, 1, 2}, []float64{-1.25, 0})
	for padding, want := range map[string]float64{"zeros": 0, "border": 1, "reflection": 1} {
		n := &ir.Node{Op: "GridSample", Attrs: attrs("padding_mode", padding)}
		near(t, padding, must(t, 20, n, 1, line, point)[0], tensor.Of([]int{1, 1, 1, 1}, []float64{want}), 1e-12)
	}
}

func TestCol2ImCountsOverlaps(t *testing.T) {
	// Columns of ones give, in every pixel, the number of blocks over it.
	got := must(t, 18, &ir.Node{Op: "Col2Im"}, 1, constant(1, 1, 4, 4), vector[int64](3, 3), vector[int64](2, 2))[0]
	near(t, "overlaps", got, tensor.Of([]int{1, 1, 3, 3}, []float64{1, 2, 1, 2, 4, 2, 1, 2, 1}), 0)
}

func TestBoxesAreSelectedByScore(t *testing.T) {
	boxes := tensor.Of([]int{1, 4, 4}, []float32{0, 0, 2, 2, 2, 2, 0.1, 0, 5, 5, 7, 7, 0, 0, 2, 2})
	scores := tensor.Of([]int{1, 1, 4}, []float32{0.5, 0.9, 0.2, 0.9})
	run := func(limit int64, overlap, least float32) *tensor.Tensor {
		return must(t, 11, &ir.Node{Op: "NonMaxSuppression"}, 1, boxes, scores, vector(limit), vector(overlap), vector(least))[0]
	}
	near(t, "all", run(9, 0.5, 0), tensor.Of([]int{2, 3}, []int64{0, 0, 1, 0, 0, 2}), 0)
	near(t, "score", run(9, 0.5, 0.3), tensor.Of([]int{1, 3}, []int64{0, 0, 1}), 0)
	near(t, "limit", run(1, 1, 0), tensor.Of([]int{1, 3}, []int64{0, 0, 1}), 0)
	near(t, "overlap allowed", run(9, 0.99, 0.3), tensor.Of([]int{2, 3}, []int64{0, 0, 1, 0, 0, 3}), 0)
}

func TestFourierTransforms(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 6))
	for _, n := range []int{1, 2, 7, 12, 30, 64} {
		x := noise(r, 2, n, 3, 2)
		run := func(x *tensor.Tensor, length any, more ...any) *tensor.Tensor {
			return must(t, 20, &ir.Node{Op: "DFT", Attrs: attrs(more...)}, 1, x, length, tensor.Scalar(int64(1)))[0]
		}
		y := run(x, nil)
		k, o, i := n/3, 1, 2
		var re, im float64
		for s := range n {
			a := -2 * math.Pi * float64(k*s) / float64(n)
			re += at(x, o, s, i, 0)*math.Cos(a) - at(x, o, s, i, 1)*math.Sin(a)
			im += at(x, o, s, i, 0)*math.Sin(a) + at(x, o, s, i, 1)*math.Cos(a)
		}
		if math.Hypot(re-at(y, o, k, i, 0), im-at(y, o, k, i, 1)) > 1e-9 {
			t.Fatalf("length %d: got %v %v, want %v %v", n, at(y, o, k, i, 0), at(y, o, k, i, 1), re, im)
		}
		near(t, "inverse", run(y, nil, "inverse", 1), x, 1e-9)
		signal := noise(r, 2, n, 3, 1)
		half := run(signal, nil, "onesided", 1)
		near(t, "real signal", run(half, tensor.Scalar(int64(n)), "onesided", 1, "inverse", 1), signal, 1e-9)
	}
	signal, window := noise(r, 1, 10, 1), noise(r, 4)
	frames := must(t, 17, &ir.Node{Op: "STFT"}, 1, signal, tensor.Scalar(int64(3)), window, tensor.Scalar(int64(4)))[0]
	part := tensor.New(tensor.Float64, 1, 4, 1)
	for i := range 4 {
		tensor.Data[float64](part)[i] = at(signal, 0, 6+i, 0) * at(window, i)
	}
	want := must(t, 20, &ir.Node{Op: "DFT", Attrs: attrs("onesided", 1)}, 1, part)[0]
	got := must(t, 13, &ir.Node{Op: "Gather", Attrs: attrs("axis", 1)}, 1, frames, vector[int64](2))[0]
	near(t, "frame", got.Reshape(1, 3, 2), want, 1e-12)
}
