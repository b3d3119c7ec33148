package main

import (
	"context"

	"pare"
	"pare/compress"
	"pare/eval"
	"pare/ir"
	"pare/op"
)

// floatBits is what numbers left in float count as: half precision would hold
// them.
const floatBits = 16

// width is how a layer was left by a recipe.
type width struct {
	weights, data int
	expansion     float64 // operations of all terms over those of the first
}

// bitOperations are those of one sample. Where the network leaves sizes open they
// are those of the first batch that it is measured on.
func (t *trial) bitOperations(ctx context.Context, m *pare.Model, rep *pare.Report) (*float64, error) {
	sum, err := bitOperations(ctx, m, rep)
	if sum != nil || err != nil {
		return sum, err
	}
	samples := min(sizedBatch, t.data.Len())
	b, err := t.data.Batch(ctx, 0, samples)
	if err != nil {
		return nil, err
	}
	in, _, err := eval.Bind(m.IR().Graph.Inputs, b, samples)
	if err != nil {
		return nil, err
	}
	sized := m.Clone()
	for _, v := range sized.IR().Graph.Inputs {
		if x := in[v.Name]; x != nil {
			v.Type = ir.TypeOf(x)
		}
	}
	if _, err := op.InferWith(sized.IR(), op.InferOptions{Redo: true}); err != nil {
		return nil, err
	}
	if sum, err = bitOperations(ctx, sized, rep); sum != nil {
		*sum /= float64(samples)
	}
	return sum, err
}

// sizedBatch is the number of samples whose sizes stand for all.
const sizedBatch = 16

// bitOperations sums, over the layers with weights, multiply-accumulates times
// the bits of weights times those of the data, for one sample of the compressed
// network; nil where the multiply-accumulates of a layer are not known.
func bitOperations(ctx context.Context, m *pare.Model, rep *pare.Report) (*float64, error) {
	info, err := m.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	widths, sum := layerWidths(rep), 0.0
	for _, l := range info.Layers {
		if l.MACs == 0 && l.Kind != string(compress.Other) && l.Kind != string(compress.Embedding) {
			return nil, nil
		}
		w, ok := widths[l.Name]
		if !ok {
			w = width{floatBits, floatBits, 1}
		}
		sum += float64(l.MACs) * float64(w.weights) * float64(w.data) * w.expansion
	}
	return &sum, nil
}

// layerWidths follows the steps of a recipe through the layers.
func layerWidths(rep *pare.Report) map[string]width {
	steps := map[string]float64{}
	for _, s := range rep.Steps {
		if s.Expansion != nil {
			steps[s.Step] = s.Expansion.BitOperations
		}
	}
	out := map[string]width{}
	for _, l := range rep.Layers {
		w, ok := out[l.Name]
		if !ok {
			w = width{floatBits, floatBits, 1}
		}
		if !l.Skipped && l.Bits > 0 {
			w.weights = min(l.Bits, floatBits)
		}
		if l.ActivationBits > 0 {
			w.data = l.ActivationBits
		}
		if x, ok := steps[l.Step]; ok && l.Orders > 1 {
			w.expansion = x
		}
		out[l.Name] = w
	}
	return out
}
