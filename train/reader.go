package train

import (
	"context"
	"fmt"
	"slices"

	"pare/calib"
	"pare/dataset"
	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// sample is what a step learns from: tensors in the order of the network's inputs.
type sample struct {
	in     []*tensor.Tensor
	labels []int   // one per row of classes, -1 where there is none; nil without labels
	others []int   // labels of the samples that were mixed in; nil for none
	share  float64 // of labels beside others
}

// rows is the number of samples.
func (s *sample) rows() int { return s.in[0].Shape[0] }

// reader assembles samples, the next step's while one is computed.
type reader struct {
	data    calib.Data
	m       *ir.Model // whose inputs are bound
	threads int
	ahead   map[int]chan read // by step
}

type read struct {
	s   *sample
	err error
}

// step returns what get makes for a step and begins with the next one, when there is
// one.
func (r *reader) step(ctx context.Context, step int, more bool, get func(ctx context.Context, step int) (*sample, error)) (*sample, error) {
	ch := r.ahead[step]
	r.ahead = map[int]chan read{}
	if more {
		next := make(chan read, 1)
		r.ahead[step+1] = next
		// The next call may have another context.
		go func(ctx context.Context) {
			s, err := get(ctx, step+1)
			next <- read{s, err}
		}(context.WithoutCancel(ctx))
	}
	if ch == nil {
		return get(ctx, step)
	}
	select {
	case got := <-ch:
		return got.s, got.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// samples reads samples by their places in the set.
func (r *reader) samples(ctx context.Context, list []int) (*sample, error) {
	batches := make([]dataset.Batch, len(list))
	errs := make([]error, len(list))
	par.Each(len(list), r.threads, func(i int) {
		if errs[i] = context.Cause(ctx); errs[i] == nil {
			batches[i], errs[i] = r.data.Set.Batch(ctx, list[i], list[i]+1)
		}
	})
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", list[i], err)
		}
	}
	whole, err := join(batches)
	if err != nil {
		return nil, err
	}
	return r.bind(whole)
}

// bind puts a batch in the order of the network's inputs.
func (r *reader) bind(b dataset.Batch) (*sample, error) {
	inputs := r.data.Inputs
	if inputs == nil {
		inputs = calib.DefaultInputs
	}
	in, err := inputs(r.m, b)
	if err != nil {
		return nil, err
	}
	s := &sample{labels: b.Labels}
	for _, v := range r.m.Graph.Inputs {
		if v.Const != nil {
			continue
		}
		if in[v.Name] == nil {
			return nil, fmt.Errorf("the data have nothing for input %q", v.Name)
		}
		s.in = append(s.in, in[v.Name])
	}
	if r.data.Set.Task() == dataset.NextToken {
		s.labels, err = following(b)
	}
	return s, err
}

// following are the tokens behind every token, -1 behind the last of a row.
func following(b dataset.Batch) ([]int, error) {
	for _, ids := range b.Inputs {
		if !ids.Type.IsInt() || ids.Rank() != 2 {
			continue
		}
		x, n := tensor.Float64s(ids), ids.Shape[1]
		out := make([]int, len(x))
		for i := range x {
			out[i] = -1
			if i%n < n-1 {
				out[i] = int(x[i+1])
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("the data have no sequences of tokens")
}

// join lays batches behind each other. Rows of tokens of which some are longer than
// others end in zeros.
func join(list []dataset.Batch) (dataset.Batch, error) {
	out := dataset.Batch{Inputs: map[string]*tensor.Tensor{}}
	for name := range list[0].Inputs {
		parts := make([]*tensor.Tensor, len(list))
		for i, b := range list {
			parts[i] = b.Inputs[name]
		}
		whole, err := joined(parts)
		if err != nil {
			return out, fmt.Errorf("input %q: %w", name, err)
		}
		out.Inputs[name] = whole
	}
	for _, b := range list {
		out.Labels = append(out.Labels, b.Labels...)
	}
	return out, nil
}

func joined(parts []*tensor.Tensor) (*tensor.Tensor, error) {
	shape := slices.Clone(parts[0].Shape)
	shape[0] = 0
	for _, t := range parts {
		if t == nil || t.Type != parts[0].Type || t.Rank() != len(shape) || !padded(t) && !slices.Equal(t.Shape[1:], shape[1:]) {
			return nil, fmt.Errorf("samples of different shapes, %v and %v, in one step; see the data options resize and crop", parts[0], t)
		}
		shape[0] += t.Shape[0]
		if padded(t) {
			shape[1] = max(shape[1], t.Shape[1])
		}
	}
	whole, at := tensor.New(parts[0].Type, shape...), 0
	row := len(whole.Bytes()) / max(1, shape[0])
	for _, t := range parts {
		own := len(t.Bytes()) / max(1, t.Shape[0])
		for i := range t.Shape[0] {
			copy(whole.Bytes()[at:at+row], t.Bytes()[i*own:][:own])
			at += row
		}
	}
	return whole, nil
}

// padded reports whether rows may be made longer.
func padded(t *tensor.Tensor) bool { return t.Type.IsInt() && t.Rank() == 2 }

// part is rows lo to hi-1 of samples of which there are n.
func (s *sample) part(lo, hi int) *sample {
	n := s.rows()
	out := &sample{}
	for _, t := range s.in {
		row := len(t.Bytes()) / n
		shape := slices.Clone(t.Shape)
		shape[0] = hi - lo
		c := tensor.New(t.Type, shape...)
		copy(c.Bytes(), t.Bytes()[lo*row:hi*row])
		out.in = append(out.in, c)
	}
	out.labels, out.others, out.share = rowsOf(s.labels, n, lo, hi), rowsOf(s.others, n, lo, hi), s.share
	return out
}

// rowsOf is what belongs to rows lo to hi-1 of n.
func rowsOf(labels []int, n, lo, hi int) []int {
	k := len(labels) / n
	if k == 0 {
		return nil
	}
	return labels[lo*k : hi*k]
}
