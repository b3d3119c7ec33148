package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// input emits the transform of tiles in a row of codes into words.
func input(s Set, f form) {
	e := &emitter{Set: s, words: true}
	edge, lanes := f.m+2, 2*s.Lanes
	name := fmt.Sprintf("intWinogradIn%d%s", f.m, s.Name)
	TEXT(name, NOSPLIT, "func(dst []int16, src []uint8, tiles, pitch, c, row, pixel, tap int)")
	Doc(name + " transforms tiles of codes.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	n, row, tap := Load(Param("c"), GP64()), Load(Param("row"), GP64()), Load(Param("tap"), GP64())
	SHLQ(Imm(1), tap)
	pixels := NewStride(Argument("pixel"), 1)
	lines := NewStride(Argument("tap"), 2*edge)
	Label("tile")
	index := GP64()
	XORQ(index, index)
	Label("loop")
	k := rest(s, n, index)
	for _, part := range f.inParts[s.Wide()] {
		at, to := GP64(), GP64()
		LEAQ(Mem{Base: src, Index: index, Scale: 1}, at)
		cols := map[int][]Reg{}
		for y := range edge {
			f.in(e, part, e.widened(func(x int) Mem { return pixels.At(at, x) }, k),
				func(x int, v Reg) { cols[x] = append(cols[x], v) })
			if y < edge-1 {
				ADDQ(row, at)
			}
		}
		LEAQ(Mem{Base: dst, Index: index, Scale: 2}, to)
		down(tap, to, part[0])
		for i, x := range part {
			if i > 0 {
				down(tap, to, x-part[i-1])
			}
			f.in(e, all(edge), func(y int) Reg { return cols[x][y] },
				func(y int, v Reg) { VMOVUPS(v, lines.At(to, y)) })
		}
	}
	ADDQ(Imm(uint64(lanes)), index)
	CMPQ(index, n)
	JL(LabelRef("loop"))
	step := Load(Param("pitch"), GP64())
	LEAQ(Mem{Base: dst, Index: step, Scale: 2}, dst)
	LEAQ(pixels.At(src, f.m), src)
	DECQ(Argument("tiles"))
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// down moves a pointer by n steps.
func down(step, at reg.Register, n int) {
	for range n {
		ADDQ(step, at)
	}
}

// all lists 0 to n-1.
func all(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// rest is the mask of the words at the index; AVX2's channels fill whole
// registers.
func rest(s Set, n, index reg.Register) reg.OpmaskVirtual {
	if !s.Wide() {
		return reg.OpmaskVirtual(nil)
	}
	left, most, bits, k := GP64(), GP64(), GP64(), K()
	MOVQ(n, left)
	SUBQ(index, left)
	MOVQ(U32(uint32(2*s.Lanes)), most)
	CMPQ(left, most)
	CMOVQGT(most, left)
	MOVQ(I32(-1), bits)
	BZHIQ(left, bits, bits)
	KMOVD(bits.As32(), k)
	return k
}

// widened is a source of bytes in memory, of which every one is read once.
func (e *emitter) widened(at func(i int) Mem, k reg.OpmaskVirtual) source {
	seen := map[int]Reg{}
	return func(i int) Reg {
		if _, ok := seen[i]; !ok {
			seen[i] = e.New()
			if e.Wide() {
				VPMOVZXBW_Z(at(i), k, seen[i])
			} else {
				VPMOVZXBW(at(i), seen[i])
			}
		}
		return seen[i]
	}
}
