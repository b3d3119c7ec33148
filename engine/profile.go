package engine

import (
	"context"
	"slices"
	"time"

	"pare/op"
	"pare/tensor"
)

// StepTime is one step of a program with its cost.
type StepTime struct {
	Name    string  // of the node that the step computes, or starts with
	Op      string  // its operator
	Kernel  string  // what computes it; "reference" for evaluations by package op
	Seconds float64 // median over the runs
	Flops   int64   // multiplications and additions, as far as counted
	Integer bool    // these are of integers
	Floats  string  // why they are not although the operands come from grids; "" where there is nothing to say
	Bytes   int64   // read and written in memory
}

// Profile runs the program so many times after one run to warm up, and returns
// the steps in their order with their median times.
func (s *Session) Profile(ctx context.Context, in map[string]*tensor.Tensor, runs int) ([]StepTime, error) {
	vals := make(map[string]op.Val, len(in))
	for name, t := range in {
		vals[name] = t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var times [][]float64 // by step
	for i := range max(runs, 1) + 1 {
		var stamps []time.Time
		f, err := s.steps(ctx, vals, func() { stamps = append(stamps, time.Now()) })
		if err != nil {
			return nil, err
		}
		f.release()
		if i > 0 {
			times = addTimes(times, append(stamps, time.Now()))
		}
	}
	return s.frame.report(times), nil
}

// addTimes adds to the times of every step what lies between its stamp and the
// next.
func addTimes(times [][]float64, stamps []time.Time) [][]float64 {
	if times == nil {
		times = make([][]float64, len(stamps)-1)
	}
	for k := range times {
		times[k] = append(times[k], stamps[k+1].Sub(stamps[k]).Seconds())
	}
	return times
}

func (f *frame) report(times [][]float64) []StepTime {
	out := make([]StepTime, len(f.s.steps))
	for i, st := range f.s.steps {
		slices.Sort(times[i])
		out[i] = StepTime{Op: st.node.Op, Kernel: st.kernel, Seconds: times[i][len(times[i])/2], Flops: st.flops, Integer: st.integer, Floats: st.floats, Bytes: st.bytes}
		out[i].Name = st.node.Name
		if out[i].Name == "" && len(st.node.Out) > 0 && st.node.Out[0] != nil {
			out[i].Name = st.node.Out[0].Name
		}
	}
	return out
}
