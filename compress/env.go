package compress

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"slices"

	"pare/calib"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// Env is everything a method may use besides the model.
type Env struct {
	Log     *slog.Logger
	Seed    uint64
	Threads int // at least 1; results must not depend on it
	// Observed are the answers to the method's requests, nil without data.
	Observed map[*ir.Value]*calib.Observed
	// Input declares the range of the network's input, for methods without
	// data; zero when unknown.
	Input InputRange
	// Data are the samples to calibrate on, for methods that run networks on them
	// more than once; nil without data.
	Data *calib.Data
	// Run evaluates networks, for methods that look at activations of samples
	// they make up; nil when there is no means to.
	Run calib.NewRunner
	// Times measures what the layers of a network take in formats such as "w4a8", in
	// milliseconds by layer and format; nil when there is no means to.
	Times Times

	originals map[*ir.Value]*tensor.Tensor // of the whole run
	step      *StepReport
	report    *Report
	layers    []Selection
	machine   *machine       // that the recipe is for, nil for any
	change    func(l *Layer) // what a method makes of the selections, nil for nothing
	ahead     []Method       // the steps behind the running one
	progress  func(Progress)
	index     int      // of the step
	steps     int      // of the recipe
	inside    Progress // what Advance said last
	total     int
	journal   *kept // nil for none
	shared    map[any]any
	watch     *watch // nil outside of runs
	origin    *ir.Model
}

// Times measures layers in formats on this machine.
type Times func(ctx context.Context, m *ir.Model, formats []string) (map[string]map[string]float64, error)

// InputRange says what the network's input looks like: per channel the smallest
// and largest value, as image normalisation gives them. One entry stands for all
// channels, none for unknown.
type InputRange struct{ Lo, Hi []float64 }

// Rand returns a random source that depends on the seed and the name alone.
func (e *Env) Rand(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(e.Seed, h.Sum64()))
}

// Layers lists the model's layers with the recipe's selections applied: those
// to be skipped have a Reason. Widths are selected for layers that share their
// weights, too: their data are their own.
func (e *Env) Layers(m *ir.Model) []Layer {
	out := Layers(m)
	for i := range out {
		l := &out[i]
		if l.Reason != "" && l.SharesWith == "" {
			continue
		}
		k := slices.IndexFunc(e.layers, func(s Selection) bool { return matchName(s.Match, l.Name) })
		if k >= 0 {
			l.selected(e.layers[k])
		}
		if e.machine != nil && l.Bits == 0 {
			e.machine.limit(l)
		}
		if e.change != nil {
			e.change(l)
		}
	}
	e.total = len(out)
	return out
}

// With returns an environment that changes what Layers lists by f, after the
// recipe's selections, and shares everything else with e.
func (e *Env) With(f func(l *Layer)) *Env {
	out := *e
	out.change = func(l *Layer) {
		if e.change != nil {
			e.change(l)
		}
		f(l)
	}
	return &out
}

// Ahead reports whether a step behind the running one is of one of the kinds.
func (e *Env) Ahead(kinds ...Kind) bool {
	return slices.ContainsFunc(e.ahead, func(m Method) bool { return slices.Contains(kinds, kindOf(m)) })
}

// Step is the report of the running step, for what is not about one layer.
func (e *Env) Step() *StepReport { return e.step }

// Phase tells the runner that a part of the running step is done, such as hashing
// before merging: it measures what m costs by now and what became of its outputs, if
// anything changed since the last time. m must be a network that can be run.
func (e *Env) Phase(ctx context.Context, m *ir.Model, what string) error {
	if e.watch == nil {
		return nil
	}
	return e.watch.phase(ctx, m, e.step, what)
}

// Done records what happened to a layer and advances the progress.
func (e *Env) Done(r LayerReport) {
	r.Step = e.step.Step
	r.Orders = max(1, r.Orders)
	if r.Skipped {
		e.step.Skipped++
	} else {
		e.step.Layers++
	}
	e.report.Layers = append(e.report.Layers, r)
	e.advance(r.Name)
}

// Skip records a layer that stays as it is.
func (e *Env) Skip(l *Layer, reason string) {
	e.Done(LayerReport{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Params: l.Params(), Skipped: true, Reason: reason})
}

// Warn adds a warning to the report.
func (e *Env) Warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	e.Log.Warn(text, "step", e.step.Step)
	e.report.Warnings = append(e.report.Warnings, text)
}

// Remember keeps what a decoded value stood for before it was encoded, for later
// steps of the same run.
func (e *Env) Remember(decoded *ir.Value, original *tensor.Tensor) { e.originals[decoded] = original }

// Shared returns what make returned when a step first asked for the key: what is
// costly to work out and wanted by several parts of a method.
func (e *Env) Shared(key any, make func() any) any {
	x, ok := e.shared[key]
	if !ok {
		x = make()
		e.shared[key] = x
	}
	return x
}

// Origin is the network before the first step, for methods that aim at what it
// computes. It must not be changed.
func (e *Env) Origin() *ir.Model { return e.origin }

// Original is what a decoded value stood for before a step of this run encoded
// it, nil when that is not known.
func (e *Env) Original(decoded *ir.Value) *tensor.Tensor { return e.originals[decoded] }

// Raise makes sure that the model speaks at least the given version of the
// standard operator set.
func (e *Env) Raise(m *ir.Model, opset int) error {
	if m.Opset("") >= opset {
		return nil
	}
	if _, err := op.Infer(m); err != nil {
		return err
	}
	return op.RaiseTo(m, opset)
}
