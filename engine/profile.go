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
	var times [][]float64
	for i := range max(runs, 1) + 1 {
		f, err := s.prepare(ctx, vals)
		if err != nil {
			return nil, err
		}
		if times == nil {
			times = make([][]float64, len(f.s.steps))
		}
		for k, st := range f.s.steps {
			start := time.Now()
			if err := f.run(ctx, st, s.p.o.Threads); err != nil {
				return nil, err
			}
			if i > 0 {
				times[k] = append(times[k], time.Since(start).Seconds())
			}
		}
		f.release()
	}
	return s.frame.report(times), nil
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
