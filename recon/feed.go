package recon

import (
	"context"
	"fmt"
	"slices"

	"pare/calib"
	"pare/ir"
	"pare/tensor"
)

// feed holds values of all samples by name.
type feed map[string]*Store

// close frees the values that keep does not name.
func (f feed) close(keep func(name string) bool) {
	for name, s := range f {
		if !keep(name) {
			s.Close()
			delete(f, name)
		}
	}
}

// nothing is what close keeps to free all values.
func nothing(string) bool { return false }

// runs are all samples in order, in groups of equal shapes and at most n samples.
func (f feed) runs(names []string, total, n int) [][]int {
	var out [][]int
	for i := range total {
		k := len(out) - 1
		if k < 0 || len(out[k]) == n || !f.alike(names, out[k][0], i) {
			out = append(out, nil)
			k++
		}
		out[k] = append(out[k], i)
	}
	return out
}

// alike reports whether two samples have the same shapes.
func (f feed) alike(names []string, i, j int) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return f[name] != nil && !slices.Equal(f[name].Shape(i), f[name].Shape(j))
	})
}

// read fills a batch of named values.
func (f feed) read(names []string, samples []int, into []*tensor.Tensor) error {
	for i, name := range names {
		s := f[name]
		if s == nil {
			return fmt.Errorf("the unit reads %q, which was not kept", name)
		}
		t, err := s.Read(samples, into[i])
		if err != nil {
			return err
		}
		into[i] = t
	}
	return nil
}

// inputNames are those of a part's data inputs, in order.
func inputNames(m *ir.Model) (out []string) {
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			out = append(out, v.Name)
		}
	}
	return out
}

// fill runs a part on all samples, batch of them at a time, and keeps its outputs.
func fill(ctx context.Context, run calib.NewRunner, part *ir.Model, from feed, samples, batch int) (feed, error) {
	r, err := run(part, part.Graph.Outputs)
	if err != nil {
		return nil, err
	}
	out := feed{}
	names := inputNames(part)
	buf := make([]*tensor.Tensor, len(names))
	err = func() error {
		for _, v := range part.Graph.Outputs {
			if out[v.Name], err = NewStore(); err != nil {
				return err
			}
		}
		for _, idx := range from.runs(names, samples, batch) {
			results, err := from.run(ctx, r, names, idx, buf)
			if err != nil {
				return err
			}
			for i, v := range part.Graph.Outputs {
				if err := out[v.Name].Append(results[i], len(idx)); err != nil {
					return fmt.Errorf("value %q: %w", v.Name, err)
				}
			}
		}
		return nil
	}()
	if err != nil {
		out.close(nothing)
		return nil, err
	}
	return out, nil
}

// run computes a part on some samples.
func (f feed) run(ctx context.Context, r calib.Runner, names []string, samples []int, buf []*tensor.Tensor) ([]*tensor.Tensor, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := f.read(names, samples, buf); err != nil {
		return nil, err
	}
	in := map[string]*tensor.Tensor{}
	for i, name := range names {
		in[name] = buf[i]
	}
	return r.Run(ctx, in)
}
