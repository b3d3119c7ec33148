package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	. "pare-asm/vec"
)

// most is how many accumulators hide the latency of an addition with room to spare.
const most = 8

// sums emits the walk over outputs. Where there are registers, every other term goes
// to accumulators of its own.
func sums(s Set, width int) {
	id := fmt.Sprintf("w%d_", width)
	left := field(offNStarts)
	DECQ(left)
	JLE(LabelRef(id + "end"))
	z, y, terms, starts := field(offZ), field(offY), field(offTerms), field(offStarts)
	Label(id + "output")
	count, from := GP64(), GP64()
	MOVLQSX(Mem{Base: starts, Disp: 4}, count)
	MOVLQSX(Mem{Base: starts}, from)
	SUBQ(from, count)
	acc := s.Group(width / s.Lanes)
	CMPB(Mem{Base: args(), Disp: offFirst}, Imm(0))
	JEQ(LabelRef(id + "add"))
	zero := s.Zero()
	for _, v := range acc {
		VMOVAPS(zero, v)
	}
	TESTQ(count, count)
	JZ(LabelRef(id + "store"))
	JMP(LabelRef(id + "terms"))
	Label(id + "add")
	TESTQ(count, count)
	JZ(LabelRef(id + "next"))
	for i, v := range acc {
		VMOVUPS(Mem{Base: y, Disp: i * s.Bytes()}, v)
	}
	Label(id + "terms")
	add := func(n int, acc []Reg) {
		at := GP64()
		MOVLQSX(Mem{Base: terms, Disp: 8 * n}, at)
		factor := s.Broadcast(Mem{Base: terms, Disp: 8*n + 4})
		for i, v := range acc {
			VFMADD231PS(Mem{Base: z, Index: at, Scale: 4, Disp: i * s.Bytes()}, factor, v)
		}
	}
	if len(acc) <= most/2 {
		odd := s.Group(len(acc))
		for _, v := range odd {
			VXORPS(v.AsX(), v.AsX(), v.AsX())
		}
		SUBQ(Imm(2), count)
		JL(LabelRef(id + "one"))
		Label(id + "two")
		add(0, acc)
		add(1, odd)
		ADDQ(Imm(16), terms)
		SUBQ(Imm(2), count)
		JGE(LabelRef(id + "two"))
		Label(id + "one")
		TESTB(Imm(1), count.As8())
		JZ(LabelRef(id + "join"))
		add(0, acc)
		ADDQ(Imm(8), terms)
		Label(id + "join")
		for i, v := range acc {
			VADDPS(odd[i], v, v)
		}
	} else {
		Label(id + "term")
		add(0, acc)
		ADDQ(Imm(8), terms)
		DECQ(count)
		JNZ(LabelRef(id + "term"))
	}
	Label(id + "store")
	for i, v := range acc {
		VMOVUPS(v, Mem{Base: y, Disp: i * s.Bytes()})
	}
	Label(id + "next")
	ADDQ(U32(strip), y)
	ADDQ(Imm(4), starts)
	DECQ(left)
	JNZ(LabelRef(id + "output"))
	Label(id + "end")
}
