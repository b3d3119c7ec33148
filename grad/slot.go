package grad

import (
	"slices"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// layout is how the elements of a slot lie.
type layout uint8

const (
	plain  layout = iota // C order of the shape
	last                 // channels last: [N, C, ...] lies as [N, ..., C]
	either               // in requests: as it lies already
)

// slot is a value at fixed shapes. Its slices are bound before a step runs;
// steps read them then, never while they are built.
type slot struct {
	name  string
	shape []int // as ONNX states it, whatever the layout
	lay   layout
	dtype tensor.DType // of the network; floats of every width are held as float32

	data  []float32 // of floats
	other op.Val    // of everything else
	grad  []float32 // nil where no gradient is wanted

	wants bool           // whether a gradient flows into it
	param *Param         // that it is
	fixed *tensor.Tensor // constant that is no parameter
	value *ir.Value

	root    *slot   // whose data it shares, nil for none
	viewers []*slot // that share its data
	kept    bool    // from forward to backward, though its step may run again
}

// isFloat reports whether data holds the elements.
func (s *slot) isFloat() bool { return s.dtype.IsFloat() && s.dtype != tensor.Undefined }

// size is the number of elements.
func (s *slot) size() int { return tensor.Len(s.shape) }

// dims is the shape in the order in which the elements lie.
func (s *slot) dims() []int { return lie(s.shape, s.lay) }

// lie moves the channels of a shape to where the layout has them.
func lie(shape []int, l layout) []int {
	if l != last || len(shape) < 3 {
		return slices.Clone(shape)
	}
	d := append([]int{shape[0]}, shape[2:]...)
	return append(d, shape[1])
}

// buffer is memory of a step beside its operands and results.
type buffer struct {
	data []float32
	size int
	kept bool // from forward to backward
}

// origin is the slot whose memory holds the data.
func (s *slot) origin() *slot {
	if s.root != nil {
		return s.root
	}
	return s
}
