package engine

import (
	"math"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// sink is where one value that Run returns lies in the end.
type sink struct{ o *operand }

// output keeps v until the end.
func (b *builder) output(v *ir.Value) {
	o := b.operand(v)
	if o.cst == nil && o.box < 0 {
		o.from.b.last = math.MaxInt
	}
	b.s.out = append(b.s.out, sink{o})
	if o.box >= 0 {
		b.lastBox[o.box] = -1
	}
}

// value is a copy that belongs to the caller.
func (s sink) value(f *frame) (op.Val, error) {
	x, err := s.o.get(f)
	if t, ok := x.(*tensor.Tensor); ok && (s.o.cst != nil || s.o.box >= 0) {
		x = t.Clone()
	}
	return x, err
}

// finish plans the memory and returns the program.
func (b *builder) finish() *special {
	for i, at := range b.lastBox {
		if at >= 0 {
			b.steps[at].drop = append(b.steps[at].drop, i)
		}
	}
	b.s.arena = planMemory(b.steps)
	for _, st := range b.steps {
		b.s.work = max(b.s.work, rounded(st.scratch))
	}
	b.s.steps = b.steps
	return b.s
}
