package quant

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
)

// syntheticSamples is how many made-up samples stand for data: the statistics of
// real networks move by less than a tenth beyond.
const syntheticSamples = 16

// madeUp reports whether statistics of the model come from made-up samples.
func madeUp(m *ir.Model) bool {
	for v := range m.Graph.Values {
		if v.Stats != nil && v.Stats.Source == syntheticSource {
			return true
		}
	}
	return false
}

// syntheticSource is what statistics of made-up samples are called.
const syntheticSource = "synthetic inputs"

// complete gives the results of layers whose statistics do not follow from
// batch-norms others, measured on made-up samples within the declared range of
// the input. Where there are none to be had it changes nothing.
func complete(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if _, err := op.Infer(m); err != nil {
		return err
	}
	if env.Observed != nil {
		return nil
	}
	missing := unknownResults(m, env)
	if len(missing) == 0 {
		return nil
	}
	seen, err := synthetic(ctx, m, env, missing)
	if err != nil || seen == nil {
		return err
	}
	p := ir.NewPatch(m.Graph, "statistics of synthetic inputs")
	for _, r := range missing {
		if s := seen[r.Value].Stats(); s != nil {
			s.Lo, s.Hi, s.Source = nil, nil, syntheticSource
			p.SetStats(r.Value, s)
		}
	}
	env.Warn("%d layers have no batch-norm that tells the statistics of what they compute: these were measured on synthetic inputs; data to calibrate on would be better", len(missing))
	return p.Apply()
}

// synthetic observes values on made-up samples within the declared range of the
// input; nil where there are none to be had.
func synthetic(ctx context.Context, m *ir.Model, env *compress.Env, requests []calib.Request) (map[*ir.Value]*calib.Observed, error) {
	if env.Run == nil {
		return nil, nil
	}
	set, err := calib.Noise(m, env.Input.Lo, env.Input.Hi, syntheticSamples, env.Seed)
	if err != nil {
		env.Log.Info("no synthetic inputs", "reason", err)
		return nil, nil
	}
	// One at a time: the results of all layers are kept until they have been looked
	// at, and layers are cut for threads by themselves.
	seen, err := calib.Collect(ctx, m, calib.Data{Set: set, Batch: 1, Run: env.Run}, requests, nil)
	if err != nil {
		return nil, fmt.Errorf("synthetic inputs: %w", err)
	}
	return seen, nil
}

// unknownResults lists the results of convolutional and dense layers of which
// propagation knows no moments.
func unknownResults(m *ir.Model, env *compress.Env) []calib.Request {
	table := propagated(m, env, 0)
	own := map[*ir.Node]bool{} // not of sub-graphs
	for _, n := range m.Graph.Nodes {
		own[n] = true
	}
	var out []calib.Request
	for _, l := range env.Layers(m) {
		if l.Kind == compress.Embedding || l.Kind == compress.Other || !own[l.Node] || len(l.Node.Out) == 0 || l.Node.Out[0] == nil {
			continue
		}
		v := l.Node.Out[0]
		if s, _ := table.Stats(v); s != nil || v.Type.Rank() < 2 || normalised(v) {
			continue
		}
		axis := 1
		if l.Kind == compress.Dense {
			axis = v.Type.Rank() - 1
		}
		out = append(out, calib.Request{Value: v, Axis: axis, Moments: true})
	}
	return out
}

// normalised reports whether nothing reads v, or nothing but a batch-norm.
func normalised(v *ir.Value) bool {
	return len(v.Uses()) == 0 || len(v.Uses()) == 1 && v.Uses()[0].Node.Op == "BatchNormalization"
}

// propagated are the statistics that follow from the network and the declared
// input, with ranges k deviations wide; 0 for the usual. The table is shared
// within a step until the graph is edited: it may be read only. Types must be known.
func propagated(m *ir.Model, env *compress.Env, k float64) *calib.Table {
	if k == 0 {
		k = calib.UsualReach
	}
	type key struct {
		graph *ir.Graph
		edits int
		k     float64
	}
	return env.Shared(key{m.Graph, m.Graph.Edits(), k}, func() any {
		return calib.Propagate(m, calib.Options{K: k, InputLo: env.Input.Lo, InputHi: env.Input.Hi})
	}).(*calib.Table)
}

// deviations is how many standard deviations a range without data reaches at a
// given width: fewer levels want a narrower range, tails are heavier than
// normal.
func deviations(bits int) float64 {
	return []float64{2: 2, 3: 2.5, 4: 3, 5: 4, 6: 5, 7: 5.5, 8: 6}[bits]
}
