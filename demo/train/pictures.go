package main

import (
	"context"

	"pare/dataset"
	"pare/demo"
	"pare/tensor"
)

// pictures are records as demo.Draw returns them.
type pictures []byte

// Len implements dataset.Set.
func (p pictures) Len() int { return len(p) / demo.Record }

// Task implements dataset.Set.
func (p pictures) Task() dataset.Task { return dataset.Classification }

// Prepared implements dataset.Set.
func (p pictures) Prepared() string { return demo.Prepare }

// Batch implements dataset.Set: pictures are normalised as demo.Prepare says.
func (p pictures) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	x := tensor.New(tensor.Float32, hi-lo, 3, demo.Side, demo.Side)
	b := dataset.Batch{Inputs: map[string]*tensor.Tensor{"": x}}
	dst := tensor.Data[float32](x)
	for i := lo; i < hi; i++ {
		record := p[i*demo.Record:][:demo.Record]
		b.Labels = append(b.Labels, int(record[0]))
		for _, v := range record[1:] {
			dst[0] = float32((float64(v)/255 - demo.Mean) / demo.Std)
			dst = dst[1:]
		}
	}
	return b, nil
}
