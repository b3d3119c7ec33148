package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// rest is the mask of the vector at the index; nil for AVX2, whose channels
// fill whole registers.
func rest(s Set, n, index reg.Register) *Tail {
	if !s.Wide() {
		return nil
	}
	left, most := GP64(), GP64()
	MOVQ(n, left)
	SUBQ(index, left)
	MOVQ(U32(16), most)
	CMPQ(left, most)
	CMOVQGT(most, left)
	return s.Tails(left, 1)[0]
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
	XORQ(index, index)
	Label("loop")
	t := rest(s, n, index)
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
	ADDQ(Imm(uint64(s.Lanes)), index)
	CMPQ(index, n)
	JL(LabelRef("loop"))
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
