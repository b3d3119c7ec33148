package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// walk emits a loop over n channels by whole registers, and what is left under a
// mask; index counts the channels done. Bodies begin their labels with id.
func walk(s Set, n Op, index reg.GPVirtual, body func(id string, t *Tail)) {
	XORQ(index, index)
	left := GP64()
	if s.Wide() {
		Label("loop")
		most := GP64()
		MOVQ(n, left)
		SUBQ(index, left)
		MOVQ(U32(16), most)
		CMPQ(left, most)
		CMOVQGT(most, left)
		body("", s.Tails(left, 1)[0])
		ADDQ(Imm(16), index)
		CMPQ(index, n)
		JL(LabelRef("loop"))
		return
	}
	Label("loop")
	MOVQ(n, left)
	SUBQ(index, left)
	JLE(LabelRef("end"))
	CMPQ(left, Imm(8))
	JL(LabelRef("rest"))
	body("", nil)
	ADDQ(Imm(8), index)
	JMP(LabelRef("loop"))
	Label("rest")
	body("rest", s.Tails(left, 1)[0])
	Label("end")
}

// input emits the transform of one tile of the source.
func input(s Set, f form) {
	e := &emitter{Set: s}
	edge := f.m + 2
	name := fmt.Sprintf("winogradIn%d%s", f.m, s.Name)
	TEXT(name, NOSPLIT, "func(dst, src []float32, c, row, pixel, tap int)")
	Doc(name + " transforms a tile of the source.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	n, row, tap := Load(Param("c"), GP64()), Load(Param("row"), GP64()), Load(Param("tap"), GP64())
	SHLQ(Imm(2), row)
	SHLQ(Imm(2), tap)
	pixels := NewStride(Argument("pixel"), 4)
	lines := NewStride(Argument("tap"), 4*edge)
	if f.m == 4 {
		e.hold(p*p+q*q, p*p*q*q, p*p, q*q, p, q)
	}
	index := GP64()
	walk(s, n, index, func(_ string, t *Tail) {
		for _, part := range f.inParts[s.Wide()] {
			at, to := GP64(), GP64()
			LEAQ(Mem{Base: src, Index: index, Scale: 4}, at)
			cols := map[int][]Reg{}
			for y := range edge {
				f.in(e, part, e.loads(func(x int) Mem { return pixels.At(at, x) }, t),
					func(x int, v Reg) { cols[x] = append(cols[x], v) })
				if y < edge-1 {
					ADDQ(row, at)
				}
			}
			LEAQ(Mem{Base: dst, Index: index, Scale: 4}, to)
			for range part[0] {
				ADDQ(tap, to)
			}
			for i, x := range part {
				for range gap(part, i) {
					ADDQ(tap, to)
				}
				all := make([]int, edge)
				for y := range all {
					all[y] = y
				}
				f.in(e, all, func(y int) Reg { return cols[x][y] },
					func(y int, v Reg) { VMOVUPS(v, lines.At(to, y)) })
			}
		}
	})
	VZEROUPPER()
	RET()
}

// gap is how far entry i is from the one before.
func gap(list []int, i int) int {
	if i == 0 {
		return 0
	}
	return list[i] - list[i-1]
}

// loads is a source in memory, of which every value is read once.
func (e *emitter) loads(at func(i int) Mem, t *Tail) source {
	seen := map[int]Reg{}
	return func(i int) Reg {
		if _, ok := seen[i]; !ok {
			seen[i] = e.Load(at(i), t)
		}
		return seen[i]
	}
}
