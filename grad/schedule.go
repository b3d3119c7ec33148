package grad

import "slices"

// instruction is one step of the schedule: a step forward, forward again, or
// backward.
type instruction struct {
	step  *step
	works []work
	again bool       // computes once more what was not kept
	binds []binding  // results that lie elsewhere than the last time
	zero  []*slot    // results without gradient, to be cleared before
	sums  []transfer // gradients to be added (or copied) afterwards
	after []work     // which does that
}

// binding puts the data of a slot into a memory.
type binding struct {
	slot *slot
	to   *memory
}

// transfer adds the gradient in from to that of a slot, or sets it.
type transfer struct {
	to   *slot
	from *memory
	set  bool
}

// schedule is the order of all work on a plan and the memory that it needs.
type schedule struct {
	steps    []*step
	inputs   []*slot
	outputs  []*slot
	forward  []instruction
	backward []instruction

	data   map[*slot]*memory // of roots: where they lie, at first
	grads  map[*slot]*memory // nil for those of parameters
	dx     map[*step][]*memory
	adds   map[*step][]bool // operands to whose gradient backward adds itself
	temps  map[*buffer]*memory
	unread []*slot // inputs that nothing gives the gradient that is wanted
	all    []*memory
	size   int // of the arena in floats
}

func newSchedule(steps []*step, inputs, outputs []*slot, cuts []int) *schedule {
	s := &schedule{steps: steps, inputs: inputs, outputs: outputs,
		data: map[*slot]*memory{}, grads: map[*slot]*memory{}, dx: map[*step][]*memory{}, adds: map[*step][]bool{}, temps: map[*buffer]*memory{}}
	s.order(cuts)
	s.placeData()
	s.placeBuffers()
	s.route()
	s.size = pack(s.all)
	return s
}

// order lists the instructions: all steps forward, then the segments between the
// cuts from the last to the first, each computed again, as far as it needs to be,
// before it goes backward.
func (s *schedule) order(cuts []int) {
	for _, st := range s.steps {
		s.forward = append(s.forward, instruction{step: st, works: st.forward})
	}
	again := recomputed(s.steps, s.outputs, cuts)
	ends := append(slices.Clone(cuts), len(s.steps))
	for k, end := range slices.Backward(ends) {
		begin := 0
		if k > 0 {
			begin = ends[k-1]
		}
		for _, st := range s.steps[begin:end] {
			if again[st] {
				s.backward = append(s.backward, instruction{step: st, works: st.rerun(), again: true})
			}
		}
		for _, st := range slices.Backward(s.steps[begin:end]) {
			if st.flows() {
				s.backward = append(s.backward, instruction{step: st, works: st.backward})
			}
		}
	}
}

// seed is the time at which Backward receives the gradients of the outputs, end is
// after everything.
func (s *schedule) seed() int { return len(s.forward) }
func (s *schedule) end() int  { return len(s.forward) + 1 + len(s.backward) }

// timed calls f for every instruction with its time. Inputs are written at the
// time of the first step.
func (s *schedule) timed(f func(t int, in *instruction)) {
	for i := range s.forward {
		f(i, &s.forward[i])
	}
	for i := range s.backward {
		f(s.seed()+1+i, &s.backward[i])
	}
}

// memory makes a memory in use from time t on.
func (s *schedule) memory(size, t int) *memory {
	m := (&memory{size: size}).during(t)
	s.all = append(s.all, m)
	return m
}

// lies reports whether the data of a slot are in the arena.
func (x *slot) lies() bool {
	return x != nil && x.isFloat() && x.origin().param == nil && x.origin().fixed == nil
}

// placeData makes the memories of what steps compute and read. What is computed
// again lies somewhere else than the first time.
func (s *schedule) placeData() {
	now := map[*slot]*memory{}
	for _, x := range s.inputs {
		if x.lies() {
			now[x] = s.memory(x.size(), 0)
			s.data[x] = now[x]
		}
	}
	s.timed(func(t int, in *instruction) {
		reads, writes := in.step.sources(), in.step.out
		if t > s.seed() && !in.again {
			reads, writes = in.step.reads, nil
		}
		for _, x := range writes {
			s.write(now, x, t, in)
		}
		for _, x := range reads {
			if x.lies() {
				now[x.origin()].until(t)
			}
		}
	})
	for _, x := range s.outputs {
		if x.lies() {
			now[x.origin()].until(s.end())
		}
	}
}

// write makes the memory of a result at time t. What is kept although its step runs
// again is written where it lies.
func (s *schedule) write(now map[*slot]*memory, x *slot, t int, in *instruction) {
	if !x.lies() || x.root != nil {
		return
	}
	if in.again && x.kept {
		now[x].until(t)
		return
	}
	m := s.memory(x.size(), t)
	if now[x] == nil {
		s.data[x] = m
	} else {
		in.binds = append(in.binds, binding{x, m})
		first := &s.forward[slices.Index(s.steps, in.step)]
		first.binds = append(first.binds, binding{x, s.data[x]})
	}
	now[x] = m
}

// placeBuffers makes the memories of buffers: kept ones from forward to backward,
// others while their step runs.
func (s *schedule) placeBuffers() {
	s.timed(func(t int, in *instruction) {
		for _, b := range in.step.buffers {
			switch m := s.temps[b]; {
			case m == nil:
				s.temps[b] = s.memory(b.size, t)
			case b.kept:
				m.until(t)
			default:
				m.during(t)
			}
		}
	})
}
