package pare

import (
	"context"
	"fmt"
	"slices"

	"pare/compress"
	"pare/dataset"
	"pare/ir"
	"pare/op"
	"pare/pass"
)

// CompareOptions say how two models are compared.
type CompareOptions struct {
	Threads  int
	Data     dataset.Set // nil for random inputs
	Samples  int         // of Data; 0 for 64
	Batch    int         // samples per run; 0 for 8
	Random   Random      // the inputs without data
	Progress Progress
}

// Comparison is how far a model drifts from its original, layer by layer.
type Comparison struct {
	Original  string          `json:"original"`
	Model     string          `json:"model"`
	Samples   int             `json:"samples"`
	OutputSNR float64         `json:"output_snr_db"` // of the first output
	Layers    []LayerDrift    `json:"layers"`
	Unmatched []compress.Kept `json:"unmatched"` // layers without counterpart, and why
	Guilty    []string        `json:"guilty"`
	Notes     []string        `json:"notes,omitempty"`
}

// LayerDrift is the drift of one layer's results, as signal-to-noise ratios in
// decibels; 200 stands for identical results.
type LayerDrift struct {
	Name     string  `json:"name"`
	Op       string  `json:"op"`
	SNR      float64 `json:"snr_db"`          // accumulated from the input to here
	Isolated float64 `json:"isolated_snr_db"` // of this layer alone, run on the original's values
	Share    float64 `json:"noise_share"`     // of the isolated noise of all layers
}

// Compare runs a model and its original on the same inputs and compares the
// results of every layer that both have: as they come, and with the layer's own
// inputs taken from the original. Layers are matched by the name of their
// result. Where the model has fewer batch-norms, those of the original are
// folded first, so that results mean the same.
func (m *Model) Compare(ctx context.Context, original *Model, o CompareOptions) (*Comparison, error) {
	a, err := alike(ctx, original.ir, m.ir)
	if err != nil {
		return nil, named(original.path, err)
	}
	b := ir.CloneModel(m.ir)
	for _, g := range []*ir.Model{a, b} {
		if _, err := op.Infer(g); err != nil {
			return nil, err
		}
	}
	out := &Comparison{Original: original.path, Model: m.path, Layers: []LayerDrift{}, Guilty: []string{}}
	points, unmatched := shared(a, b)
	if out.Unmatched = unmatched; len(points) == 0 {
		return nil, fmt.Errorf("%s and %s have no layer with a result of the same name", original.path, m.path)
	}
	c, err := newComparer(ctx, a, b, points, o.Threads)
	if err != nil {
		return nil, named(m.path, err)
	}
	if err := c.all(ctx, m, o, out); err != nil {
		return nil, named(m.path, err)
	}
	c.report(out)
	return out, nil
}

// alike is the original in the shape that results of the model can be compared
// with.
func alike(ctx context.Context, original, model *ir.Model) (*ir.Model, error) {
	a := ir.CloneModel(original)
	if batchNorms(original) <= batchNorms(model) {
		return a, nil
	}
	if _, err := pass.Simplify(ctx, a); err != nil {
		return nil, err
	}
	_, err := pass.FoldBatchNorms(ctx, a)
	return a, err
}

func batchNorms(m *ir.Model) (n int) {
	for _, node := range m.Graph.Nodes {
		if node.Op == "BatchNormalization" {
			n++
		}
	}
	return n
}

// point is a layer whose result both models have.
type point struct{ layer, op, value string }

func shared(a, b *ir.Model) (points []point, unmatched []compress.Kept) {
	unmatched = []compress.Kept{}
	for _, l := range compress.Layers(b) {
		if l.Kind == compress.Other || len(l.Node.Out) == 0 || l.Node.Out[0] == nil {
			continue
		}
		v := l.Node.Out[0]
		if b.Graph.Value(v.Name) != v {
			unmatched = append(unmatched, compress.Kept{Name: l.Name, Reason: l.Reason})
			continue
		}
		switch w := a.Graph.Value(v.Name); {
		case w == nil || w.Producer() == nil:
			unmatched = append(unmatched, compress.Kept{Name: l.Name, Reason: "the original has no result " + v.Name})
		case differ(v.Type, w.Type):
			unmatched = append(unmatched, compress.Kept{Name: l.Name, Reason: fmt.Sprintf("its result is %v, that of the original %v", v.Type, w.Type)})
		default:
			points = append(points, point{l.Name, l.Node.Op, v.Name})
		}
	}
	return points, unmatched
}

// differ reports types whose sizes certainly differ.
func differ(a, b ir.Type) bool {
	x, okX := a.Sizes()
	y, okY := b.Sizes()
	return okX && okY && !slices.Equal(x, y)
}
