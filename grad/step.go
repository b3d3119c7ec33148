package grad

import (
	"context"
	"slices"

	"pare/ir"
)

// work is a loop whose passes are independent: they write disjoint memory and are
// cut by shape alone, so that results do not depend on the number of threads. run
// reads the slices of slots and buffers when it is called.
type work struct {
	tasks   int
	scratch int // floats that one running task needs
	run     func(task int, scratch []float32)
}

// step is one node, or a part of it, at fixed shapes.
type step struct {
	node     *ir.Node
	in, out  []*slot
	also     []*slot // what forward reads besides in
	forward  []work  // one after the other
	backward []work  // read out[i].grad, set dx[i]
	again    []work  // instead of forward where results are computed once more; nil for forward
	// dx holds, while backward runs, the memory for the gradient of in[i], to be set
	// (not added to, unless adding[i]); nil where none is wanted.
	dx     [][]float32
	adding []bool
	adds   []bool // operands to whose gradient backward can add
	same   []bool // operands whose gradient is that of out[0]
	// reads lists the operands and results whose data backward reads.
	reads   []*slot
	buffers []*buffer
	// absorb lets the step clamp its only result, backward included; limit lets only
	// forward do so. They are nil where it cannot.
	absorb, limit func(lo, hi float32)
	// biased lets the step add a row, one element for each of its last axis, to its only
	// result, backward included; nil where it cannot.
	biased func(row *slot)
	// eval runs before forward where a step is a reference evaluation.
	eval func(ctx context.Context) error
}

// uses says which operands and results backward reads.
func (s *step) uses(slots ...*slot) { s.reads = append(s.reads, slots...) }

// passes says that the gradients of these operands are that of the only result,
// element by element as they lie; backward does nothing for them.
func (s *step) passes(operands ...int) {
	for _, i := range operands {
		s.same[i] = true
	}
}

// accumulates says that backward adds to dx[i] where adding[i], and sets it
// otherwise.
func (s *step) accumulates(operands ...int) {
	for _, i := range operands {
		s.adds[i] = true
	}
}

// operand adds an operand.
func (s *step) operand(x *slot) {
	s.in, s.dx = append(s.in, x), append(s.dx, nil)
	s.adding, s.adds, s.same = append(s.adding, false), append(s.adds, false), append(s.same, false)
}

// views says that the only result is the first operand with another shape: it needs
// no work and shares the memory.
func (s *step) views() {
	x := s.in[0].origin()
	s.out[0].root, x.viewers = x, append(x.viewers, s.out[0])
	s.passes(0)
}

// rerun is the work that computes results once more.
func (s *step) rerun() []work {
	if s.again != nil {
		return s.again
	}
	return s.forward
}

// sources is what forward reads.
func (s *step) sources() []*slot { return append(slices.Clip(s.in), s.also...) }

// repeats reports whether x is more than one operand.
func (s *step) repeats(x *slot) bool {
	n := 0
	for _, y := range s.in {
		if x == y {
			n++
		}
	}
	return n > 1
}

// temp is memory of n floats for the works of one direction; nothing is kept.
func (s *step) temp(n int) *buffer { return s.buffer(n, false) }

// keep is memory of n floats that backward finds as forward left it.
func (s *step) keep(n int) *buffer { return s.buffer(n, true) }

func (s *step) buffer(n int, kept bool) *buffer {
	b := &buffer{size: n, kept: kept}
	s.buffers = append(s.buffers, b)
	return b
}

// then adds work to the forward direction.
func (s *step) then(w ...work) { s.forward = append(s.forward, w...) }

// back adds work to the backward direction.
func (s *step) back(w ...work) { s.backward = append(s.backward, w...) }

// grain is how many elements a task of an element-wise loop takes.
const grain = 1 << 14

// span is an element-wise loop over 0..n-1, in pieces [lo, hi).
func span(n int, f func(lo, hi int)) work { return spanBy(n, grain, f) }

// spanBy is span with pieces of size each.
func spanBy(n, each int, f func(lo, hi int)) work {
	each = max(1, each)
	return work{tasks: (n + each - 1) / each, run: func(t int, _ []float32) { f(t*each, min(n, (t+1)*each)) }}
}

// serial is work in one piece.
func serial(f func()) work { return work{tasks: 1, run: func(int, []float32) { f() }} }
