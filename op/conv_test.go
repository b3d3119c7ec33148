package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// noise is a tensor of normal numbers.
func noise(r *rand.Rand, shape ...int) *tensor.Tensor {
	t := tensor.New(tensor.Float64, shape...)
	for i := range tensor.Data[float64](t) {
		tensor.Data[float64](t)[i] = r.NormFloat64()
	}
	return t
}

// must evaluates one node and returns its results as tensors.
func must(t *testing.T, opset int, n *ir.Node, results int, operands ...op.Val) []*tensor.Tensor {
	t.Helper()
	out, err := evaluate(opset, n, results, operands...)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]*tensor.Tensor, len(out))
	for i, x := range out {
		list[i] = x.(*tensor.Tensor)
	}
	return list
}

// near demands the same shape and numbers up to tol.
func near(t *testing.T, what string, got, want *tensor.Tensor, tol float64) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	g, w := tensor.Float64s(got), tensor.Float64s(want)
	for i := range g {
		if !(math.Abs(g[i]-w[i]) <= tol*(1+math.Abs(w[i]))) {
			t.Fatalf("%s: element %d of %v: got %v, want %v", what, i, got, g[i], w[i])
		}
	}
}

// at reads an element, 0 outside.
func at(x *tensor.Tensor, pos ...int) float64 {
	index := 0
	for i, p := range pos {
		if p < 0 || p >= x.Shape[i] {
			return 0
		}
		index = index*x.Shape[i] + p
	}
	return tensor.Float64s(x)[index]
}

// convCase is a two-dimensional convolution with everything that one can have.
type convCase struct {
	group, sy, sx, dy, dx int
	pads                  []int
}

var convCases = []convCase{
	{1, 1, 1, 1, 1, []int{0, 0, 0, 0}},
	{2, 2, 1, 1, 2, []int{1, 0, 2, 1}},
	{4, 1, 3, 2, 1, []int{2, 2, 0, 1}},
	{1, 3, 2, 2, 2, []int{4, 4, 4, 4}},
}

// direct is the definition of convolution.
func (k convCase) direct(x, w, b *tensor.Tensor, shape []int) *tensor.Tensor {
	y := tensor.New(tensor.Float64, shape...)
	per := w.Shape[0] / k.group
	for i := range tensor.Data[float64](y) {
		ox, oy, m, n := i%shape[3], i/shape[3]%shape[2], i/(shape[3]*shape[2])%shape[1], i/(shape[3]*shape[2]*shape[1])
		sum := at(b, m)
		for c := range w.Shape[1] {
			for ky := range w.Shape[2] {
				for kx := range w.Shape[3] {
					sum += at(w, m, c, ky, kx) *
						at(x, n, m/per*w.Shape[1]+c, oy*k.sy-k.pads[0]+ky*k.dy, ox*k.sx-k.pads[1]+kx*k.dx)
				}
			}
		}
		tensor.Data[float64](y)[i] = sum
	}
	return y
}

func (k convCase) attrs() []ir.Attr {
	return attrs("group", k.group, "strides", []int{k.sy, k.sx}, "dilations", []int{k.dy, k.dx}, "pads", k.pads)
}

func TestConvIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, k := range convCases {
		x, w, b := noise(r, 2, 4, 7, 8), noise(r, 8, 4/k.group, 3, 2), noise(r, 8)
		got := must(t, 22, &ir.Node{Op: "Conv", Attrs: k.attrs()}, 1, x, w, b)[0]
		near(t, fmt.Sprint(k), got, k.direct(x, w, b, got.Shape), 1e-12)

		half := func(x *tensor.Tensor) *tensor.Tensor {
			y, err := tensor.Convert(x, tensor.Float16, tensor.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return y
		}
		got = must(t, 22, &ir.Node{Op: "Conv", Attrs: k.attrs()}, 1, half(x), half(w), half(b))[0]
		want := half(k.direct(half(x), half(w), half(b), got.Shape))
		if got.Type != tensor.Float16 {
			t.Fatalf("half-precision convolution gives %v", got)
		}
		near(t, "rounded once", got, want, 1e-3)

		// The transposed convolution is the adjoint: <conv(x), y> = <x, convT(y)>.
		plain := must(t, 22, &ir.Node{Op: "Conv", Attrs: k.attrs()}, 1, x, w)[0]
		y := noise(r, plain.Shape...)
		full := must(t, 22, &ir.Node{Op: "ConvTranspose", Attrs: append(k.attrs(), ir.IntsAttr("output_shape", 7, 8))}, 1, y, w)[0]
		if !slices.Equal(full.Shape, x.Shape) {
			t.Fatalf("transposed convolution gives %v, want the shape %v", full, x.Shape)
		}
		extra := []int{7 - (k.sy*(y.Shape[2]-1) + 2*k.dy + 1 - k.pads[0] - k.pads[2]), 8 - (k.sx*(y.Shape[3]-1) + k.dx + 1 - k.pads[1] - k.pads[3])}
		back := must(t, 22, &ir.Node{Op: "ConvTranspose", Attrs: append(k.attrs(), ir.IntsAttr("output_padding", extra...))}, 1, y, w)[0]
		near(t, "adjoint", vector(inner(x, back)), vector(inner(plain, y)), 1e-12)
	}
}

func inner(a, b *tensor.Tensor) float64 {
	var sum float64
	for i, v := range tensor.Float64s(a) {
		sum += v * tensor.Float64s(b)[i]
	}
	return sum
}

func TestQuantisedConvIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	k := convCases[1]
	x, w := tensor.New(tensor.Uint8, 1, 4, 7, 8), tensor.New(tensor.Int8, 8, 2, 3, 2)
	for _, b := range [][]byte{x.Bytes(), w.Bytes()} {
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
	}
	xs, xz, wz := tensor.Of([]int{1, 4, 7, 8}, tensor.Float64s(x)), uint8(131), int8(-5)
	ws := tensor.Of([]int{8, 2, 3, 2}, tensor.Float64s(w))
	for i := range tensor.Data[float64](xs) {
		tensor.Data[float64](xs)[i] -= float64(xz)
	}
	for i := range tensor.Data[float64](ws) {
		tensor.Data[float64](ws)[i] -= float64(wz)
	}
	n := &ir.Node{Op: "ConvInteger", Attrs: k.attrs()}
	sums := must(t, 22, n, 1, x, w, tensor.Scalar(xz), tensor.Scalar(wz))[0]
	near(t, "ConvInteger", sums, k.direct(xs, ws, tensor.New(tensor.Float64, 8), sums.Shape), 0)

	bias := vector[int32](0, 1000, -1000, 5, 0, 0, 70000, -70000)
	scales := vector[float32](0.5, 0.25, 1, 2, 0.125, 0.5, 0.5, 0.5)
	n = &ir.Node{Op: "QLinearConv", Attrs: k.attrs()}
	wzs := vector(wz, wz, wz, wz, wz, wz, wz, wz)
	got := must(t, 22, n, 1, x, tensor.Scalar(float32(0.5)), tensor.Scalar(xz), w, scales, wzs, tensor.Scalar(float32(256)), tensor.Scalar(uint8(100)), bias)[0]
	plane := tensor.Len(sums.Shape[2:])
	for i, sum := range tensor.Data[int32](sums) {
		m := i / plane
		real := float64(sum+tensor.Data[int32](bias)[m]) * 0.5 * float64(tensor.Data[float32](scales)[m]) / 256
		want := min(max(math.RoundToEven(real)+100, 0), 255)
		if g := tensor.Data[uint8](got)[i]; float64(g) != want {
			t.Fatalf("QLinearConv element %d: %d, want %v", i, g, want)
		}
	}
}

func TestConvPadsItself(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	x, w := noise(r, 1, 1, 6, 7), noise(r, 1, 1, 3, 4)
	for auto, pads := range map[string][]int{
		"VALID": {0, 0, 0, 0}, "SAME_UPPER": {0, 1, 1, 2}, "SAME_LOWER": {1, 2, 0, 1},
	} {
		own := must(t, 22, &ir.Node{Op: "Conv", Attrs: attrs("auto_pad", auto, "strides", []int{2, 1})}, 1, x, w)[0]
		given := must(t, 22, &ir.Node{Op: "Conv", Attrs: attrs("pads", pads, "strides", []int{2, 1})}, 1, x, w)[0]
		near(t, auto, own, given, 0)
	}
}

func TestDeformConvWithoutOffsetsIsConv(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	k := convCases[1]
	x, w, b := noise(r, 2, 4, 7, 8), noise(r, 8, 2, 3, 2), noise(r, 8)
	want := must(t, 22, &ir.Node{Op: "Conv", Attrs: k.attrs()}, 1, x, w, b)[0]
	offset := tensor.New(tensor.Float64, 2, 2*6*2, want.Shape[2], want.Shape[3])
	list := append(k.attrs(), attrs("offset_group", 2)...)
	node := func() *ir.Node { return &ir.Node{Op: "DeformConv", Attrs: list} }
	near(t, "no offset", must(t, 22, node(), 1, x, w, offset, b)[0], want, 1e-12)
	// Shifting every sample by one row is convolution of a shifted image.
	for i := range tensor.Data[float64](offset) {
		if i/(want.Shape[2]*want.Shape[3])%2 == 0 {
			tensor.Data[float64](offset)[i] = 1
		}
	}
	k.pads = []int{k.pads[0] - 1, k.pads[1], k.pads[2] + 1, k.pads[3]}
	shifted := k.direct(x, w, b, want.Shape)
	near(t, "offset by a row", must(t, 22, node(), 1, x, w, offset, b)[0], shifted, 1e-12)
}

func TestCausalConvCarriesItsState(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	x, w, b := noise(r, 2, 3, 9), noise(r, 3, 1, 4), noise(r, 3)
	node := func() *ir.Node { return &ir.Node{Op: "CausalConvWithState", Attrs: attrs("activation", "silu")} }
	whole := must(t, 27, node(), 2, x, w, b)
	cut := func(from, to int) *tensor.Tensor {
		return must(t, 18, &ir.Node{Op: "Slice"}, 1, x, vector(int64(from)), vector(int64(to)), vector(int64(2)))[0]
	}
	first := must(t, 27, node(), 2, cut(0, 2), w, b)
	second := must(t, 27, node(), 2, cut(2, 9), w, b, first[1])
	joined := must(t, 18, &ir.Node{Op: "Concat", Attrs: attrs("axis", 2)}, 1, first[0], second[0])[0]
	near(t, "in two parts", joined, whole[0], 1e-12)
	near(t, "state", second[1], whole[1], 0)
}
