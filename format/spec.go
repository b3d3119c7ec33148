package format

import (
	"fmt"

	"pare/tensor"
)

// Kind is a family of grids.
type Kind uint8

// The families. Uniform levels are equally spaced; Power levels are the
// (1/a)-th powers of equally spaced numbers, finer near zero for a < 1
// (PowerQuant, arXiv:2301.09858).
const (
	Uniform Kind = iota
	Power
)

// String returns "uniform" or "power".
func (k Kind) String() string {
	if k == Power {
		return "power"
	}
	return "uniform"
}

// Grain says which elements share a scale.
type Grain uint8

// The grains: one scale for the tensor, one per index of an axis, one per
// block of consecutive indices of an axis (and per index of all other axes).
const (
	PerTensor Grain = iota
	PerChannel
	PerBlock
)

// String returns "tensor", "channel" or "block".
func (g Grain) String() string {
	switch g {
	case PerChannel:
		return "channel"
	case PerBlock:
		return "block"
	}
	return "tensor"
}

// Spec describes how a tensor is stored.
type Spec struct {
	Kind Kind
	Bits int // 2 to 8
	// Asymmetric grids have a zero point and reach from the smallest to the
	// largest value; symmetric ones hold the codes -n..n, n = 2^(Bits-1) - 1.
	// Power grids are symmetric.
	Asymmetric bool
	Grain      Grain
	Axis       int // of the channels (PerChannel) or along which blocks lie (PerBlock)
	Block      int // elements per block (PerBlock)
	// Exponent is a in |w| -> |w|^a of a power grid.
	Exponent float64
	// Top is the largest level of a power grid, an integer as all of them; 0 for
	// 127 for up to 5 bits and 32767 above. Small ones suit integer kernels.
	Top int
	// Wide stores codes of 4 bits and fewer in whole bytes, which needs no more
	// than opset 13.
	Wide bool
}

// Levels is the largest code magnitude n of a symmetric grid, 2^Bits - 1 for an
// asymmetric one.
func (s Spec) Levels() int {
	if s.Asymmetric {
		return 1<<s.Bits - 1
	}
	return 1<<(s.Bits-1) - 1
}

// Row is the storage row of the format.
func (s Spec) Row() Row {
	for _, r := range Rows {
		if r.Kind == s.Kind && r.Bits == s.Bits && r.Asymmetric == s.Asymmetric {
			if s.Wide && r.Type.Bits() < 8 {
				r.Opset = 13
				if r.Type.IsUnsigned() {
					r.Type = tensor.Uint8
				} else {
					r.Type = tensor.Int8
				}
			}
			if s.Grain == PerBlock {
				r.Opset = max(r.Opset, 21)
			}
			return r
		}
	}
	return Row{}
}

// Validate reports the first reason why a tensor of the given shape cannot be
// stored so.
func (s Spec) Validate(shape []int) error {
	switch {
	case s.Bits < 2 || s.Bits > 8:
		return fmt.Errorf("%d bits: formats have 2 to 8", s.Bits)
	case s.Kind == Power && (s.Asymmetric || !(s.Exponent > 0)):
		return fmt.Errorf("a power grid is symmetric and has a positive exponent, not %v", s.Exponent)
	case s.Top != 0 && (s.Top < s.Levels() || s.Top > wordTable):
		return fmt.Errorf("a largest level of %d is not in %d..%d", s.Top, s.Levels(), wordTable)
	case s.Grain == PerTensor:
		return nil
	case s.Axis < 0 || s.Axis >= len(shape):
		return fmt.Errorf("axis %d outside shape %v", s.Axis, shape)
	case s.Grain == PerBlock && s.Block < 1:
		return fmt.Errorf("block size %d", s.Block)
	case s.Grain == PerBlock && s.Kind == Power:
		return fmt.Errorf("power grids have no block form")
	}
	return nil
}

// String names the format for tables: "int4/channel", "uint8/tensor",
// "power4/channel", "int4/block32".
func (s Spec) String() string {
	name := "int"
	switch {
	case s.Kind == Power:
		name = "power"
	case s.Asymmetric:
		name = "uint"
	}
	grain := s.Grain.String()
	if s.Grain == PerBlock {
		grain = fmt.Sprint(grain, s.Block)
	}
	return fmt.Sprintf("%s%d/%s", name, s.Bits, grain)
}

// Row is what one grid and width needs and promises.
type Row struct {
	Kind       Kind
	Bits       int
	Asymmetric bool
	Type       tensor.DType // of the stored codes
	Opset      int          // first standard opset with the ONNX form
	// SNR is the signal-to-noise ratio in dB that the format reaches at least
	// on normally distributed weights, 256 to a scale, ranges by maximum and
	// exponent 0.7. Tests hold it.
	SNR float64
}

// Rows lists every grid and width.
var Rows = []Row{
	{Uniform, 2, false, tensor.Int2, 25, 1.5},
	{Uniform, 3, false, tensor.Int4, 21, 10.5},
	{Uniform, 4, false, tensor.Int4, 21, 17.5},
	{Uniform, 5, false, tensor.Int8, 13, 24.5},
	{Uniform, 6, false, tensor.Int8, 13, 30.5},
	{Uniform, 7, false, tensor.Int8, 13, 37},
	{Uniform, 8, false, tensor.Int8, 13, 43},
	{Uniform, 2, true, tensor.Uint2, 25, 5},
	{Uniform, 3, true, tensor.Uint4, 21, 12},
	{Uniform, 4, true, tensor.Uint4, 21, 18.5},
	{Uniform, 5, true, tensor.Uint8, 13, 25},
	{Uniform, 6, true, tensor.Uint8, 13, 31},
	{Uniform, 7, true, tensor.Uint8, 13, 37},
	{Uniform, 8, true, tensor.Uint8, 13, 43},
	{Power, 2, false, tensor.Uint2, 25, 1.5},
	{Power, 3, false, tensor.Uint4, 21, 11.5},
	{Power, 4, false, tensor.Uint4, 21, 18.5},
	{Power, 5, false, tensor.Uint8, 13, 25},
	{Power, 6, false, tensor.Uint8, 13, 31.5},
	{Power, 7, false, tensor.Uint8, 13, 37.5},
	{Power, 8, false, tensor.Uint8, 13, 43.5},
}
