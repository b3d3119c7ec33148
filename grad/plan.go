package grad

import (
	"slices"

	"pare/internal/hugepage"
	"pare/kernel"
	"pare/tensor"
)

// plan is a network at fixed shapes with its memory.
type plan struct {
	*schedule
	p       *Program
	arena   []float32        // that slices are bound to
	tensors []*tensor.Tensor // of the outputs
	scratch int              // floats that a thread needs
	ran     bool             // Backward may follow
}

// plan chooses what is computed again, so that the memory suffices, and lays
// memory out.
func (l *lowering) plan() (*plan, error) {
	pl := &plan{p: l.p}
	var in, out []*slot
	for _, name := range l.p.inputs {
		in = append(in, l.slots[l.m.Graph.Value(name)])
	}
	for _, v := range l.m.Graph.Outputs {
		out = append(out, l.inLayout(l.slots[v], plain))
	}
	pl.schedule = l.affordable(in, out)
	for _, st := range l.steps {
		for _, w := range slices.Concat(st.forward, st.backward, st.again) {
			pl.scratch = max(pl.scratch, w.scratch)
		}
	}
	return pl, nil
}

// mostSegments bounds the search for a schedule that fits.
const mostSegments = 64

// affordable is the schedule with the fewest segments that fits in
// Options.Memory, or else the one that needs least.
func (l *lowering) affordable(in, out []*slot) *schedule {
	var best *schedule
	n := 1
	for k := 1; k <= min(mostSegments, len(l.steps)); k += 1 + k/8 {
		s := newSchedule(l.steps, in, out, cuts(l.steps, k))
		if best == nil || s.size < best.size {
			best, n = s, k
		}
		if 4*int64(s.size) <= l.p.options.Memory || !anyFlows(l.steps) {
			break
		}
	}
	// Marks on slots are those of the schedule tried last.
	return newSchedule(l.steps, in, out, cuts(l.steps, n))
}

func anyFlows(steps []*step) bool {
	return slices.ContainsFunc(steps, func(s *step) bool { return s.flows() })
}

// bind points the slices of slots, steps and buffers at the arena, which plans
// take in turns.
func (pl *plan) bind() {
	p := pl.p
	if len(p.arena) < max(1, pl.size) {
		p.arena = hugepage.Float32s(max(1, pl.size))
	}
	for i := range p.scratch {
		if len(p.scratch[i]) < pl.scratch {
			p.scratch[i] = hugepage.Float32s(pl.scratch)
		}
	}
	if pl.arena != nil && &pl.arena[0] == &p.arena[0] {
		return
	}
	pl.arena, pl.ran = p.arena, false
	for _, x := range pl.inputs {
		pl.bindSlot(x)
	}
	for _, st := range pl.steps {
		for _, x := range slices.Concat(st.in, st.out) {
			pl.bindSlot(x)
		}
		for _, b := range st.buffers {
			b.data = pl.at(pl.temps[b])
		}
		for i, m := range pl.dx[st] {
			if m != nil {
				st.dx[i] = pl.at(m)
			} else if x := st.in[i]; st.wants(i) && x.param != nil {
				st.dx[i] = x.param.Grad
			}
			st.adding[i] = pl.adds[st][i]
		}
	}
	for _, x := range pl.outputs {
		pl.bindSlot(x)
	}
	for i := range pl.schedule.backward {
		pl.bindTransfers(&pl.schedule.backward[i])
	}
	pl.makeTensors()
}

// at is a memory in the arena.
func (pl *plan) at(m *memory) []float32 { return pl.arena[m.off : m.off+m.size : m.off+m.size] }

func (pl *plan) bindSlot(x *slot) {
	if x == nil || !x.isFloat() {
		return
	}
	switch {
	case x.param != nil:
		x.data, x.grad = x.param.Data, x.param.Grad
	case x.fixed == nil:
		r := x.origin()
		if m := pl.data[r]; m != nil {
			x.data = pl.at(m)
		} else {
			pl.bindSlot(r)
			x.data = r.data
		}
	}
	if m := pl.grads[x]; m != nil {
		x.grad = pl.at(m)
	}
}

// bindTransfers turns the sums of an instruction into work.
func (pl *plan) bindTransfers(in *instruction) {
	in.after = nil
	for _, t := range in.sums {
		dst, src := t.to.grad, pl.at(t.from)
		if t.set {
			in.after = append(in.after, span(len(dst), func(lo, hi int) { copy(dst[lo:hi], src[lo:hi]) }))
			continue
		}
		in.after = append(in.after, span(len(dst), func(lo, hi int) {
			kernel.Add.Run(dst[lo:hi], dst[lo:hi], src[lo:hi])
		}))
	}
}

func (pl *plan) makeTensors() {
	pl.tensors = make([]*tensor.Tensor, len(pl.outputs))
	for i, x := range pl.outputs {
		if x.isFloat() {
			pl.tensors[i] = tensor.Of(x.shape, x.data)
		}
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

// Bytes is the memory for the values and gradients of the latest Forward's shapes,
// parameters and scratch memory of threads aside; 0 before the first.
func (p *Program) Bytes() int64 {
	if len(p.plans) == 0 {
		return 0
	}
	return 4 * int64(p.plans[0].size)
}
