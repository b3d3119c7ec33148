package synth

import (
	"context"
	"fmt"

	"pare/dataset"
	"pare/tensor"
)

// pictures is the data set of Pictures: samples in memory.
type pictures struct {
	shape []int // of a sample
	data  []float32
}

// append adds the samples of a batch.
func (s *pictures) append(x *tensor.Tensor) {
	s.shape = x.Shape[1:]
	s.data = append(s.data, tensor.Data[float32](x)...)
}

// Len implements dataset.Set.
func (s *pictures) Len() int { return len(s.data) / max(1, tensor.Len(s.shape)) }

// Task implements dataset.Set.
func (*pictures) Task() dataset.Task { return dataset.Unlabelled }

// Prepared implements dataset.Set: the numbers are in the network's own units.
func (*pictures) Prepared() string { return "" }

// Batch implements dataset.Set.
func (s *pictures) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	if lo < 0 || hi > s.Len() || lo > hi {
		return dataset.Batch{}, fmt.Errorf("samples %d to %d of %d", lo, hi, s.Len())
	}
	each := tensor.Len(s.shape)
	t, err := tensor.FromFloat32s(tensor.Float32, append([]int{hi - lo}, s.shape...), s.data[lo*each:hi*each])
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": t}}, err
}
