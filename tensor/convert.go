package tensor

import (
	"fmt"
	"math"
)

// number lists the element types with Go arithmetic.
type number interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// Options are the choices a conversion leaves open.
type Options struct {
	// NoSaturate gives infinity or NaN beyond the range of an 8-bit float type, where
	// the default is the largest finite value.
	NoSaturate bool
	// Scale is the rounding to Float8E8M0.
	Scale Rounding
}

// Convert returns t with elements of another numeric type or Bool, by the rules
// of the ONNX operator Cast: floats round to nearest even and overflow to
// infinity (8-bit floats and narrower saturate unless told otherwise), floats
// to integers truncate, integers keep their low bits, everything but zero is
// true. Floats outside an integer type's range give its low bits of the 64-bit
// result. The result is t itself when the type is the same already.
func Convert(t *Tensor, to DType, o Options) (*Tensor, error) {
	if t.Type == to {
		return t, nil
	}
	if !numeric(t.Type) || !numeric(to) {
		return nil, fmt.Errorf("cannot convert %v elements to %v", t.Type, to)
	}
	out := New(to, t.Shape...)
	switch to {
	case Float32:
		fill[float32](out, t)
	case Float64:
		fill[float64](out, t)
	case Int8:
		fill[int8](out, t)
	case Int16:
		fill[int16](out, t)
	case Int32:
		fill[int32](out, t)
	case Int64:
		fill[int64](out, t)
	case Uint8:
		fill[uint8](out, t)
	case Uint16:
		fill[uint16](out, t)
	case Uint32:
		fill[uint32](out, t)
	case Uint64:
		fill[uint64](out, t)
	case Bool:
		dst := Data[bool](out)
		for i, x := range Float64s(t) {
			dst[i] = x != 0
		}
	case Int4, Uint4, Int2, Uint2:
		wide := New(Int8, t.Shape...)
		fill[int8](wide, t)
		copy(out.raw, FromCodes(to, t.Shape, wide.raw).raw)
	default:
		encode(out, t, o)
	}
	return out, nil
}

func numeric(t DType) bool { return t.IsFloat() || t.IsInt() || t == Bool }

// encode fills a tensor of a float type without Go arithmetic.
func encode(out, t *Tensor, o Options) {
	switch {
	case t.Type == Float64 || t.Type.Bits() >= 32 && t.Type.IsInt():
		// Rounding to float32 in between would round twice.
		fromFloat64(out, Float64s(t), o)
	case out.Type == Float16:
		dst := Data[Float16Bits](out)
		for i, x := range Float32s(t) {
			dst[i] = ToFloat16(x)
		}
	case out.Type == BFloat16:
		dst := Data[BFloat16Bits](out)
		for i, x := range Float32s(t) {
			dst[i] = ToBFloat16(x)
		}
	default:
		fromFloat64(out, Float64s(t), o)
	}
}

func fromFloat64(out *Tensor, src []float64, o Options) {
	switch out.Type {
	case Float16:
		dst := Data[Float16Bits](out)
		for i, x := range src {
			dst[i] = ToFloat16(oddFloat32(x))
		}
	case BFloat16:
		dst := Data[BFloat16Bits](out)
		for i, x := range src {
			dst[i] = ToBFloat16(oddFloat32(x))
		}
	default:
		codes := make([]byte, len(src))
		f := minis[out.Type]
		for i, x := range src {
			if out.Type == Float8E8M0 {
				codes[i] = scaleCode(x, !o.NoSaturate, o.Scale)
			} else {
				codes[i] = f.code(x, !o.NoSaturate)
			}
		}
		copy(out.raw, FromCodes(out.Type, out.Shape, codes).raw)
	}
}

// oddFloat32 rounds to odd: an inexact result gets its last bit set, so that
// rounding it further to a narrower type rounds only once.
func oddFloat32(x float64) float32 {
	y := float32(x)
	if float64(y) == x || x != x {
		return y
	}
	b := math.Float32bits(y)
	if math.Abs(float64(y)) > math.Abs(x) {
		b-- // towards zero; from infinity to the largest finite value
	}
	return math.Float32frombits(b | 1)
}

// fill converts the elements of t to those of out, whose Go type is D.
func fill[D number](out, t *Tensor) {
	dst := Data[D](out)
	switch t.Type {
	case Float32:
		fromFloat(dst, Data[float32](t))
	case Float64:
		fromFloat(dst, Data[float64](t))
	case Int8:
		fromInt(dst, Data[int8](t))
	case Int16:
		fromInt(dst, Data[int16](t))
	case Int32:
		fromInt(dst, Data[int32](t))
	case Int64:
		fromInt(dst, Data[int64](t))
	case Uint8:
		fromInt(dst, Data[uint8](t))
	case Uint16:
		fromInt(dst, Data[uint16](t))
	case Uint32:
		fromInt(dst, Data[uint32](t))
	case Uint64:
		fromInt(dst, Data[uint64](t))
	case Bool:
		for i, x := range Data[bool](t) {
			if x {
				dst[i] = 1
			}
		}
	case Int4, Uint4, Int2, Uint2:
		fromInt(dst, Ints8(t))
	default:
		fromFloat(dst, narrow(t))
	}
}

func fromInt[D, S number](dst []D, src []S) {
	for i, x := range src {
		dst[i] = D(x)
	}
}

// fromFloat truncates towards zero for integers. What a 64-bit integer cannot
// hold, NaN included, counts as the most negative one, on every machine.
func fromFloat[D number, S float32 | float64](dst []D, src []S) {
	switch any(dst).(type) {
	case []float32, []float64:
		for i, x := range src {
			dst[i] = D(x)
		}
	case []uint64:
		for i, x := range src {
			if x >= 0x1p63 && x < 0x1p64 {
				dst[i] = D(uint64(x))
			} else {
				dst[i] = D(truncate(float64(x)))
			}
		}
	case []int32:
		least := int64(math.MinInt32)
		for i, x := range src {
			if x >= 0x1p31 || x <= -0x1p31 || x != x {
				dst[i] = D(least)
			} else {
				dst[i] = D(x)
			}
		}
	default:
		for i, x := range src {
			dst[i] = D(truncate(float64(x)))
		}
	}
}

func truncate(x float64) int64 {
	if x >= 0x1p63 || x < -0x1p63 || x != x {
		return math.MinInt64
	}
	return int64(x)
}

// narrow decodes the float types without Go arithmetic, exactly.
func narrow(t *Tensor) []float32 {
	out := make([]float32, t.Len())
	switch t.Type {
	case Float16:
		for i, h := range Data[Float16Bits](t) {
			out[i] = h.Float32()
		}
	case BFloat16:
		for i, h := range Data[BFloat16Bits](t) {
			out[i] = h.Float32()
		}
	default:
		table := miniValues[t.Type]
		if table == nil {
			panic(fmt.Sprintf("tensor: %v elements are not numbers", t.Type))
		}
		for i, c := range Codes(t) {
			out[i] = table[c]
		}
	}
	return out
}

// Float32s returns the elements of any numeric type or Bool as float32, rounded
// to nearest where needed. Those of a Float32 tensor are shared with t.
func Float32s(t *Tensor) []float32 {
	switch t.Type {
	case Float32:
		return Data[float32](t)
	case Float16, BFloat16, Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float4E2M1, Float8E8M0:
		return narrow(t)
	}
	out := New(Float32, t.Shape...)
	fill[float32](out, t)
	return Data[float32](out)
}

// Float64s returns the elements of any numeric type or Bool as float64; only
// 64-bit integers can lose bits. Those of a Float64 tensor are shared with t.
func Float64s(t *Tensor) []float64 {
	if t.Type == Float64 {
		return Data[float64](t)
	}
	out := New(Float64, t.Shape...)
	fill[float64](out, t)
	return Data[float64](out)
}

// FromFloat64s returns a tensor of any numeric type or Bool with the given
// values, converted as Convert does with default options.
func FromFloat64s(t DType, shape []int, values []float64) (*Tensor, error) {
	return Convert(Of(shape, values), t, Options{})
}

// FromFloat32s is FromFloat64s of float32 values; a Float32 result borrows them.
func FromFloat32s(t DType, shape []int, values []float32) (*Tensor, error) {
	return Convert(Of(shape, values), t, Options{})
}
