package tensor

import "fmt"

// DType is an element type. The zero value is Undefined.
type DType uint8

// The element types, in the order and with the numbers of the ONNX
// TensorProto.DataType enumeration.
const (
	Undefined      DType = 0
	Float32        DType = 1
	Uint8          DType = 2
	Int8           DType = 3
	Uint16         DType = 4
	Int16          DType = 5
	Int32          DType = 6
	Int64          DType = 7
	String         DType = 8
	Bool           DType = 9
	Float16        DType = 10
	Float64        DType = 11
	Uint32         DType = 12
	Uint64         DType = 13
	Complex64      DType = 14
	Complex128     DType = 15
	BFloat16       DType = 16
	Float8E4M3FN   DType = 17
	Float8E4M3FNUZ DType = 18
	Float8E5M2     DType = 19
	Float8E5M2FNUZ DType = 20
	Uint4          DType = 21
	Int4           DType = 22
	Float4E2M1     DType = 23
	Float8E8M0     DType = 24
	Uint2          DType = 25
	Int2           DType = 26
)

type dtypeInfo struct {
	name string
	bits int
	kind kind
}

type kind uint8

const (
	kindOther kind = iota
	kindFloat
	kindInt
	kindUint
)

var dtypes = [...]dtypeInfo{
	Undefined:      {"undefined", 0, kindOther},
	Float32:        {"f32", 32, kindFloat},
	Uint8:          {"u8", 8, kindUint},
	Int8:           {"i8", 8, kindInt},
	Uint16:         {"u16", 16, kindUint},
	Int16:          {"i16", 16, kindInt},
	Int32:          {"i32", 32, kindInt},
	Int64:          {"i64", 64, kindInt},
	String:         {"string", 0, kindOther},
	Bool:           {"bool", 8, kindOther},
	Float16:        {"f16", 16, kindFloat},
	Float64:        {"f64", 64, kindFloat},
	Uint32:         {"u32", 32, kindUint},
	Uint64:         {"u64", 64, kindUint},
	Complex64:      {"c64", 64, kindOther},
	Complex128:     {"c128", 128, kindOther},
	BFloat16:       {"bf16", 16, kindFloat},
	Float8E4M3FN:   {"f8e4m3fn", 8, kindFloat},
	Float8E4M3FNUZ: {"f8e4m3fnuz", 8, kindFloat},
	Float8E5M2:     {"f8e5m2", 8, kindFloat},
	Float8E5M2FNUZ: {"f8e5m2fnuz", 8, kindFloat},
	Uint4:          {"u4", 4, kindUint},
	Int4:           {"i4", 4, kindInt},
	Float4E2M1:     {"f4e2m1", 4, kindFloat},
	Float8E8M0:     {"f8e8m0", 8, kindFloat},
	Uint2:          {"u2", 2, kindUint},
	Int2:           {"i2", 2, kindInt},
}

// Valid reports whether d is a known element type.
func (d DType) Valid() bool { return d != Undefined && int(d) < len(dtypes) }

func (d DType) info() dtypeInfo {
	if int(d) < len(dtypes) {
		return dtypes[d]
	}
	return dtypes[Undefined]
}

// String returns the short name used in the graph text form, such as "f32".
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}

// ParseDType is the inverse of String.
func ParseDType(s string) (DType, error) {
	for d, info := range dtypes {
		if info.name == s && d != int(Undefined) {
			return DType(d), nil
		}
	}
	return Undefined, fmt.Errorf("unknown element type %q", s)
}

// Bits is the storage of one element in bits; 0 for String and Undefined.
func (d DType) Bits() int { return d.info().bits }

// IsFloat reports whether d is a floating-point type of any width.
func (d DType) IsFloat() bool { return d.info().kind == kindFloat }

// IsInt reports whether d is a signed or unsigned integer type; Bool is not.
func (d DType) IsInt() bool { return d.info().kind == kindInt || d.info().kind == kindUint }

// IsUnsigned reports whether d is an unsigned integer type.
func (d DType) IsUnsigned() bool { return d.info().kind == kindUint }

// ByteLen is the number of bytes that n elements of type d occupy; elements
// narrower than a byte are packed and the last byte is padded.
func (d DType) ByteLen(n int) int { return (n*d.Bits() + 7) / 8 }
