package tensor

import "math"

// Float32 is the exact value of h.
func (h Float16Bits) Float32() float32 {
	sign := uint32(h&0x8000) << 16
	exp, man := uint32(h>>10)&31, uint32(h&0x3ff)
	switch exp {
	case 0:
		x := float32(man) * 0x1p-24
		return math.Float32frombits(sign | math.Float32bits(x))
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | man<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
}

// ToFloat16 rounds to nearest, ties to even; what is too large becomes
// infinite.
func ToFloat16(x float32) Float16Bits {
	b := math.Float32bits(x)
	sign := Float16Bits(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00
	case b >= 0x477ff000: // 65520 and up
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: a multiple of 2^-24
		y := math.Float32frombits(b) + 0.5 // the sum's last bit is worth 2^-24
		return sign | Float16Bits(math.Float32bits(y)-math.Float32bits(0.5))
	}
	b += 0xfff + b>>13&1
	return sign | Float16Bits((b-112<<23)>>13)
}

// Float32 is the exact value of h.
func (h BFloat16Bits) Float32() float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBFloat16 rounds to nearest, ties to even; what is too large becomes
// infinite.
func ToBFloat16(x float32) BFloat16Bits {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return BFloat16Bits(b>>16&0x8000 | 0x7fc0)
	}
	return BFloat16Bits((b + 0x7fff + b>>16&1) >> 16)
}
