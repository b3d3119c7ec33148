package grad

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"pare/internal/fault"
	"pare/tensor"
)

// plan is a network at fixed shapes with its memory.
type plan struct {
	p       *Program
	steps   []*step
	inputs  []*slot // data inputs
	outputs []*slot
	tensors []*tensor.Tensor
	targets []target // in the order of backward
	scratch [][]float32
	ran     bool
}

// target is what backward does around a step: where gradients of operands go.
type target struct {
	step *step
	zero []*slot // results whose gradient nothing has set
	add  []sum
}

// sum adds a gradient to what others have contributed.
type sum struct{ dst, src []float32 }

// plan lays the memory of the steps out.
func (l *lowering) plan() (*plan, error) {
	pl := &plan{p: l.p}
	for _, name := range l.p.inputs {
		pl.inputs = append(pl.inputs, l.slots[l.m.Graph.Value(name)])
	}
	for _, v := range l.m.Graph.Outputs {
		pl.outputs = append(pl.outputs, l.inLayout(l.slots[v], plain))
	}
	pl.steps = l.steps
	pl.allocate(l)
	pl.schedule()
	return pl, nil
}

func (pl *plan) allocate(l *lowering) {
	seen := map[*slot]bool{}
	place := func(s *slot) {
		if s == nil || seen[s] || !s.isFloat() {
			return
		}
		seen[s] = true
		switch {
		case s.param != nil:
			s.data, s.grad = s.param.Data, s.param.Grad
		case s.fixed == nil:
			s.data = make([]float32, s.size())
		}
		if s.wants && s.grad == nil {
			s.grad = make([]float32, s.size())
		}
	}
	for _, s := range append(slices.Clone(pl.inputs), pl.outputs...) {
		place(s)
	}
	need := 0
	for _, st := range pl.steps {
		for _, s := range append(slices.Clone(st.in), st.out...) {
			place(s)
		}
		for _, b := range st.buffers {
			b.data = make([]float32, b.size)
		}
		for _, w := range append(slices.Clone(st.forward), st.backward...) {
			need = max(need, w.scratch)
		}
	}
	for range l.p.options.Threads {
		pl.scratch = append(pl.scratch, make([]float32, need))
	}
}

// schedule decides what sets a gradient and what adds to it.
func (pl *plan) schedule() {
	set := map[*slot]bool{}
	for _, s := range pl.outputs {
		set[s] = true // by the caller
	}
	for _, st := range slices.Backward(pl.steps) {
		if !st.flows() {
			continue
		}
		t := target{step: st}
		for _, o := range st.out {
			if o != nil && o.wants && !set[o] {
				t.zero = append(t.zero, o)
			}
		}
		for i, s := range st.in {
			if !st.wants(i) {
				continue
			}
			if set[s] || s.param != nil {
				st.dx[i] = make([]float32, s.size())
				t.add = append(t.add, sum{s.grad, st.dx[i]})
				continue
			}
			st.dx[i], set[s] = s.grad, true
		}
		pl.targets = append(pl.targets, t)
	}
}

// fits reports whether the plan is for inputs like these.
func (pl *plan) fits(in []*tensor.Tensor) bool {
	for i, s := range pl.inputs {
		if !slices.Equal(s.shape, in[i].Shape) || s.dtype != in[i].Type {
			return false
		}
	}
	return true
}

func (pl *plan) forward(ctx context.Context, in []*tensor.Tensor) error {
	for i, s := range pl.inputs {
		if s.isFloat() {
			copy(s.data, tensor.Float32s(in[i]))
		} else {
			s.other = in[i]
		}
	}
	for _, st := range pl.steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if st.eval != nil {
			if err := st.eval(ctx); err != nil {
				return fault.AtNode(st.node, err)
			}
		}
		pl.do(st.forward)
	}
	pl.ran = true
	return nil
}

// results are the outputs as tensors.
func (pl *plan) results() []*tensor.Tensor {
	pl.tensors = pl.tensors[:0]
	for _, s := range pl.outputs {
		if s.isFloat() {
			pl.tensors = append(pl.tensors, tensor.Of(s.shape, s.data))
		} else {
			t, _ := s.other.(*tensor.Tensor)
			pl.tensors = append(pl.tensors, t)
		}
	}
	return pl.tensors
}

func (pl *plan) backward(ctx context.Context, dOut []*tensor.Tensor) error {
	for _, i := range pl.p.wanted {
		clear(pl.inputs[i].grad)
	}
	for i, s := range pl.outputs {
		if dOut[i] == nil || s.grad == nil {
			clear(s.grad)
			continue
		}
		copy(s.grad, tensor.Float32s(dOut[i]))
	}
	for _, t := range pl.targets {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, s := range t.zero {
			clear(s.grad)
		}
		pl.do(t.step.backward)
		for _, a := range t.add {
			for i, v := range a.src {
				a.dst[i] += v
			}
		}
	}
	return nil
}

// do runs works one after the other.
func (pl *plan) do(list []work) {
	for _, w := range list {
		if w.tasks <= 1 || len(pl.scratch) == 1 {
			for t := range w.tasks {
				w.run(t, pl.scratch[0])
			}
			continue
		}
		var next atomic.Int64
		var wg sync.WaitGroup
		for _, scratch := range pl.scratch {
			wg.Go(func() {
				for t := int(next.Add(1) - 1); t < w.tasks; t = int(next.Add(1) - 1) {
					w.run(t, scratch)
				}
			})
		}
		wg.Wait()
	}
}
