package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	. "pare-asm/vec"
)

// filter emits the transform of filters of bytes into words. The taps of a filter
// lie n elements apart, those of its transform tap elements.
func filter(s Set, f form) {
	e := &emitter{Set: s, words: true}
	edge := f.m + 2
	name := fmt.Sprintf("intWinogradFilter%d%s", f.m, s.Name)
	TEXT(name, NOSPLIT, "func(dst []int16, src []int8, n, tap int)")
	Doc(name + " transforms filters.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	n, tap := Load(Param("n"), GP64()), Load(Param("tap"), GP64())
	SHLQ(Imm(1), tap)
	taps, lines := NewStride(Argument("n"), 1), NewStride(Argument("tap"), 2*edge)
	index := GP64()
	XORQ(index, index)
	Label("loop")
	for _, part := range [][]int{all(edge)[:edge/2], all(edge)[edge/2:]} {
		at, to := GP64(), GP64()
		LEAQ(Mem{Base: src, Index: index, Scale: 1}, at)
		cols := map[int][]Reg{}
		for y := range 3 {
			f.filter(e, part, e.signed(func(x int) Mem { return taps.At(at, x) }),
				func(x int, v Reg) { cols[x] = append(cols[x], v) })
			if y < 2 {
				LEAQ(taps.At(at, 3), at)
			}
		}
		LEAQ(Mem{Base: dst, Index: index, Scale: 2}, to)
		down(tap, to, part[0])
		for i, x := range part {
			down(tap, to, min(i, 1))
			f.filter(e, all(edge), func(y int) Reg { return cols[x][y] },
				func(y int, v Reg) { VMOVUPS(v, lines.At(to, y)) })
		}
	}
	ADDQ(Imm(uint64(2*s.Lanes)), index)
	CMPQ(index, n)
	JL(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// signed is a source of signed bytes in memory, of which every one is read once.
func (e *emitter) signed(at func(i int) Mem) source {
	seen := map[int]Reg{}
	return func(i int) Reg {
		if _, ok := seen[i]; !ok {
			seen[i] = e.New()
			VPMOVSXBW(at(i), seen[i])
		}
		return seen[i]
	}
}
