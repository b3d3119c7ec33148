package vec

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// At addresses the vectors of one turn of a loop.
type At struct {
	set   Set
	index reg.Register
}

// Floats is vector j of the stream that starts at base.
func (a At) Floats(base reg.Register, j int) Mem {
	return Mem{Base: base, Index: a.index, Scale: 4, Disp: j * a.set.Bytes()}
}

// Bytes is the bytes that belong to vector j of the stream that starts at
// base.
func (a At) Bytes(base reg.Register, j int) Mem {
	return Mem{Base: base, Index: a.index, Scale: 1, Disp: j * a.set.Lanes}
}

// Body is what a loop does with u vectors per stream; a tail belongs to one.
type Body func(at At, u int, t *Tail)

// Loop emits loops over n > 0 elements: first unroll vectors at a time, then
// one, and the rest under a mask.
func (s Set) Loop(label string, n reg.Register, unroll int, body Body) {
	at := s.whole(label, n, unroll, body)
	left := GP64()
	if s.Wide() {
		Label(label + "_one")
		MOVQ(n, left)
		SUBQ(at.index, left)
		JLE(LabelRef(label + "_end"))
		body(at, 1, s.Tails(left, 1)[0])
		ADDQ(Imm(16), at.index)
		JMP(LabelRef(label + "_one"))
		Label(label + "_end")
		return
	}
	s.ones(label, n, at, body)
	MOVQ(n, left)
	SUBQ(at.index, left)
	JLE(LabelRef(label + "_end"))
	body(at, 1, s.Tails(left, 1)[0])
	Label(label + "_end")
}

// Whole is Loop without the rest of n by the number of lanes.
func (s Set) Whole(label string, n reg.Register, unroll int, body Body) {
	at := s.whole(label, n, unroll, body)
	s.ones(label, n, at, body)
}

// whole emits the unrolled loop.
func (s Set) whole(label string, n reg.Register, unroll int, body Body) At {
	at, end := At{s, GP64()}, GP64()
	XORQ(at.index, at.index)
	MOVQ(n, end)
	SUBQ(Imm(uint64(unroll*s.Lanes)), end)
	JL(LabelRef(label + "_few"))
	Label(label)
	body(at, unroll, nil)
	ADDQ(Imm(uint64(unroll*s.Lanes)), at.index)
	CMPQ(at.index, end)
	JLE(LabelRef(label))
	Label(label + "_few")
	return at
}

// ones emits the loop over single whole vectors.
func (s Set) ones(label string, n reg.Register, at At, body Body) {
	end := GP64()
	MOVQ(n, end)
	SUBQ(Imm(uint64(s.Lanes)), end)
	CMPQ(at.index, end)
	JG(LabelRef(label + "_rest"))
	Label(label + "_one")
	body(at, 1, nil)
	ADDQ(Imm(uint64(s.Lanes)), at.index)
	CMPQ(at.index, end)
	JLE(LabelRef(label + "_one"))
	Label(label + "_rest")
}

// Doubles is the lower or upper half of vector j of the stream of float64 that starts
// at base.
func (a At) Doubles(base reg.Register, j, half int) Mem {
	return Mem{Base: base, Index: a.index, Scale: 8, Disp: (2*j + half) * a.set.Bytes()}
}
