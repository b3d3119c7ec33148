package format

import (
	"fmt"
	"slices"

	"pare/tensor"
)

// isCodeType reports whether codes are stored in elements of type t.
func isCodeType(t tensor.DType) bool {
	switch t {
	case tensor.Int8, tensor.Uint8, tensor.Int4, tensor.Uint4, tensor.Int2, tensor.Uint2:
		return true
	}
	return false
}

// codesOf returns the stored codes, or zero points, of t as numbers. It reports
// a type that holds none.
func codesOf(t *tensor.Tensor) ([]int16, error) {
	if !isCodeType(t.Type) {
		return nil, fmt.Errorf("%v tensor holds no codes", t.Type)
	}
	return tensor.Ints8(t), nil
}

// bytesOf is codesOf with a byte c for each code, of which int16(c)<<shift>>shift
// is the number.
func bytesOf(t *tensor.Tensor) (codes []byte, shift uint, err error) {
	if !isCodeType(t.Type) {
		return nil, 0, fmt.Errorf("%v tensor holds no codes", t.Type)
	}
	if !t.Type.IsUnsigned() {
		shift = uint(16 - t.Type.Bits())
	}
	return tensor.Codes(t), shift, nil
}

// largest is the largest magnitude of the codes in t, or one beyond enough.
func largest(t *tensor.Tensor, enough int) int {
	var of [256]int16 // by byte, the largest of the codes in it
	bits, top := t.Type.Bits(), int16(0)
	for b := range of {
		for shift := 0; shift < 8; shift += bits {
			c := int16(b>>shift) << (16 - bits)
			if t.Type.IsUnsigned() {
				c = int16(uint16(c) >> (16 - bits))
			} else {
				c >>= 16 - bits
			}
			of[b] = max(of[b], c, -c)
		}
	}
	for part := range slices.Chunk(t.Bytes(), 4096) {
		for _, b := range part {
			top = max(top, of[b])
		}
		if int(top) > enough {
			break
		}
	}
	return int(top)
}
