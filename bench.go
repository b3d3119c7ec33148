package pare

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"pare/internal/cpu"
	"pare/internal/stat"
	"pare/kernel"
	"pare/tensor"
)

// BenchOptions say how a model is timed.
type BenchOptions struct {
	Threads int
	Batch   int              // samples per run; 0 for 1
	Runs    int              // 0 for as many as fit in BenchTime, within 5 and 1000
	Warmup  int              // runs before the first that counts; 0 for 3
	Seed    uint64           // of the random inputs
	Shapes  map[string][]int // of inputs whose own shape does not do
	Against *Model           // timed in turn with the model, when not nil
	// Progress may be nil.
	Progress Progress
}

// BenchTime is how long a model is timed when no number of runs is given.
const BenchTime = 3 * time.Second

// Timing is how long a model takes for one run, in milliseconds.
type Timing struct {
	Model    string  `json:"model,omitempty"`
	MedianMS float64 `json:"median_ms"`
	MinMS    float64 `json:"min_ms"`
	MaxMS    float64 `json:"max_ms"`
	Arena    int64   `json:"arena_bytes"` // memory for values between operators
}

// BenchResult is what timing a model gave on this machine.
type BenchResult struct {
	Timing
	Threads int     `json:"threads"`
	Batch   int     `json:"batch"`
	CPU     string  `json:"cpu"`           // level of the kernels in use
	Peak    float64 `json:"peak_gflops"`   // of one core, measured in this run, times the threads
	IntPeak float64 `json:"peak_int_gops"` // the same for products of 8-bit integers
	Runs    int     `json:"runs"`
	// PerSecond is the number of samples a second at the median.
	PerSecond float64    `json:"samples_per_second"`
	Steps     []StepTime `json:"steps"`
	Against   *Timing    `json:"against,omitempty"`
	// Ratio is the median over pairs of runs of the other model's time over this
	// one's: above 1 this one is faster. The interval holds it with 95 %.
	Ratio         *float64    `json:"ratio,omitempty"`
	RatioInterval *[2]float64 `json:"ratio_interval,omitempty"`
	Notes         []string    `json:"notes,omitempty"`
}

// StepTime is the time of one step of the program.
type StepTime struct {
	Name      string  `json:"name"`
	Op        string  `json:"op"`
	Kernel    string  `json:"kernel"`
	MS        float64 `json:"ms"`
	GOPS      float64 `json:"gops"`       // operations (2 per multiply-accumulate) a second, in billions
	PeakShare float64 `json:"peak_share"` // of the measured peak of float32, or of integers where the step computes on those
	// Floats says why the step computes in float although its data come from a grid.
	Floats string `json:"floats,omitempty"`
}

// Bench times the model on random inputs, in this process and on this machine.
func (m *Model) Bench(ctx context.Context, o BenchOptions) (*BenchResult, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	o.Batch = max(1, o.Batch)
	in, notes, err := m.RandomInputs(Random{Seed: o.Seed, Batch: o.Batch, Shapes: o.Shapes})
	if err != nil {
		return nil, named(m.path, err)
	}
	models := []*Model{m}
	if o.Against != nil {
		models = append(models, o.Against)
	}
	t, err := newTimer(ctx, models, in, o)
	if err != nil {
		return nil, err
	}
	if err := t.run(ctx, o); err != nil {
		return nil, err
	}
	out := &BenchResult{
		Timing: t.timing(0), Threads: o.Threads, Batch: o.Batch, CPU: cpu.Level(), Runs: len(t.seconds[0]), Notes: notes,
	}
	cores := float64(min(o.Threads, runtime.NumCPU()))
	out.Peak = cores * kernel.Peak(100*time.Millisecond) / 1e9
	out.IntPeak = cores * kernel.IntPeak(100*time.Millisecond) / 1e9
	out.PerSecond = float64(o.Batch) / out.MedianMS * 1e3
	if o.Against != nil {
		other := t.timing(1)
		ratio, interval := t.ratio()
		out.Against, out.Ratio, out.RatioInterval = &other, &ratio, &interval
	}
	out.Steps, err = t.steps(ctx, out)
	for _, s := range out.Steps {
		if s.Floats != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("%s computes in float: %s", s.Name, s.Floats))
		}
	}
	if hint := m.narrowHint(out.Steps); hint != "" {
		out.Notes = append(out.Notes, hint)
	}
	return out, err
}

// timer times models in turn on the same inputs.
type timer struct {
	models   []*Model
	sessions []*Session
	in       map[string]*tensor.Tensor
	seconds  [][]float64 // by model
}

func newTimer(ctx context.Context, models []*Model, in map[string]*tensor.Tensor, o BenchOptions) (*timer, error) {
	t := &timer{models: models, in: in, seconds: make([][]float64, len(models))}
	for _, m := range models {
		s, err := m.NewSession(ctx, SessionOptions{Threads: o.Threads})
		if err != nil {
			return nil, err
		}
		t.sessions = append(t.sessions, s)
	}
	warm := o.Warmup
	if warm <= 0 {
		warm = 3
	}
	for range warm {
		if err := t.round(ctx, 0); err != nil {
			return nil, err
		}
	}
	for i := range t.seconds {
		t.seconds[i] = nil
	}
	return t, nil
}

// round runs every model once; the order changes from round to round, so that
// none always comes first.
func (t *timer) round(ctx context.Context, k int) error {
	for i := range t.sessions {
		j := (i + k) % len(t.sessions)
		start := time.Now()
		if _, err := t.sessions[j].Run(ctx, t.in); err != nil {
			return named(t.models[j].path, err)
		}
		t.seconds[j] = append(t.seconds[j], time.Since(start).Seconds())
	}
	return nil
}

// fewest and most runs that fill BenchTime.
const fewest, most = 5, 1000

func (t *timer) run(ctx context.Context, o BenchOptions) error {
	start := time.Now()
	for k := 0; ; k++ {
		if o.Runs > 0 && k >= o.Runs || o.Runs <= 0 && k >= fewest && (k >= most || time.Since(start) > BenchTime) {
			return nil
		}
		if err := t.round(ctx, k); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress("timing", k+1, max(0, o.Runs))
		}
	}
}

func (t *timer) timing(i int) Timing {
	s := t.seconds[i]
	out := Timing{Model: t.models[i].path, MedianMS: stat.Median(s) * 1e3, MinMS: s[0] * 1e3, MaxMS: s[0] * 1e3, Arena: t.sessions[i].ArenaBytes()}
	for _, x := range s {
		out.MinMS, out.MaxMS = min(out.MinMS, x*1e3), max(out.MaxMS, x*1e3)
	}
	return out
}

func (t *timer) ratio() (float64, [2]float64) {
	r := make([]float64, len(t.seconds[0]))
	for i := range r {
		r[i] = t.seconds[1][i] / t.seconds[0][i]
	}
	return stat.Median(r), stat.MedianInterval(r)
}

// profileRuns is the number of runs whose steps are timed.
const profileRuns = 5

func (t *timer) steps(ctx context.Context, r *BenchResult) ([]StepTime, error) {
	times, err := t.sessions[0].Profile(ctx, t.in, profileRuns)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	out := []StepTime{}
	for _, s := range times {
		step := StepTime{Name: s.Name, Op: s.Op, Kernel: s.Kernel, MS: s.Seconds * 1e3, Floats: s.Floats}
		if s.Seconds > 0 {
			step.GOPS = float64(s.Flops) / s.Seconds / 1e9
			step.PeakShare = step.GOPS / r.Peak
			if s.Integer {
				step.PeakShare = step.GOPS / r.IntPeak
			}
		}
		out = append(out, step)
	}
	return out, nil
}

// Slowest is the n slowest steps, slowest first; all of them in order for 0.
func Slowest(steps []StepTime, n int) []StepTime {
	if n <= 0 {
		return steps
	}
	out := slices.Clone(steps)
	slices.SortStableFunc(out, func(a, b StepTime) int { return cmp.Compare(b.MS, a.MS) })
	return out[:min(n, len(out))]
}
