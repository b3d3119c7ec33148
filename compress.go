package pare

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"pare/calib"
	"pare/compress"
	"pare/cost"
	"pare/dataset"
	_ "pare/decompose" // registers the decompositions
	"pare/eval"
	"pare/ir"
	_ "pare/prune" // registers the pruning methods
	_ "pare/quant" // registers the quantisation methods
	"pare/tensor"
	_ "pare/train" // registers tune
)

// Progress is told how far a long task is: what is under way, and how many of
// total things are done; total is 0 when unknown.
type Progress func(what string, done, total int)

// Options of Compress. The zero value compresses without data.
type Options struct {
	Seed    uint64
	Threads int // 0 for all processors; results do not depend on it
	// Data to calibrate on, nil for none, and how many samples of it; 0 for
	// DefaultSamples.
	Data    dataset.Set
	Samples int
	// Input declares the range of the network's input, for quantising
	// activations without data. Empty takes that of Data or Preparation.
	Input    compress.InputRange
	Progress Progress
	Log      *slog.Logger
	// Journal is a folder in which results of costly parts are kept, so that the same
	// run, interrupted, goes on where it was; "" for none. It stays until
	// RemoveJournal.
	Journal string
}

// calibBatch bounds the memory for activations, all of which are looked at.
const calibBatch = 8

// DefaultSamples is the number of samples that Compress calibrates on.
const DefaultSamples = 256

// Report says what a compression did and what it cost.
type Report struct {
	Input  *Info `json:"input"`
	Output *Info `json:"output,omitempty"` // of the written file
	compress.Report
	Eval *eval.Result `json:"eval,omitempty"`
	// Attempts are what CompressTo tried, in turn.
	Attempts []Attempt `json:"attempts,omitempty"`

	// Time compares the network with the input on this machine; nil where that was
	// not asked for.
	Time *PairTime `json:"time,omitempty"`

	searched map[string]float64 // figures of the attempt that was chosen
}

// Reduces reports whether steps pruned or decomposed the network, so that counts of
// operations claim a saving.
func (r *Report) Reduces() bool {
	return slices.ContainsFunc(r.Steps, func(s compress.StepReport) bool { return s.Kind.Reduces() })
}

// Compress applies a recipe, or the preset of that name, to the model. On error
// the model is as before.
func (m *Model) Compress(ctx context.Context, recipe string, o Options) (*Report, error) {
	r, err := compress.Parse(recipe)
	if err != nil {
		return nil, err
	}
	before, err := m.infoWith(ctx, cost.Quick)
	if err != nil {
		return nil, err
	}
	prepared, err := m.prepared(o.Data)
	if err != nil {
		return nil, err
	}
	run, err := m.runOptions(ctx, o, prepared)
	if err != nil {
		return nil, err
	}
	if before.SHA256 != "" {
		run.Provenance.Input = "sha256:" + before.SHA256
	}
	defer m.relaxed()()
	work := m.Clone()
	rep, err := r.Run(ctx, work.ir, run)
	if err != nil {
		return nil, named(m.path, err)
	}
	if run.Input.Lo == nil && o.Data == nil && floats(rep) {
		rep.Warnings = append(rep.Warnings, unknownInput)
	}
	if prepared != "" && changes(r) {
		work.ir.SetMeta(MetaPreparation, prepared)
	}
	m.ir, m.costs = work.ir, &rep.After
	before.counted(rep.Before)
	return &Report{Input: before, Report: *rep}, nil
}

// relaxed keeps the mapped file from piling up in memory beside what replaces
// its weights, until the function that it returns is called: most weights are
// read once.
func (m *Model) relaxed() (stop func()) {
	if m.file == nil {
		return func() {}
	}
	tick, done := time.NewTicker(10*time.Millisecond), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-tick.C:
				m.file.Relax()
			case <-done:
				return
			}
		}
	})
	return func() {
		tick.Stop()
		close(done)
		wg.Wait()
	}
}

const unknownInput = "the range of the network's input is not known: give its preprocessing (MODEL.data.json), its range (--input-range) or data"

// floats reports whether activations were left in float.
func floats(r *compress.Report) bool {
	return slices.ContainsFunc(r.Steps, func(s compress.StepReport) bool { return len(s.Floats) > 0 })
}

// prepared is the preprocessing that the compressed model is told of.
func (m *Model) prepared(data dataset.Set) (string, error) {
	if data != nil && data.Prepared() != "" {
		return data.Prepared(), nil
	}
	p, err := m.Preparation()
	return p.Options, err
}

func (m *Model) runOptions(ctx context.Context, o Options, prepared string) (compress.Options, error) {
	out := compress.Options{
		Seed: o.Seed, Threads: o.Threads, Input: o.Input, Log: o.Log,
		Provenance: &compress.Provenance{Version: Version}, Run: newRunner(ctx, o.Threads), Random: randomSamples(o.Seed), Times: layerTimes(o.Threads),
	}
	if out.Input.Lo == nil {
		var err error
		if out.Input, err = m.InputRange(prepared); err != nil {
			return out, err
		}
	}
	if o.Progress != nil {
		out.Progress = func(p compress.Progress) { o.Progress(activity(p), p.Done, p.Total) }
	}
	if o.Journal != "" {
		out.Journal = &compress.Journal{Dir: o.Journal, Input: m.hash, Version: journalVersion()}
	}
	if o.Data != nil {
		n := o.Samples
		if n == 0 {
			n = DefaultSamples
		}
		out.Data = &calib.Data{Set: o.Data, Samples: n, Batch: calibBatch, Run: newRunner(ctx, o.Threads), Inputs: bind}
	}
	return out, nil
}

// randomSamples makes inputs up for networks of which nothing else is known.
func randomSamples(seed uint64) func(m *ir.Model, samples int) (map[string]*tensor.Tensor, error) {
	return func(m *ir.Model, samples int) (map[string]*tensor.Tensor, error) {
		in, _, err := New(m).RandomInputs(Random{Seed: seed, Batch: samples})
		return in, err
	}
}

// changes reports whether a recipe does anything but copy.
func changes(r *compress.Recipe) bool {
	return slices.ContainsFunc(r.Steps, func(s compress.Method) bool {
		_, same := s.(*compress.Copy)
		return !same
	})
}

// Figures are what goals can be checked against.
func (r *Report) Figures() map[string]float64 {
	out := Figures(r.Eval)
	maps.Copy(out, r.searched)
	if r.Before.Params > 0 {
		out["params"] = float64(r.After.Params) / float64(r.Before.Params)
	}
	if r.Output != nil && r.Input.MACs > 0 {
		out["macs"] = ratio(r.Output.MACs, r.Input.MACs)
	}
	if r.Output != nil && r.Input.Bytes > 0 {
		out["size"] = float64(r.Output.Bytes) / float64(r.Input.Bytes)
	} else if r.Before.Bytes > 0 {
		out["size"] = float64(r.After.Bytes) / float64(r.Before.Bytes)
	}
	return out
}
