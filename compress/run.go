package compress

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"pare/calib"
	"pare/ir"
	"pare/tensor"
)

// Options are the circumstances of a run.
type Options struct {
	Seed    uint64
	Threads int // 0 for all processors
	// Data to calibrate on, nil for none.
	Data *calib.Data
	// Input declares the range of the network's input.
	Input InputRange
	// Run evaluates networks on samples that methods make up; nil when there is
	// no means to.
	Run calib.NewRunner
	// Times measures layers in formats; nil when there is no means to.
	Times Times
	// Random makes so many samples of any network's inputs up, where it is not
	// known what they look like; nil when there is no means to.
	Random   func(m *ir.Model, samples int) (map[string]*tensor.Tensor, error)
	Progress func(Progress)
	Log      *slog.Logger
	// Journal keeps what an interrupted run goes on from; nil for none.
	Journal *Journal
	// Provenance is written into the model's metadata when a step changed it.
	// nil writes nothing.
	Provenance *Provenance
}

// Run applies the recipe to m, in place. After an error m must be discarded.
func (r *Recipe) Run(ctx context.Context, m *ir.Model, o Options) (*Report, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if err := r.supplied(o); err != nil {
		return nil, err
	}
	start := time.Now()
	rep := &Report{Recipe: r.String(), Seed: o.Seed, Layers: []LayerReport{}, Warnings: []string{}}
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	watch, err := r.newWatch(ctx, m, o, rep)
	if err != nil {
		return nil, err
	}
	err = r.runSteps(ctx, m, o, watch)
	watch.finish()
	if err != nil {
		return nil, err
	}
	if o.Provenance != nil && changes(r) {
		o.Provenance.write(m, rep)
	}
	rep.Seconds, rep.Peak = time.Since(start).Seconds(), PeakMemory()
	return rep, nil
}

// runSteps applies one step after the other.
func (r *Recipe) runSteps(ctx context.Context, m *ir.Model, o Options, w *watch) error {
	rep := w.report
	machine, _ := findMachine(r.For) // validated
	originals := map[*ir.Value]*tensor.Tensor{}
	origin := ir.CloneModel(m)
	journal := r.newKept(ctx, o)
	for i, method := range r.Steps {
		env := &Env{
			Log: o.Log, Seed: o.Seed, Threads: o.Threads, Input: o.Input, Data: o.Data, Run: o.Run, Times: o.Times, originals: originals, shared: map[any]any{},
			step: &StepReport{Step: stepString(method), Kind: kindOf(method)}, report: rep, layers: r.Layers, ahead: r.Steps[i+1:], machine: machine, progress: o.Progress, watch: w,
			index: i, steps: len(r.Steps), journal: journal, origin: origin,
		}
		err := r.warnUnfolded(ctx, m, env, i)
		if err == nil {
			err = runStep(ctx, m, method, env, o.Data)
		}
		if err == nil {
			err = w.after(ctx, m, method, env.step, i == len(r.Steps)-1)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", env.step.Step, err)
		}
		rep.Steps = append(rep.Steps, *env.step)
	}
	return nil
}

// changes reports whether a step of the recipe may change the model.
func changes(r *Recipe) bool {
	for _, m := range r.Steps {
		if _, same := m.(*Copy); !same {
			return true
		}
	}
	return false
}

func runStep(ctx context.Context, m *ir.Model, method Method, env *Env, data *calib.Data) (err error) {
	start := time.Now()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: %v\n%s", p, debug.Stack())
		}
	}()
	if p, ok := method.(Prepared); ok {
		if err := p.Prepare(m, env); err != nil {
			return err
		}
	}
	if c, ok := method.(Calibrated); ok && data != nil {
		done := func(n, of int) { env.Advance("calibration", n, of) }
		if env.Observed, err = calib.Collect(ctx, m, *data, c.Needs(m, env), done); err != nil {
			return err
		}
	}
	if err := method.Apply(ctx, m, env); err != nil {
		return err
	}
	if err := ir.Check(m.Graph); err != nil {
		return fmt.Errorf("the graph is broken after this step: %w", err)
	}
	env.step.Seconds = time.Since(start).Seconds()
	env.Log.Info("step done", "step", env.step.Step, "layers", env.step.Layers, "seconds", env.step.Seconds)
	return nil
}
