package main

import (
	"context"

	"pare/dataset"
	"pare/eval"
	"pare/tensor"
)

// memo is a reference whose outputs are remembered: it is asked for the same
// batches in the same order by the evaluation of every recipe.
type memo struct {
	eval.Network
	outputs []map[string]*tensor.Tensor
	next    int
}

// rewind starts the next evaluation.
func (m *memo) rewind() *memo {
	m.next = 0
	return m
}

// Run implements eval.Network.
func (m *memo) Run(ctx context.Context, in map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	if m.next == len(m.outputs) {
		out, err := m.Network.Run(ctx, in)
		if err != nil {
			return nil, err
		}
		judged := m.Outputs()[0].Name
		m.outputs = append(m.outputs, map[string]*tensor.Tensor{judged: out[judged]})
	}
	m.next++
	return m.outputs[m.next-1], nil
}

// remembered is data whose batches are prepared once; networks do not change
// their inputs.
type remembered struct {
	dataset.Set
	batches map[[2]int]dataset.Batch
}

// Batch implements dataset.Set.
func (r *remembered) Batch(ctx context.Context, lo, hi int) (dataset.Batch, error) {
	at := [2]int{lo, hi}
	if b, ok := r.batches[at]; ok {
		return b, nil
	}
	b, err := r.Set.Batch(ctx, lo, hi)
	if err == nil {
		r.batches[at] = b
	}
	return b, err
}
