package format

import (
	"fmt"

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

// packCodes stores codes (two's complement bytes, which must fit) as elements of
// type t. Elements narrower than a byte lie low bits first, as ONNX has it.
func packCodes(t tensor.DType, shape []int, codes []byte) *tensor.Tensor {
	out := tensor.New(t, shape...)
	raw := out.Bytes()
	switch t.Bits() {
	case 8:
		copy(raw, codes)
	case 4:
		n := len(codes) &^ 1
		for i := 0; i < n; i += 2 {
			raw[i/2] = codes[i]&15 | codes[i+1]<<4
		}
		if n < len(codes) {
			raw[n/2] = codes[n] & 15
		}
	default:
		for i, c := range codes {
			raw[i/4] |= c & 3 << (2 * (i % 4))
		}
	}
	return out
}

// Codes returns the stored codes, or zero points, of t as numbers. It reports a
// type that holds none.
func Codes(t *tensor.Tensor) ([]int16, error) {
	if !isCodeType(t.Type) {
		return nil, fmt.Errorf("%v tensor holds no codes", t.Type)
	}
	out := make([]int16, t.Len())
	raw, bits, unsigned := t.Bytes(), t.Type.Bits(), t.Type.IsUnsigned()
	per, mask := 8/bits, byte(1<<bits-1)
	for i := range out {
		b := raw[i/per] >> (i % per * bits) & mask
		if unsigned {
			out[i] = int16(b)
		} else {
			out[i] = int16(int8(b<<(8-bits)) >> (8 - bits))
		}
	}
	return out, nil
}
