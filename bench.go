package pare

import (
	"context"
	"runtime"
	"time"

	"pare/internal/cpu"
	"pare/kernel"
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
	// Rival is a command, word by word, that runs the model's file in another engine,
	// timed in turn with the model in place of Against: "python x/peers/serve.py ort",
	// or any other that speaks its protocol. It runs what the command says, so take it
	// from whom you trust.
	Rival []string
	// Progress may be nil.
	Progress Progress
}

// BenchTime is how long a model is timed when no number of runs is given.
const BenchTime = 3 * time.Second

// Timing is how long a model takes for one run, in milliseconds.
type Timing struct {
	Model    string  `json:"model,omitempty"`
	Engine   string  `json:"engine,omitempty"` // of a rival, with its version
	MedianMS float64 `json:"median_ms"`
	MinMS    float64 `json:"min_ms"`
	MaxMS    float64 `json:"max_ms"`
	FirstMS  float64 `json:"first_ms"`    // to compile the loaded model and to run it once
	Arena    int64   `json:"arena_bytes"` // memory for values between operators, 0 for rivals
}

// BenchResult is what timing a model gave on this machine.
type BenchResult struct {
	Timing
	Threads int     `json:"threads"`
	Batch   int     `json:"batch"`
	CPU     string  `json:"cpu"`           // level of the kernels in use
	Peak    float64 `json:"peak_gflops"`   // of one core, measured in this run, times the threads
	IntPeak float64 `json:"peak_int_gops"` // the same for products of 8-bit integers
	Read    float64 `json:"peak_read_gbs"` // gigabytes that the threads read from memory in a second
	Runs    int     `json:"runs"`
	// PerSecond is the number of samples a second at the median.
	PerSecond float64 `json:"samples_per_second"`
	// GOPS is the operations of all steps at the median, in billions a second.
	GOPS    float64      `json:"gops"`
	Steps   []StepTime   `json:"steps"`
	Kernels []KernelTime `json:"kernels"` // the same by kernel
	Against *Timing      `json:"against,omitempty"`
	// Ratio is the median over pairs of runs of the other model's time over this
	// one's: above 1 this one is faster. The interval holds it with 95 %.
	Ratio         *float64    `json:"ratio,omitempty"`
	RatioInterval *[2]float64 `json:"ratio_interval,omitempty"`
	Notes         []string    `json:"notes,omitempty"`
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
	own, t, err := m.contenders(ctx, in, o)
	defer t.close()
	if err != nil {
		return nil, err
	}
	if err := t.run(ctx, o); err != nil {
		return nil, err
	}
	out := &BenchResult{Timing: t.timing(0), Threads: o.Threads, Batch: o.Batch, CPU: cpu.Level(), Runs: len(t.seconds[0]), Notes: notes}
	out.measurePeaks()
	out.PerSecond = float64(o.Batch) / out.MedianMS * 1e3
	if len(t.contenders) > 1 {
		other := t.timing(1)
		ratio, interval := t.ratio()
		out.Against, out.Ratio, out.RatioInterval = &other, &ratio, &interval
	}
	if err := out.profile(ctx, own, in); err != nil {
		return out, err
	}
	if hint := m.narrowHint(out.Steps); hint != "" {
		out.Notes = append(out.Notes, hint)
	}
	return out, nil
}

// measurePeaks measures what the machine can do at most.
func (r *BenchResult) measurePeaks() {
	const each = 100 * time.Millisecond
	cores := min(r.Threads, runtime.NumCPU())
	r.Peak = float64(cores) * kernel.Peak(each) / 1e9
	r.IntPeak = float64(cores) * kernel.IntPeak(each) / 1e9
	r.Read = kernel.ReadPeak(each, cores) / 1e9
}
