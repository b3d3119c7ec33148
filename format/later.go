package format

import (
	"fmt"

	"pare/tensor"
)

// DecodeLater is Decode, done when the elements are first read and possibly again
// after they were forgotten. Terms that add up are decoded at once.
func (e *Encoded) DecodeLater() (*tensor.Tensor, error) {
	if e.Orders != nil {
		return e.Decode(0)
	}
	groups := e.Spec.layout(e.Codes.Shape).groups
	zeros := groups
	if e.Zero != nil {
		zeros = e.Zero.Len()
	}
	if !isCodeType(e.Codes.Type) || e.Zero != nil && !isCodeType(e.Zero.Type) || e.Scale.Len() != groups || zeros != groups {
		return nil, fmt.Errorf("%v, scales %v and zero points %v do not decode in %d groups", e.Codes, e.Scale, e.Zero, groups)
	}
	return tensor.Later(tensor.Float32, e.Codes.Shape, func() *tensor.Tensor {
		t, err := e.Decode(0)
		if err != nil {
			panic(err) // everything that Decode reports was checked
		}
		return t
	}), nil
}
