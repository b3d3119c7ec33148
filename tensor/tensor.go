package tensor

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// Float16Bits, BFloat16Bits and the 8-bit kinds below are storage types: they
// let Data return a typed view of elements that Go has no arithmetic for.
type (
	// Float16Bits is an IEEE 754 binary16 number.
	Float16Bits uint16
	// BFloat16Bits is the upper half of an IEEE 754 binary32 number.
	BFloat16Bits uint16
)

// Elem lists the Go types that elements can be viewed as without conversion.
type Elem interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 |
		bool | complex64 | complex128 | Float16Bits | BFloat16Bits
}

// Tensor is a dense array in C order. Shape has no negative entries; an empty
// Shape is a scalar.
type Tensor struct {
	Type  DType
	Shape []int

	raw  []byte   // little-endian, packed; nil for strings
	strs []string // only for Type == String

	later *later // nil: raw or strs
	file  bool   // raw lies in a mapped file
}

// Len is the number of elements of a shape.
func Len(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// CheckedLen is Len with overflow and negative dimensions reported.
func CheckedLen(shape []int) (int, error) {
	n := 1
	zero := false
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in shape %v", shape)
		}
		if d == 0 {
			zero = true
			continue
		}
		if n > math.MaxInt/128/d { // so that the number of bits fits, too
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
		n *= d
	}
	if zero {
		return 0, nil
	}
	return n, nil
}

// New returns a zeroed tensor.
func New(t DType, shape ...int) *Tensor {
	n := Len(shape)
	out := &Tensor{Type: t, Shape: slices.Clone(shape)}
	if t == String {
		out.strs = make([]string, n)
	} else {
		out.raw = alignedBytes(t.ByteLen(n))
	}
	return out
}

// alignedBytes returns n zeroed bytes aligned for any element type.
func alignedBytes(n int) []byte {
	if n == 0 {
		return []byte{}
	}
	words := make([]complex128, (n+15)/16)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}

// FromBytes returns a tensor that borrows raw, the little-endian packed
// elements. It reports a length that does not match the shape.
func FromBytes(t DType, shape []int, raw []byte) (*Tensor, error) {
	if !t.Valid() || t == String {
		return nil, fmt.Errorf("element type %v cannot be stored as raw bytes", t)
	}
	n, err := CheckedLen(shape)
	if err != nil {
		return nil, err
	}
	if want := t.ByteLen(n); len(raw) != want {
		return nil, fmt.Errorf("%v%v needs %d bytes of data, %d present", t, shape, want, len(raw))
	}
	return &Tensor{Type: t, Shape: slices.Clone(shape), raw: raw}, nil
}

// FromFile is FromBytes of raw in a mapped file that is only read.
func FromFile(t DType, shape []int, raw []byte) (*Tensor, error) {
	out, err := FromBytes(t, shape, raw)
	if err == nil {
		out.file = true
	}
	return out, err
}

// Of returns a tensor that borrows data. It panics when the length does not
// match the shape: shapes in code are under the caller's control.
func Of[T Elem](shape []int, data []T) *Tensor {
	if Len(shape) != len(data) {
		panic(fmt.Sprintf("tensor.Of: shape %v with %d elements", shape, len(data)))
	}
	var zero T
	raw := []byte{}
	if len(data) > 0 {
		raw = unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(zero)))
	}
	return &Tensor{Type: TypeOf[T](), Shape: slices.Clone(shape), raw: raw}
}

// Scalar returns a tensor of rank 0.
func Scalar[T Elem](x T) *Tensor { return Of(nil, []T{x}) }

// OfStrings returns a string tensor that borrows data.
func OfStrings(shape []int, data []string) *Tensor {
	if Len(shape) != len(data) {
		panic(fmt.Sprintf("tensor.OfStrings: shape %v with %d elements", shape, len(data)))
	}
	return &Tensor{Type: String, Shape: slices.Clone(shape), strs: data}
}

// TypeOf is the element type that corresponds to the Go type T.
func TypeOf[T Elem]() DType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case bool:
		return Bool
	case complex64:
		return Complex64
	case complex128:
		return Complex128
	case Float16Bits:
		return Float16
	default:
		return BFloat16
	}
}

// Data views the elements of t as []T. It panics unless T is the Go type of
// t.Type. Where the bytes are misaligned (inside a mapped file) the result is
// a fresh copy; treat it as read-only unless the caller created t.
func Data[T Elem](t *Tensor) []T {
	if TypeOf[T]() != t.Type {
		panic(fmt.Sprintf("tensor.Data: %v tensor viewed as %v", t.Type, TypeOf[T]()))
	}
	var zero T
	size := int(unsafe.Sizeof(zero))
	raw := t.bytes()
	n := len(raw) / size
	if n == 0 {
		return []T{}
	}
	p := unsafe.Pointer(&raw[0])
	if uintptr(p)%unsafe.Alignof(zero) == 0 {
		return unsafe.Slice((*T)(p), n)
	}
	out := make([]T, n)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), n*size), raw)
	return out
}

// Strings returns the elements of a String tensor, nil for other types.
func (t *Tensor) Strings() []string { return t.strs }

// Bytes returns the little-endian packed elements, shared with t; nil for
// String tensors.
func (t *Tensor) Bytes() []byte { return t.bytes() }

// Len is the number of elements.
func (t *Tensor) Len() int { return Len(t.Shape) }

// Rank is the number of dimensions.
func (t *Tensor) Rank() int { return len(t.Shape) }

// Clone returns a copy that shares nothing with t.
func (t *Tensor) Clone() *Tensor {
	out := New(t.Type, t.Shape...)
	copy(out.raw, t.bytes())
	copy(out.strs, t.strs)
	return out
}

// Reshape returns a tensor of the given shape that shares t's elements. It
// panics when the number of elements differs.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	if Len(shape) != t.Len() {
		panic(fmt.Sprintf("tensor.Reshape: %v to %v", t.Shape, shape))
	}
	return &Tensor{Type: t.Type, Shape: slices.Clone(shape), raw: t.raw, strs: t.strs, later: t.later, file: t.file}
}

// Equal reports whether a and b have the same type, shape and bits.
func Equal(a, b *Tensor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Type == b.Type && slices.Equal(a.Shape, b.Shape) &&
		bytes.Equal(a.bytes(), b.bytes()) && slices.Equal(a.strs, b.strs)
}

// String describes type and shape, such as "f32[16,3,3,3]".
func (t *Tensor) String() string {
	s := t.Type.String() + "["
	for i, d := range t.Shape {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprint(d)
	}
	return s + "]"
}
