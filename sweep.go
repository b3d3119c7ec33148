package pare

import (
	"context"
	"fmt"
	"path/filepath"

	"pare/compress"
	"pare/dataset"
	"pare/eval"
)

// SweepOptions say how recipes are tried.
type SweepOptions struct {
	Seed    uint64
	Threads int
	Data    dataset.Set // measured on
	Batch   int         // samples per timed run; 0 for 1
	Runs    int         // timed pairs of runs; 0 as in BenchOptions
	Dir     string      // where NAME.onnx is written
	// Progress may be nil.
	Progress Progress
}

// Candidate is a recipe to try, under the name of the file it gives.
type Candidate struct{ Name, Recipe string }

// Tried is what a recipe gave.
type Tried struct {
	Name    string       `json:"name"`
	Recipe  string       `json:"recipe"`
	File    string       `json:"file"`
	Bytes   int64        `json:"bytes"`
	Share   float64      `json:"size"` // of the original's bytes
	Seconds float64      `json:"seconds"`
	Eval    *eval.Result `json:"eval"`
	// Ratio is the original's time over this one's, measured in turn.
	MedianMS      float64    `json:"median_ms"`
	Ratio         float64    `json:"ratio"`
	RatioInterval [2]float64 `json:"ratio_interval"`
	Skipped       int        `json:"skipped"` // layers left as they were
	Warnings      []string   `json:"warnings"`
}

// Sweep applies every recipe to the model, without data, writes the results,
// and measures the written files against the model, which is not changed.
func (m *Model) Sweep(ctx context.Context, candidates []Candidate, o SweepOptions) ([]Tried, error) {
	info, err := m.Info(ctx)
	if err != nil {
		return nil, err
	}
	out := []Tried{}
	for i, c := range candidates {
		if o.Progress != nil {
			o.Progress("recipes", i, len(candidates))
		}
		t, err := m.try(ctx, c, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		t.Share = float64(t.Bytes) / float64(info.Bytes)
		out = append(out, *t)
	}
	return out, nil
}

// untouched counts the layers that no step changed, of those that steps speak of.
func untouched(layers []compress.LayerReport) int {
	changed := map[string]bool{}
	for _, l := range layers {
		changed[l.Name] = changed[l.Name] || !l.Skipped
	}
	n := 0
	for _, done := range changed {
		if !done {
			n++
		}
	}
	return n
}

func (m *Model) try(ctx context.Context, c Candidate, o SweepOptions) (*Tried, error) {
	work := m.Clone()
	rep, err := work.Compress(ctx, c.Recipe, Options{Seed: o.Seed, Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	t := &Tried{Name: c.Name, Recipe: rep.Recipe, File: filepath.Join(o.Dir, c.Name+".onnx"), Seconds: rep.Seconds, Warnings: rep.Warnings, Skipped: untouched(rep.Layers)}
	written, err := work.Save(t.File, SaveOptions{})
	if err != nil {
		return nil, err
	}
	t.Bytes = written.Bytes
	small, err := Load(t.File)
	if err != nil {
		return nil, err
	}
	defer small.Close()
	if t.Eval, err = small.Evaluate(ctx, o.Data, EvalOptions{Threads: o.Threads, Against: m}); err != nil {
		return nil, err
	}
	b, err := small.Bench(ctx, BenchOptions{Threads: o.Threads, Batch: o.Batch, Runs: o.Runs, Seed: o.Seed, Against: m})
	if err != nil {
		return nil, err
	}
	t.MedianMS, t.Ratio, t.RatioInterval = b.MedianMS, *b.Ratio, *b.RatioInterval
	return t, nil
}
