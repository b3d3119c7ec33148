package format

import (
	"fmt"

	"pare/tensor"
)

// Kind is a family of grids.
type Kind uint8

// The families. Uniform levels are equally spaced; Power levels are the
// (1/a)-th powers of equally spaced numbers, finer near zero for a < 1
// (PowerQuant, arXiv:2301.09858). Codebook levels lie where the weights do.
// Residual is a sum of terms in other formats (REx, arXiv:2203.14645).
const (
	Uniform Kind = iota
	Power
	Codebook
	Residual
)

// String returns "uniform", "power", "codebook" or "residual".
func (k Kind) String() string { return [...]string{"uniform", "power", "codebook", "residual"}[k] }

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
	// Top is the largest integer among the levels of a power grid or codebook; 0
	// stands for 127 (32767 beyond 5 bits) on a power grid and for levels that
	// are no integers in a codebook.
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
	case s.Kind != Uniform && s.Top != 0 && (s.Top < 1<<(s.Bits-1) || s.Top > wordTable):
		return fmt.Errorf("top %d: the levels of %d bits need %d to %d", s.Top, s.Bits, 1<<(s.Bits-1), wordTable)
	case s.Kind == Codebook && (s.Asymmetric || s.Bits > 6):
		return fmt.Errorf("a codebook has 2 to 6 bits and no zero point")
	case s.Kind == Residual:
		return fmt.Errorf("a residual expansion is made of encoded terms")
	case s.Grain == PerTensor:
		return nil
	case s.Axis < 0 || s.Axis >= len(shape):
		return fmt.Errorf("axis %d outside shape %v", s.Axis, shape)
	case s.Grain == PerBlock && s.Block < 1:
		return fmt.Errorf("block size %d", s.Block)
	case s.Grain == PerBlock && s.Kind != Uniform:
		return fmt.Errorf("%v grids have no block form", s.Kind)
	}
	return nil
}

// String names the format for tables: "int4/channel", "uint8/tensor",
// "power4/channel", "int4/block32".
func (s Spec) String() string {
	name := "int"
	switch {
	case s.Kind != Uniform:
		name = s.Kind.String()
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
	{Codebook, 2, false, tensor.Uint2, 25, 8.5},
	{Codebook, 3, false, tensor.Uint4, 21, 13},
	{Codebook, 4, false, tensor.Uint4, 21, 19},
	{Codebook, 5, false, tensor.Uint8, 13, 24.5},
	{Codebook, 6, false, tensor.Uint8, 13, 30},
}
