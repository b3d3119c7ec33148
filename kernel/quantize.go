package kernel

import "math"

// Scale is an affine 8-bit (or narrower) number format: x ≈ (q-Zero)·Step with
// Lo ≤ q ≤ Hi. Formats of uint8 have Lo 0, Hi 255; of int8 -128, 127; narrower
// ones are legal.
type Scale struct {
	Step         float32
	Zero, Lo, Hi int32
}

// Scales gives every channel of the last axis a Scale. Build it once with
// NewScales.
type Scales struct {
	step, zero, lo, hi []float32 // lo and hi less zero
}

// NewScales prepares per-channel scales.
func NewScales(s []Scale) *Scales {
	n := len(s)
	c := &Scales{make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)}
	for i, s := range s {
		c.Set(i, s)
	}
	return c
}

// Set changes the scale of channel i.
func (c *Scales) Set(i int, s Scale) {
	c.step[i], c.zero[i] = s.Step, float32(s.Zero)
	c.lo[i], c.hi[i] = float32(s.Lo-s.Zero), float32(s.Hi-s.Zero)
}

// Channels is the number of channels.
func (c *Scales) Channels() int { return len(c.step) }

type (
	// quantizeLoop writes one byte per element. With one channel that scale
	// holds throughout, else channel i belongs to element i.
	quantizeLoop   func(dst []uint8, src []float32, c *Scales)
	dequantizeLoop func(dst []float32, src []uint8, c *Scales)
	fakeLoop       func(dst, src []float32, c *Scales)
)

// All rows of these tables give the same bits: saturate(round(x/step)+zero)
// with a float32 division, ties to even. NaN becomes Lo.
var (
	quantizeLoops = append(archQuantize, impl[quantizeLoop]{"f32u8_1_go", 0, quantizeGo})
	fakeLoops     = append(archFake, impl[fakeLoop]{"f32f32_1_go", 0, fakeGo})
	dequantU8     = append(archDequantU8, impl[dequantizeLoop]{"u8f32_1_go", 0, dequantizeU8Go})
	dequantS8     = append(archDequantS8, impl[dequantizeLoop]{"s8f32_1_go", 0, dequantizeS8Go})
)

// QuantizeU8 is ONNX QuantizeLinear to uint8 with channels on the last axis;
// len(dst) is a multiple of the number of channels (one channel: per tensor).
func QuantizeU8(dst []uint8, src []float32, c *Scales) {
	loop := pick(quantizeLoops)
	eachRow(len(dst), c, func(i, j int) { loop(dst[i:j], src[i:j], c) })
}

// QuantizeS8 is QuantizeU8 to int8.
func QuantizeS8(dst []int8, src []float32, c *Scales) {
	QuantizeU8(bytesOf(dst), src, c)
}

// DequantizeU8 is ONNX DequantizeLinear, (q-zero)·step, with channels on the
// last axis.
func DequantizeU8(dst []float32, src []uint8, c *Scales) {
	loop := pick(dequantU8)
	eachRow(len(dst), c, func(i, j int) { loop(dst[i:j], src[i:j], c) })
}

// DequantizeS8 is DequantizeU8 for int8.
func DequantizeS8(dst []float32, src []int8, c *Scales) {
	loop, b := pick(dequantS8), bytesOf(src)
	eachRow(len(dst), c, func(i, j int) { loop(dst[i:j], b[i:j], c) })
}

// FakeQuantize computes Dequantize(Quantize(src)) in one pass; dst may be src.
// Zero never comes out negative.
func FakeQuantize(dst, src []float32, c *Scales) {
	loop := pick(fakeLoops)
	eachRow(len(dst), c, func(i, j int) { loop(dst[i:j], src[i:j], c) })
}

// eachRow calls f for the whole range, or channel row by channel row.
func eachRow(n int, c *Scales, f func(i, j int)) {
	ch := c.Channels()
	switch {
	case n == 0:
	case ch == 1:
		f(0, n)
	default:
		for i := 0; i < n; i += ch {
			f(i, i+ch)
		}
	}
}

// steps is the clamped, rounded quotient: q less the zero point.
func steps(x, step, lo, hi float32) float32 {
	v := x / step
	if !(v >= lo) {
		v = lo
	}
	if v > hi {
		v = hi
	}
	return float32(math.RoundToEven(float64(v)))
}

func (c *Scales) at(i int) int {
	if len(c.step) == 1 {
		return 0
	}
	return i
}

func quantizeGo(dst []uint8, src []float32, c *Scales) { quantizeFrom(0, dst, src, c) }

// quantizeFrom starts at element i, as others with its ending do.
func quantizeFrom(i int, dst []uint8, src []float32, c *Scales) {
	for ; i < len(dst); i++ {
		k := c.at(i)
		dst[i] = uint8(int32(steps(src[i], c.step[k], c.lo[k], c.hi[k]) + c.zero[k]))
	}
}

func fakeGo(dst, src []float32, c *Scales) {
	for i, x := range src {
		k := c.at(i)
		dst[i] = (steps(x, c.step[k], c.lo[k], c.hi[k]) + 0) * c.step[k]
	}
}

func dequantizeU8Go(dst []float32, src []uint8, c *Scales) { dequantizeU8From(0, dst, src, c) }

func dequantizeU8From(i int, dst []float32, src []uint8, c *Scales) {
	for ; i < len(dst); i++ {
		k := c.at(i)
		dst[i] = (float32(src[i]) - c.zero[k]) * c.step[k]
	}
}

func dequantizeS8Go(dst []float32, src []uint8, c *Scales) { dequantizeS8From(0, dst, src, c) }

func dequantizeS8From(i int, dst []float32, src []uint8, c *Scales) {
	for ; i < len(dst); i++ {
		k := c.at(i)
		dst[i] = (float32(int8(src[i])) - c.zero[k]) * c.step[k]
	}
}
