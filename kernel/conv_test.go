package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pare/internal/guard"
	"pare/kernel"
)

// convCases hold every feature of ConvShape at sizes that leave tails.
var convCases = []kernel.ConvShape{
	{N: 1, H: 8, W: 8, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 32},
	{N: 2, H: 7, W: 7, C: 33, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 47},
	{N: 1, H: 9, W: 5, C: 5, KH: 1, KW: 1, O: 70},
	{N: 2, H: 9, W: 11, C: 8, KH: 1, KW: 1, StrideH: 2, StrideW: 2, O: 16},
	{N: 1, H: 23, W: 21, C: 3, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadT: 3, PadL: 3, PadB: 3, PadR: 3, O: 64},
	{N: 1, H: 12, W: 13, C: 6, KH: 3, KW: 2, O: 9},
	{N: 3, H: 6, W: 6, C: 4, KH: 3, KW: 3, StrideH: 2, StrideW: 1, PadT: 0, PadL: 1, PadB: 1, PadR: 0, O: 1},
	{N: 1, H: 11, W: 10, C: 7, KH: 3, KW: 3, DilH: 2, DilW: 3, PadT: 2, PadL: 3, PadB: 2, PadR: 3, O: 19},
	{N: 2, H: 10, W: 9, C: 12, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 3, O: 51},
	{N: 1, H: 6, W: 5, C: 8, KH: 3, KW: 3, Groups: 2, O: 4},
	{N: 1, H: 5, W: 6, C: 6, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 6, O: 12},
	{N: 1, H: 3, W: 3, C: 301, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 24},
	{N: 2, H: 8, W: 7, C: 10, KH: 3, KW: 3, O: 21, SrcStride: 13, DstStride: 40, ResStride: 25},
	{N: 2, H: 8, W: 7, C: 10, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 8, SrcStride: 13, DstStride: 9},
	{N: 1, H: 40, W: 70, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 16},
	{N: 5, H: 4, W: 4, C: 64, KH: 1, KW: 1, O: 10},
	{N: 1, H: 1, W: 1, C: 1200, KH: 1, KW: 1, O: 100},
	{N: 1, H: 4, W: 4, C: 2, KH: 3, KW: 3, PadT: 4, PadL: 4, PadB: 4, PadR: 4, O: 3},
	{N: 4, H: 14, W: 14, C: 96, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 40},
}

func defaults(s kernel.ConvShape) kernel.ConvShape {
	for _, v := range []*int{&s.StrideH, &s.StrideW, &s.DilH, &s.DilW, &s.Groups} {
		*v = max(1, *v)
	}
	for v, d := range map[*int]int{&s.SrcStride: s.C, &s.DstStride: s.O, &s.ResStride: s.O} {
		if *v == 0 {
			*v = d
		}
	}
	return s
}

// convRef is the obvious convolution, in float64, before the epilogue.
func convRef(s kernel.ConvShape, src, w []float32) []float64 {
	cg, og := s.C/s.Groups, s.O/s.Groups
	var out []float64
	for n := range s.N {
		for oy := range s.OH() {
			for ox := range s.OW() {
				for o := range s.O {
					sum := 0.0
					for ky := range s.KH {
						for kx := range s.KW {
							y, x := oy*s.StrideH-s.PadT+ky*s.DilH, ox*s.StrideW-s.PadL+kx*s.DilW
							if y < 0 || y >= s.H || x < 0 || x >= s.W {
								continue
							}
							for c := range cg {
								sum += float64(src[((n*s.H+y)*s.W+x)*s.SrcStride+o/og*cg+c]) *
									float64(w[((o*cg+c)*s.KH+ky)*s.KW+kx])
							}
						}
					}
					out = append(out, sum)
				}
			}
		}
	}
	return out
}

// extent is the size of pixels of c channels, stride apart, without the gap
// behind the last.
func extent(pixels, c, stride int) int { return (pixels-1)*stride + c }

func TestConv(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		kernel.CoverTile()
		for i, s := range convCases {
			t.Run(fmt.Sprint(i), func(t *testing.T) { testConv(t, s) })
		}
	})
}

func testConv(t *testing.T, s kernel.ConvShape) {
	r := random(1)
	full := defaults(s)
	pixels := s.N * s.OH() * s.OW()
	src := floats(t, r, extent(s.N*s.H*s.W, s.C, full.SrcStride))
	w := floats(t, r, s.O*s.C/full.Groups*s.KH*s.KW)
	bias := floats(t, r, s.O)
	res := floats(t, r, extent(pixels, s.O, full.ResStride))
	sums := convRef(full, src, w)
	weights, err := kernel.PackConv(s, w)
	if err != nil {
		t.Fatal(err)
	}
	conv, err := kernel.NewConv(s)
	if err != nil {
		t.Fatal(err)
	}
	scratch := guard.Tail[float32](t, conv.ScratchFloats())
	for name, ep := range map[string]kernel.Epilogue{
		"plain": {}, "bias": {Bias: bias}, "residual": {Residual: res},
		"all": {Bias: bias, Residual: res, Lo: -0.5, Hi: 0.75}, "relu": kernel.Relu(bias), "silu": {Bias: bias, Lo: -0.5, Hi: 4, Act: kernel.SiLU.Run},
	} {
		dst := guard.Tail[float32](t, extent(pixels, s.O, full.DstStride))
		for i := range dst {
			dst[i] = 99
		}
		for task := conv.Tasks() - 1; task >= 0; task-- {
			conv.Run(task, dst, src, weights, &ep, scratch)
		}
		checkPixels(t, name, dst, sums, &ep, s.C*s.KH*s.KW, s.O, full.DstStride, full.ResStride)
	}
	// The residual may be the destination itself.
	if full.DstStride == full.ResStride {
		dst := guard.Tail[float32](t, len(res))
		copy(dst, res)
		ep := kernel.Epilogue{Bias: bias, Residual: dst}
		for task := range conv.Tasks() {
			conv.Run(task, dst, src, weights, &ep, scratch)
		}
		ep.Residual = res
		checkPixels(t, "in place", dst, sums, &ep, s.C*s.KH*s.KW, s.O, full.DstStride, full.ResStride)
	}
}

// TestGatedConv: gates are as good as a source that was multiplied before.
func TestGatedConv(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for i, s := range convCases {
			if s.KH*s.KW > 1 {
				if _, err := kernel.NewGatedConv(s); err == nil {
					t.Errorf("case %d: gates of %dx%d are accepted", i, s.KH, s.KW)
				}
				continue
			}
			r, full := random(1), defaults(s)
			src := floats(t, r, extent(s.N*s.H*s.W, s.C, full.SrcStride))
			gate, w := floats(t, r, s.N*s.C), floats(t, r, s.O*s.C)
			times := slices.Clone(src)
			for j := range times {
				if c := j % full.SrcStride; c < s.C {
					times[j] *= gate[j/full.SrcStride/(s.H*s.W)*s.C+c]
				}
			}
			weights, err := kernel.PackConv(s, w)
			if err != nil {
				t.Fatal(err)
			}
			conv, err := kernel.NewGatedConv(s)
			if err != nil {
				t.Fatal(err)
			}
			dst, ep := guard.Tail[float32](t, extent(s.N*s.OH()*s.OW(), s.O, full.DstStride)), kernel.Epilogue{}
			scratch := guard.Tail[float32](t, conv.ScratchFloats())
			for task := range conv.Tasks() {
				conv.RunGated(task, dst, src, gate, weights, &ep, scratch)
			}
			checkPixels(t, fmt.Sprint("gates ", i), dst, convRef(full, times, w), &ep, s.C, s.O, full.DstStride, full.ResStride)
		}
	})
}

// checkPixels applies the epilogue to sums and compares, gaps included.
func checkPixels(t *testing.T, name string, dst []float32, sums []float64, ep *kernel.Epilogue, k, o, stride, resStride int) {
	t.Helper()
	tol := 3e-6 * math.Sqrt(float64(k)+1) // products of values below 1
	var got []float32
	var want []float64
	for i, v := range dst {
		p, c := i/stride, i%stride
		if c >= o {
			if v != 99 {
				t.Fatalf("%s: channel %d of pixel %d, outside the destination, became %v", name, c, p, v)
			}
			continue
		}
		y := sums[p*o+c]
		if ep.Bias != nil {
			y += float64(ep.Bias[c])
		}
		if ep.Residual != nil {
			y += float64(ep.Residual[p*resStride+c])
		}
		if ep.Lo < ep.Hi {
			y = math.Min(math.Max(y, float64(ep.Lo)), float64(ep.Hi))
		}
		y = acted(ep, y)
		got, want = append(got, v), append(want, y)
	}
	near(t, name, got, want, tol)
}

// acted is the function of an epilogue of one number.
func acted(ep *kernel.Epilogue, y float64) float64 {
	if ep.Act == nil {
		return y
	}
	x := []float32{float32(y)}
	ep.Act(x, x)
	return float64(x[0])
}

func TestConvRefusesNonsense(t *testing.T) {
	for name, s := range map[string]kernel.ConvShape{
		"no kernel":       {N: 1, H: 4, W: 4, C: 4, O: 4},
		"groups":          {N: 1, H: 4, W: 4, C: 4, O: 4, KH: 1, KW: 1, Groups: 3},
		"negative pad":    {N: 1, H: 4, W: 4, C: 4, O: 4, KH: 1, KW: 1, PadL: -1},
		"narrow stride":   {N: 1, H: 4, W: 4, C: 4, O: 4, KH: 1, KW: 1, DstStride: 3},
		"negative stride": {N: 1, H: 4, W: 4, C: 4, O: 4, KH: 1, KW: 1, StrideH: -1},
	} {
		if _, err := kernel.NewConv(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	s := kernel.ConvShape{N: 1, H: 4, W: 4, C: 4, O: 4, KH: 1, KW: 1}
	if _, err := kernel.PackConv(s, make([]float32, 15)); err == nil {
		t.Error("weights of the wrong size are accepted")
	}
}

// TestConvKeepsNaN: a clamp must not hide a NaN.
func TestConvKeepsNaN(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		s := kernel.ConvShape{N: 1, H: 1, W: 3, C: 4, KH: 1, KW: 1, O: 20}
		w, _ := kernel.PackConv(s, make([]float32, 80))
		conv, err := kernel.NewConv(s)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := make([]float32, 12), make([]float32, 60)
		src[5] = float32(math.NaN())
		ep := kernel.Relu(nil)
		conv.Run(0, dst, src, w, &ep, make([]float32, conv.ScratchFloats()))
		for i, v := range dst {
			if isNaN := v != v; isNaN != (i/20 == 1) {
				t.Fatalf("element %d is %v", i, v)
			}
		}
	})
}
