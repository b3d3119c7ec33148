package grad

import (
	"context"

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
	forward  []work // one after the other
	backward []work // read out[i].grad, set dx[i]
	// dx holds, while backward runs, the memory for the gradient of in[i], to be set
	// (not added to); nil where none is wanted.
	dx [][]float32
	// reads lists the operands and results whose data backward reads.
	reads   []*slot
	buffers []*buffer
	// eval runs before forward where a step is a reference evaluation.
	eval func(ctx context.Context) error
}

// uses says which operands and results backward reads.
func (s *step) uses(slots ...*slot) { s.reads = append(s.reads, slots...) }

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
