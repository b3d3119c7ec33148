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

// codesOf returns the stored codes, or zero points, of t as numbers. It reports
// a type that holds none.
func codesOf(t *tensor.Tensor) ([]int16, error) {
	if !isCodeType(t.Type) {
		return nil, fmt.Errorf("%v tensor holds no codes", t.Type)
	}
	return tensor.Ints8(t), nil
}
