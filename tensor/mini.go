package tensor

import (
	"fmt"
	"math"
)

// mini describes a narrow floating-point format by its fields.
type mini struct {
	exp, man, bias int
	inf            bool // the top exponent holds infinity and NaN
	uz             bool // negative zero is the only NaN
	top            byte // code of the largest finite value
	nan            int  // code of NaN; -1 when there is none
}

var minis = map[DType]mini{
	Float8E4M3FN:   {4, 3, 7, false, false, 0x7e, 0x7f},
	Float8E4M3FNUZ: {4, 3, 8, false, true, 0x7f, 0x80},
	Float8E5M2:     {5, 2, 15, true, false, 0x7b, 0x7e},
	Float8E5M2FNUZ: {5, 2, 16, false, true, 0x7f, 0x80},
	Float4E2M1:     {2, 1, 1, false, false, 0x07, -1},
}

// miniValues are the values of all codes of each narrow format.
var miniValues = func() map[DType]*[256]float32 {
	out := map[DType]*[256]float32{}
	for t, f := range minis {
		table := new([256]float32)
		for code := range 1 << (1 + f.exp + f.man) {
			table[code] = f.value(byte(code))
		}
		out[t] = table
	}
	table := new([256]float32)
	for code := range 255 {
		table[code] = float32(math.Ldexp(1, code-127))
	}
	table[255] = float32(math.NaN())
	out[Float8E8M0] = table
	return out
}()

func (f mini) value(code byte) float32 {
	signBit := byte(1) << (f.exp + f.man)
	mag := code &^ signBit
	e, m := int(mag)>>f.man, int(mag)&(1<<f.man-1)
	var x float64
	switch {
	case f.uz && code == signBit, !f.uz && f.nan >= 0 && !f.inf && mag == byte(f.nan), f.inf && mag > f.top+1:
		return float32(math.NaN())
	case f.inf && mag == f.top+1:
		x = math.Inf(1)
	case e == 0:
		x = math.Ldexp(float64(m), 1-f.bias-f.man)
	default:
		x = math.Ldexp(float64(m|1<<f.man), e-f.bias-f.man)
	}
	if code&signBit != 0 {
		x = -x
	}
	return float32(x)
}

// code rounds to nearest, ties to even. Beyond the largest finite value it
// saturates, or gives infinity or NaN as the format has them.
func (f mini) code(x float64, saturate bool) byte {
	signBit := byte(1) << (f.exp + f.man)
	if x != x {
		if f.nan < 0 {
			return signBit // as close to "no number" as the format comes
		}
		if math.Signbit(x) {
			return byte(f.nan) | signBit
		}
		return byte(f.nan)
	}
	var sign byte
	if math.Signbit(x) {
		sign, x = signBit, -x
	}
	mag := f.magnitude(x)
	switch {
	case mag == 0 && f.uz:
		return 0
	case mag <= int(f.top):
		return sign | byte(mag)
	case saturate || f.nan < 0:
		return sign | f.top
	case f.inf:
		return sign | (f.top + 1)
	case f.uz:
		return byte(f.nan)
	}
	return sign | byte(f.nan)
}

// magnitude is the code of x >= 0 as if the exponent had no upper end, cut off
// at 256.
func (f mini) magnitude(x float64) int {
	if x >= 0x1p20 { // above every format
		return 256
	}
	_, e := math.Frexp(x) // x = m·2^e with 0.5 <= m < 1
	e = max(e-1, 1-f.bias)
	q := int(math.RoundToEven(math.Ldexp(x, f.man-e)))
	if x == 0 {
		return 0
	}
	return min(q+(e+f.bias-1)<<f.man, 256)
}

// Rounding chooses the direction of conversions to Float8E8M0.
type Rounding uint8

// The rounding directions of Float8E8M0. Nearest takes the larger value on ties.
const (
	RoundUp Rounding = iota
	RoundDown
	RoundNearest
)

// ParseRounding reads the names up, down and nearest.
func ParseRounding(s string) (Rounding, error) {
	switch s {
	case "", "up":
		return RoundUp, nil
	case "down":
		return RoundDown, nil
	case "nearest":
		return RoundNearest, nil
	}
	return RoundUp, fmt.Errorf("unknown rounding %q; use up, down or nearest", s)
}

// scaleCode is the Float8E8M0 code of |x|: a power of two from 2^-127 to 2^127.
func scaleCode(x float64, saturate bool, r Rounding) byte {
	x = math.Abs(x)
	switch {
	case x != x, !saturate && (x == 0 || math.IsInf(x, 0)):
		return 255
	case x == 0:
		return 0
	case math.IsInf(x, 0):
		return 254
	}
	m, e := math.Frexp(x)
	m, e = m*2, e-1 // 1 <= m < 2
	if r == RoundUp && m > 1 || r == RoundNearest && m >= 1.5 {
		e++
	}
	code := e + 127
	switch {
	case code >= 0 && code <= 254:
		return byte(code)
	case !saturate:
		return 255
	case code < 0:
		return 0
	}
	return 254
}
