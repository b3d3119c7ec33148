package vec

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// parts is in how many interleaved parts rows are reduced: as many for every
// set, so that all give the same result.
const parts = 64

// Fold combines two registers: acc = acc∘v. Widths shrink to one element.
type Fold func(v, acc Reg)

// Step accumulates as many vectors as there are accumulators, from vector j of
// the stream on; lanes outside the tail do not count.
type Step func(at At, j int, acc []Reg, t *Tail)

// Reduce emits the reduction of n > 0 elements, in steps of group vectors. The
// result is the lowest lane of what it returns.
func (s Set) Reduce(n reg.Register, group int, start func() Reg, step Step, fold Fold) Reg {
	acc := make([]Reg, parts/s.Lanes)
	for j := range acc {
		acc[j] = start()
	}
	at := s.whole("loop", n, len(acc), func(at At, u int, t *Tail) {
		for j := 0; j < u; j += group {
			step(at, j, acc[j:j+group], nil)
		}
	})
	left := GP64()
	MOVQ(n, left)
	SUBQ(at.index, left)
	for j := range acc {
		if s.Wide() {
			TESTQ(left, left)
			JLE(LabelRef("fold"))
			step(at, j, acc[j:j+1], s.Tails(left, 1)[0])
			SUBQ(Imm(16), left)
			continue
		}
		part := fmt.Sprintf("part%d", j)
		CMPQ(left, Imm(8))
		JL(LabelRef(part))
		step(at, j, acc[j:j+1], nil)
		SUBQ(Imm(8), left)
		JMP(LabelRef(part + "_next"))
		Label(part)
		TESTQ(left, left)
		JLE(LabelRef("fold"))
		step(at, j, acc[j:j+1], s.Tails(left, 1)[0])
		JMP(LabelRef("fold"))
		Label(part + "_next")
	}
	Label("fold")
	return s.fold(acc, fold)
}

// fold halves the parts until one is left.
func (s Set) fold(acc []Reg, fold Fold) Reg {
	for n := len(acc) / 2; n > 0; n /= 2 {
		for j := range n {
			fold(acc[j+n], acc[j])
		}
	}
	y, t := acc[0], s.New()
	if s.Wide() {
		VEXTRACTF64X4(Imm(1), y, t.AsY())
		fold(virtual(t.AsY()), virtual(y.AsY()))
	}
	VEXTRACTF128(Imm(1), y.AsY(), t.AsX())
	fold(virtual(t.AsX()), virtual(y.AsX()))
	VMOVHLPS(y.AsX(), y.AsX(), t.AsX())
	fold(virtual(t.AsX()), virtual(y.AsX()))
	VMOVSHDUP(y.AsX(), t.AsX())
	fold(virtual(t.AsX()), virtual(y.AsX()))
	return virtual(y.AsX())
}

func virtual(r reg.Register) Reg { return r.(Reg) }

// Merge takes the lanes of v outside the tail from other.
func (s Set) Merge(v, other Reg, t *Tail) {
	switch {
	case t == nil:
	case s.Wide():
		VBLENDMPS(v, other, t.k, v)
	default:
		VBLENDVPS(t.mask, v, other, v)
	}
}

// Param broadcasts a parameter of the routine.
func (s Set) Param(name string) Reg {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return s.Broadcast(p.Addr)
}
