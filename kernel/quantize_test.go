package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/internal/guard"
)

// scaleOf makes channels of one kind of format.
func scaleOf(r *rand.Rand, channels int, signed bool) ([]Scale, *Scales) {
	var list []Scale
	for range channels {
		s := Scale{Step: 0.001 + r.Float32(), Zero: int32(r.IntN(256)), Lo: 0, Hi: 255}
		if signed {
			s.Lo, s.Hi, s.Zero = -128, 127, s.Zero-128
		}
		list = append(list, s)
	}
	return list, NewScales(list)
}

// quantum is the definition, in exact arithmetic but for the division.
func quantum(x float32, s Scale) int {
	q := math.RoundToEven(float64(x/s.Step)) + float64(s.Zero)
	if !(q >= float64(s.Lo)) {
		return int(s.Lo)
	}
	return int(math.Min(q, float64(s.Hi)))
}

// eachScales runs f over lengths, single scales and one per element.
func eachScales(r *rand.Rand, f func(n int, list []Scale, c *Scales)) {
	for _, n := range lengths() {
		for _, signed := range []bool{false, true} {
			for _, channels := range []int{1, n} {
				list, c := scaleOf(r, channels, signed)
				f(n, list, c)
			}
		}
	}
}

// fence moves the scales to the ends of pages.
func fence(t *testing.T, c *Scales) *Scales {
	f := &Scales{}
	for _, p := range []struct{ to, from *[]float32 }{{&f.step, &c.step}, {&f.zero, &c.zero}, {&f.lo, &c.lo}, {&f.hi, &c.hi}} {
		*p.to = guard.Tail[float32](t, len(*p.from))
		copy(*p.to, *p.from)
	}
	return f
}

func TestQuantize(t *testing.T) {
	eachImpl(t, "quantize", quantizeLoops, func(t *testing.T, run quantizeLoop) {
		r := seeded(10)
		eachScales(r, func(n int, list []Scale, c *Scales) {
			src, dst := tail(t, r, n, 200, true), guard.Tail[uint8](t, n)
			run(dst, src, fence(t, c))
			for i, x := range src {
				if want := uint8(quantum(x, list[i%len(list)])); dst[i] != want {
					t.Fatalf("element %d of %d, %v in %+v, becomes %d, want %d", i, n, x, list[i%len(list)], dst[i], want)
				}
			}
		})
	})
}

func TestFakeQuantize(t *testing.T) {
	eachImpl(t, "fakequantize", fakeLoops, func(t *testing.T, run fakeLoop) {
		r := seeded(11)
		eachScales(r, func(n int, list []Scale, c *Scales) {
			src, dst, want := tail(t, r, n, 200, true), guard.Tail[float32](t, n), make([]float32, n)
			for i, x := range src {
				s := list[i%len(list)]
				want[i] = float32(quantum(x, s)-int(s.Zero)) * s.Step
			}
			run(dst, src, fence(t, c))
			bitsEqual(t, "fake", dst, want)
			run(src, src, c)
			bitsEqual(t, "fake in place", src, want)
		})
	})
}

func TestDequantize(t *testing.T) {
	for signed, rows := range map[bool][]impl[dequantizeLoop]{false: dequantU8, true: dequantS8} {
		eachImpl(t, map[bool]string{false: "dequantize_u8", true: "dequantize_s8"}[signed], rows, func(t *testing.T, run dequantizeLoop) {
			r := seeded(12)
			eachScales(r, func(n int, list []Scale, c *Scales) {
				src, dst, want := guard.Tail[uint8](t, n), guard.Tail[float32](t, n), make([]float32, n)
				for i := range src {
					src[i] = uint8(r.Uint32())
					q, s := int(src[i]), list[i%len(list)]
					if signed {
						q = int(int8(src[i]))
					}
					want[i] = float32(q-int(s.Zero)) * s.Step
				}
				run(dst, src, fence(t, c))
				bitsEqual(t, "dequantize", dst, want)
			})
		})
	}
}

// TestQuantizeRows: channels lie on the last axis, and signed bytes keep their
// sign on the way there and back.
func TestQuantizeRows(t *testing.T) {
	r := seeded(13)
	for _, channels := range []int{1, 3, 16, 37} {
		list, c := scaleOf(r, channels, true)
		n := 5 * 3 * 16 * 37
		src := tail(t, r, n, 100, false)
		q, back, fake := make([]int8, n), make([]float32, n), make([]float32, n)
		QuantizeS8(q, src, c)
		DequantizeS8(back, q, c)
		FakeQuantize(fake, src, c)
		for i, x := range src {
			if want := quantum(x, list[i%channels]); int(q[i]) != want {
				t.Fatalf("element %d is %d, want %d", i, q[i], want)
			}
		}
		bitsEqual(t, fmt.Sprintf("%d channels", channels), fake, back)
	}
}
