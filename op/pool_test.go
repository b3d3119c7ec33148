package op_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func TestPoolingIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := noise(r, 2, 3, 7, 8)
	for _, p := range []struct {
		kernel, stride, dilation, pads []int
		ceil                           int
	}{
		{[]int{2, 2}, []int{2, 2}, []int{1, 1}, []int{0, 0, 0, 0}, 0},
		{[]int{3, 2}, []int{2, 3}, []int{1, 2}, []int{1, 1, 2, 1}, 0},
		{[]int{3, 3}, []int{2, 3}, []int{1, 1}, []int{1, 0, 0, 1}, 1},
	} {
		base := attrs("kernel_shape", p.kernel, "strides", p.stride, "dilations", p.dilation, "pads", p.pads, "ceil_mode", p.ceil)
		with := func(more ...any) []ir.Attr { return append(attrs(more...), base...) }
		best := must(t, 22, &ir.Node{Op: "MaxPool", Attrs: base}, 2, x)
		mean := must(t, 22, &ir.Node{Op: "AveragePool", Attrs: base}, 1, x)[0]
		padded := must(t, 22, &ir.Node{Op: "AveragePool", Attrs: with("count_include_pad", 1)}, 1, x)[0]
		length := must(t, 22, &ir.Node{Op: "LpPool", Attrs: with("p", 3)}, 1, x)[0]
		shape := mean.Shape
		for i, got := range tensor.Float64s(mean) {
			plane, oy, ox := i/(shape[2]*shape[3]), i/shape[3]%shape[2], i%shape[3]
			top, sum, cube, inside, within := math.Inf(-1), 0.0, 0.0, 0.0, 0.0
			from := int64(-1)
			for ky := range p.kernel[0] {
				for kx := range p.kernel[1] {
					y, z := oy*p.stride[0]-p.pads[0]+ky*p.dilation[0], ox*p.stride[1]-p.pads[1]+kx*p.dilation[1]
					if y < 7+p.pads[2] && z < 8+p.pads[3] {
						within++
					}
					if y < 0 || y >= 7 || z < 0 || z >= 8 {
						continue
					}
					v := tensor.Float64s(x)[(plane*7+y)*8+z]
					inside++
					sum += v
					cube += math.Pow(math.Abs(v), 3)
					if v > top {
						top, from = v, int64((plane*7+y)*8+z)
					}
				}
			}
			for what, pair := range map[string][2]float64{
				"mean": {got, sum / inside}, "mean with padding": {tensor.Float64s(padded)[i], sum / within},
				"norm": {tensor.Float64s(length)[i], math.Cbrt(cube)}, "largest": {tensor.Float64s(best[0])[i], top},
				"index": {float64(tensor.Data[int64](best[1])[i]), float64(from)},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-12 {
					t.Fatalf("%v: %s of window %d is %v, want %v", p, what, i, pair[0], pair[1])
				}
			}
		}
	}
}

func TestMaxUnpoolRestoresWhatMaxPoolKept(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := noise(r, 2, 3, 6, 8)
	a := attrs("kernel_shape", []int{2, 2}, "strides", []int{2, 2})
	pooled := must(t, 22, &ir.Node{Op: "MaxPool", Attrs: a}, 2, x)
	back := must(t, 22, &ir.Node{Op: "MaxUnpool", Attrs: a}, 1, pooled[0], pooled[1])[0]
	kept := 0
	for i, v := range tensor.Float64s(back) {
		if v != 0 && v != tensor.Float64s(x)[i] {
			t.Fatalf("element %d is %v, was %v", i, v, tensor.Float64s(x)[i])
		}
		if v != 0 {
			kept++
		}
	}
	if kept != pooled[0].Len() {
		t.Errorf("%d elements came back of %d", kept, pooled[0].Len())
	}
	// In column-major order the first spatial axis runs fastest.
	column := must(t, 22, &ir.Node{Op: "MaxPool", Attrs: append(attrs("storage_order", 1), a...)}, 2, x)[1]
	for i, at := range tensor.Data[int64](pooled[1]) {
		plane, y, z := at/48, at%48/8, at%8
		if got := tensor.Data[int64](column)[i]; got != plane*48+z*6+y {
			t.Fatalf("column-major index %d, want %d", got, plane*48+z*6+y)
		}
	}
}

func TestMaxPoolOfBytes(t *testing.T) {
	x := tensor.Of([]int{1, 1, 1, 4}, []int8{-128, -3, 7, -9})
	got := must(t, 12, &ir.Node{Op: "MaxPool", Attrs: attrs("kernel_shape", []int{1, 2})}, 1, x)[0]
	if got.Type != tensor.Int8 {
		t.Fatalf("got %v", got)
	}
	near(t, "bytes", got, tensor.Of([]int{1, 1, 1, 3}, []int8{-3, 7, 7}), 0)
}

func TestRegionsOfAPlane(t *testing.T) {
	// On a plane, bilinear sampling is exact and a mean is the value at the middle.
	x := tensor.New(tensor.Float64, 1, 1, 16, 16)
	for i := range tensor.Data[float64](x) {
		tensor.Data[float64](x)[i] = 3*float64(i/16) + float64(i%16)
	}
	rois := tensor.Of([]int{1, 4}, []float64{2, 4, 6, 12})
	n := &ir.Node{Op: "RoiAlign", Attrs: attrs("output_height", 2, "output_width", 2, "sampling_ratio", 2)}
	got := must(t, 16, n, 1, x, rois, vector(int64(0)))[0]
	want := []float64{}
	for _, y := range []float64{4 - 0.5 + 2, 4 - 0.5 + 6} {
		for _, z := range []float64{2 - 0.5 + 1, 2 - 0.5 + 3} {
			want = append(want, 3*y+z)
		}
	}
	near(t, "RoiAlign", got, tensor.Of([]int{1, 1, 2, 2}, want), 1e-12)
	n = &ir.Node{Op: "MaxRoiPool", Attrs: attrs("pooled_shape", []int{1, 1})}
	got = must(t, 22, n, 1, x, tensor.Of([]int{1, 5}, []float64{0, 2, 4, 6, 12}))[0]
	near(t, "MaxRoiPool", got, tensor.Of([]int{1, 1, 1, 1}, []float64{3*12 + 6}), 0)
}

// TestBadOperandsAreRefused expects an error that is no panic of a reference.
func TestBadOperandsAreRefused(t *testing.T) {
	f := func(shape ...int) *tensor.Tensor { return tensor.New(tensor.Float32, shape...) }
	for name, k := range map[string]struct {
		n  *ir.Node
		in []op.Val
	}{
		"channels":        {&ir.Node{Op: "Conv"}, []op.Val{f(1, 3, 5, 5), f(2, 2, 3, 3)}},
		"kernel too big":  {&ir.Node{Op: "Conv"}, []op.Val{f(1, 2, 2, 2), f(2, 2, 3, 3)}},
		"strides":         {&ir.Node{Op: "Conv", Attrs: attrs("strides", []int{1})}, []op.Val{f(1, 2, 5, 5), f(2, 2, 3, 3)}},
		"zero stride":     {&ir.Node{Op: "Conv", Attrs: attrs("strides", []int{0, 1})}, []op.Val{f(1, 2, 5, 5), f(2, 2, 3, 3)}},
		"absurd padding":  {&ir.Node{Op: "MaxPool", Attrs: attrs("kernel_shape", []int{1, 1}, "pads", []int{1 << 40, 0, 0, 0})}, []op.Val{f(1, 2, 5, 5)}},
		"absurd kernel":   {&ir.Node{Op: "MaxPool", Attrs: attrs("kernel_shape", []int{1 << 30, 1 << 30}, "pads", []int{1 << 30, 1 << 30, 0, 0})}, []op.Val{f(1, 2, 5, 5)}},
		"strings":         {&ir.Node{Op: "Conv"}, []op.Val{tensor.OfStrings([]int{1, 1, 1}, []string{""}), f(1, 1, 1)}},
		"absurd resize":   {&ir.Node{Op: "Resize"}, []op.Val{f(1, 2), nil, vector[float32](1e30, 1e30)}},
		"absurd upsizing": {&ir.Node{Op: "Resize"}, []op.Val{f(1, 2), nil, nil, vector[int64](1<<31-1, 1<<31-1)}},
		"group":           {&ir.Node{Op: "GroupNormalization", Attrs: attrs("num_groups", 2)}, []op.Val{f(1, 3, 2), f(3), f(3)}},
		"target":          {&ir.Node{Op: "NegativeLogLikelihoodLoss"}, []op.Val{f(2, 3), vector[int64](0, 3)}},
		"index":           {&ir.Node{Op: "MaxUnpool", Attrs: attrs("kernel_shape", []int{1})}, []op.Val{f(1, 1, 2), tensor.Of([]int{1, 1, 2}, []int64{0, 9})}},
		"heads":           {&ir.Node{Op: "Attention", Attrs: attrs("q_num_heads", 3, "kv_num_heads", 3)}, []op.Val{f(1, 2, 4), f(1, 2, 4), f(1, 2, 4)}},
		"position":        {&ir.Node{Op: "RotaryEmbedding"}, []op.Val{f(1, 1, 1, 2), f(3, 1), f(3, 1), tensor.Of([]int{1, 1}, []int64{3})}},
		"transform":       {&ir.Node{Op: "DFT"}, []op.Val{f(1, 4, 1), tensor.Scalar(int64(1 << 40))}},
		"batch":           {&ir.Node{Op: "RoiAlign"}, []op.Val{f(1, 1, 2, 2), f(1, 4), vector(int64(7))}},
	} {
		_, err := evaluate(24, k.n, 1, k.in...)
		var panicked *op.PanicError
		if err == nil {
			t.Errorf("%s: not refused", name)
		} else if asPanic(err, &panicked) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func asPanic(err error, to **op.PanicError) bool { return errors.As(err, to) }
