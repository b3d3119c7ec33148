package grad

import "slices"

// routing decides where the gradient of every slot lies and which step sets it
// first; those that follow add.
type routing struct {
	*schedule
	clock  int             // counts contributions
	adds   map[*slot][]int // clocks of the contributions to a slot, in order
	read   map[*slot]int   // clock after the step that made a slot has gone backward
	shared map[*memory][]*slot
	set    map[*slot]bool
}

// route lays gradients out. The memory of a result's gradient passes to an operand
// whose gradient is the same, where nothing that changes the one harms the other.
func (s *schedule) route() {
	r := &routing{schedule: s, adds: map[*slot][]int{}, read: map[*slot]int{}, shared: map[*memory][]*slot{}, set: map[*slot]bool{}}
	r.foresee()
	for _, x := range s.outputs {
		if x.wants && x.param == nil && !r.set[x] {
			r.begin(x, s.seed())
		}
	}
	s.timed(func(t int, in *instruction) {
		if t > s.seed() && !in.again {
			r.step(t, in)
		}
	})
	for _, x := range s.inputs {
		if x.wants {
			if !r.set[x] {
				r.begin(x, s.seed())
				s.unread = append(s.unread, x)
			}
			s.grads[x].until(s.end())
		}
	}
}

// foresee counts the contributions to all gradients in the order of backward.
func (r *routing) foresee() {
	clock := 0
	for i := range r.schedule.backward {
		in := &r.schedule.backward[i]
		if in.again {
			continue
		}
		for k, x := range in.step.in {
			if in.step.wants(k) {
				clock++
				r.adds[x] = append(r.adds[x], clock)
			}
		}
		for _, x := range in.step.out {
			if x != nil {
				r.read[x] = clock
			}
		}
	}
	for _, x := range r.inputs {
		r.read[x] = clock + 1
	}
}

// begin makes the memory of a gradient.
func (r *routing) begin(x *slot, t int) {
	m := r.memory(x.size(), t)
	r.grads[x], r.set[x] = m, true
	r.shared[m] = []*slot{x}
}

// step routes the gradients of the operands of one step.
func (r *routing) step(t int, in *instruction) {
	st := in.step
	for _, x := range st.out {
		if x == nil || !x.wants {
			continue
		}
		if !r.set[x] {
			r.begin(x, t)
			in.zero = append(in.zero, x)
		}
		r.grads[x].until(t)
	}
	r.schedule.dx[st], r.schedule.adds[st] = make([]*memory, len(st.in)), make([]bool, len(st.in))
	for i, x := range st.in {
		if !st.wants(i) {
			continue
		}
		r.clock++
		if st.same[i] {
			r.pass(t, in, x)
		} else {
			r.operand(t, in, i)
		}
	}
}

// operand gives backward of a step memory for the gradient of operand i.
func (r *routing) operand(t int, in *instruction, i int) {
	st, x := in.step, in.step.in[i]
	switch {
	case x.param == nil && !r.set[x]:
		r.begin(x, t)
		r.schedule.dx[st][i] = r.grads[x]
	case st.adds[i] && !st.repeats(x):
		r.schedule.adds[st][i] = true
		if x.param == nil {
			r.schedule.dx[st][i] = r.grads[x]
			r.grads[x].until(t)
		}
	default:
		m := r.memory(x.size(), t)
		r.schedule.dx[st][i] = m
		in.sums = append(in.sums, transfer{to: x, from: m})
		if x.param == nil {
			r.grads[x].until(t)
		}
	}
}

// pass hands the gradient of a step's result on to an operand as it is.
func (r *routing) pass(t int, in *instruction, x *slot) {
	from := r.grads[in.step.out[0]]
	switch {
	case x.param != nil:
		in.sums = append(in.sums, transfer{to: x, from: from})
	case r.set[x]:
		in.sums = append(in.sums, transfer{to: x, from: from})
		r.grads[x].until(t)
	case r.mayShare(x, from):
		r.grads[x], r.set[x] = from, true
		r.shared[from] = append(r.shared[from], x)
	default:
		r.begin(x, t)
		in.sums = append(in.sums, transfer{to: x, from: from, set: true})
	}
}

// mayShare reports whether the gradient of x may lie in m: no contribution still to
// come to x changes what a slot with its gradient there still needs, nor the other
// way round.
func (r *routing) mayShare(x *slot, m *memory) bool {
	return !slices.ContainsFunc(r.shared[m], func(y *slot) bool {
		return r.changes(x, r.read[y]) || r.changes(y, r.read[x])
	})
}

// changes reports whether anything contributes to x from now on until the clock
// stands at until.
func (r *routing) changes(x *slot, until int) bool {
	return slices.ContainsFunc(r.adds[x], func(at int) bool { return at > r.clock && at <= until })
}
