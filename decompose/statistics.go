package decompose

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/ir"
)

// moments are mean and variance of channels; nil where they are not known.
type moments struct{ mean, variance []float64 }

// statistics are what is known of what layers read.
type statistics struct {
	table *calib.Table                  // by the network itself
	seen  map[*ir.Value]*calib.Observed // in data or samples made up
	real  bool                          // in data
}

// samplesMade is how many made-up samples stand for data.
const samplesMade = 16

// newStatistics answers the requests where data have not: by samples that are made
// up, if there are any to be had.
func newStatistics(ctx context.Context, m *ir.Model, env *compress.Env, requests []calib.Request) (*statistics, error) {
	s := &statistics{table: calib.Propagate(m, calib.Options{InputLo: env.Input.Lo, InputHi: env.Input.Hi}), seen: env.Observed, real: env.Observed != nil}
	if s.real || env.Run == nil {
		return s, nil
	}
	set, err := calib.Noise(m, env.Input.Lo, env.Input.Hi, samplesMade, env.Seed)
	if err != nil {
		env.Log.Info("no synthetic inputs", "reason", err)
		return s, nil
	}
	// One at a time: what all layers read is kept until it has been looked at.
	s.seen, err = calib.Collect(ctx, m, calib.Data{Set: set, Batch: 1, Run: env.Run}, requests, nil)
	if err != nil {
		return nil, fmt.Errorf("synthetic inputs: %w", err)
	}
	return s, nil
}

// of returns mean and variance of the channels along an axis of v: of data, else
// what the network tells, else of made-up samples.
func (s *statistics) of(v *ir.Value, axis, channels int) moments {
	known, _ := s.table.Stats(v)
	if o := s.seen[v]; o != nil && o.Count > 0 && (s.real || known == nil || len(known.Mean) != channels) {
		known = o.Stats()
	}
	if known == nil || len(known.Mean) != len(known.Std) {
		return moments{}
	}
	out := moments{mean: make([]float64, channels), variance: make([]float64, channels)}
	for c := range channels {
		from := c
		if len(known.Mean) == 1 && v.Producer() == nil {
			from = 0 // the declared range of the input
		} else if len(known.Mean) != channels || known.Axis != axis {
			return moments{}
		}
		out.mean[c], out.variance[c] = known.Mean[from], known.Std[from]*known.Std[from]
	}
	return out
}

// dataAxis is the axis of the channels of what a layer reads and computes.
func dataAxis(l *compress.Layer) int {
	if l.Kind == compress.Dense {
		return l.Node.In[0].Type.Rank() - 1
	}
	return 1
}
