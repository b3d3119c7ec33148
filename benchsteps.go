package pare

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"pare/engine"
	"pare/tensor"
)

// StepTime is the time of one step of the program.
type StepTime struct {
	Name      string  `json:"name"`
	Op        string  `json:"op"`
	Kernel    string  `json:"kernel"`
	MS        float64 `json:"ms"`
	Share     float64 `json:"share"`      // of the time of all steps
	Integer   bool    `json:"integer"`    // computes on integers
	GOPS      float64 `json:"gops"`       // operations (2 per multiply-accumulate) a second, in billions
	PeakShare float64 `json:"peak_share"` // of the measured peak of float32, or of integers where the step computes on those
	Bytes     int64   `json:"bytes"`      // of operands and results, weights in the form that is read
	GBS       float64 `json:"gbs"`        // gigabytes a second; above the memory's rate where caches serve
	// Floats says why the step computes in float although its data come from a grid.
	Floats string `json:"floats,omitempty"`
}

// profileRuns is the number of runs whose steps are timed.
const profileRuns = 5

// profile times the steps of a session.
func (r *BenchResult) profile(ctx context.Context, s *Session, in map[string]*tensor.Tensor) error {
	times, err := s.Profile(ctx, in, profileRuns)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	total, flops := 0.0, 0.0
	for _, t := range times {
		total, flops = total+t.Seconds, flops+float64(t.Flops)
	}
	r.GOPS = flops / r.MedianMS / 1e6
	r.Steps = []StepTime{}
	for _, t := range times {
		r.Steps = append(r.Steps, r.step(t, total))
		if t.Floats != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("%s computes in float: %s", t.Name, t.Floats))
		}
	}
	r.Kernels = byKernel(r.Steps)
	return nil
}

// step puts a step in proportion to the machine's peaks; total is the time of all.
func (r *BenchResult) step(t engine.StepTime, total float64) StepTime {
	s := StepTime{
		Name: t.Name, Op: t.Op, Kernel: t.Kernel, MS: t.Seconds * 1e3, Integer: t.Integer, Bytes: t.Bytes, Floats: t.Floats,
	}
	if t.Seconds <= 0 {
		return s
	}
	s.Share = t.Seconds / total
	s.GOPS = float64(t.Flops) / t.Seconds / 1e9
	s.GBS = float64(t.Bytes) / t.Seconds / 1e9
	s.PeakShare = s.GOPS / r.Peak
	if t.Integer {
		s.PeakShare = s.GOPS / r.IntPeak
	}
	return s
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

// KernelTime is what one kernel takes of a run, all its steps together.
type KernelTime struct {
	Kernel string  `json:"kernel"`
	Steps  int     `json:"steps"`
	MS     float64 `json:"ms"`
	Share  float64 `json:"share"` // of the time of all steps
}

// byKernel adds the steps of each kernel, slowest first.
func byKernel(steps []StepTime) []KernelTime {
	var out []KernelTime
	at := map[string]int{}
	for _, s := range steps {
		i, known := at[s.Kernel]
		if !known {
			i = len(out)
			at[s.Kernel] = i
			out = append(out, KernelTime{Kernel: s.Kernel})
		}
		out[i].Steps++
		out[i].MS += s.MS
		out[i].Share += s.Share
	}
	slices.SortStableFunc(out, func(a, b KernelTime) int { return cmp.Compare(b.MS, a.MS) })
	return out
}
