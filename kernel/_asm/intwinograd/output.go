package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	. "pare-asm/vec"
)

// inverse of nine modulo 2³².
const inverse = 0x38e38e39

var ninth Mem

// output emits the transform of sums of tiles in a row.
func output(s Set, f form) {
	e := &emitter{Set: s}
	edge := f.m + 2
	name := fmt.Sprintf("intWinogradOut%d%s", f.m, s.Name)
	TEXT(name, NOSPLIT, "func(dst, src []int32, tiles, n, row, tap int)")
	Doc(name + " transforms tiles of sums.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	n, row, tap := Load(Param("n"), GP64()), Load(Param("row"), GP64()), Load(Param("tap"), GP64())
	SHLQ(Imm(2), tap)
	SHLQ(Imm(2), row)
	lines, pixels := NewStride(Argument("tap"), 4*edge), NewStride(Argument("n"), 4)
	Label("tile")
	index := GP64()
	XORQ(index, index)
	Label("loop")
	for _, part := range f.outParts[s.Wide()] {
		at, to := GP64(), GP64()
		LEAQ(Mem{Base: src, Index: index, Scale: 4}, at)
		rows := map[int][]Reg{}
		for x := range edge {
			f.out(e, part, e.loads(func(y int) Mem { return lines.At(at, y) }),
				func(y int, v Reg) { rows[y] = append(rows[y], v) })
			if x < edge-1 {
				ADDQ(tap, at)
			}
		}
		LEAQ(Mem{Base: dst, Index: index, Scale: 4}, to)
		down(row, to, part[0])
		for i, y := range part {
			if i > 0 {
				down(row, to, y-part[i-1])
			}
			f.out(e, all(f.m), func(x int) Reg { return rows[y][x] }, func(x int, v Reg) {
				if f.three {
					VPMULLD(nine(), v, v)
				}
				VPSRAD(Imm(uint64(f.power[y]+f.power[x])), v, v)
				VMOVUPS(v, pixels.At(to, x))
			})
		}
	}
	ADDQ(Imm(uint64(s.Lanes)), index)
	CMPQ(index, n)
	JL(LabelRef("loop"))
	LEAQ(Mem{Base: src, Index: n, Scale: 4}, src)
	LEAQ(pixels.At(dst, f.m), dst)
	DECQ(Argument("tiles"))
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// nine is the inverse of nine in every lane.
func nine() Mem {
	if ninth == (Mem{}) {
		ninth = GLOBL("ninth", RODATA|NOPTR)
		for i := range 16 {
			DATA(4*i, U32(inverse))
		}
	}
	return ninth
}

// loads is a source in memory, of which every vector is read once.
func (e *emitter) loads(at func(i int) Mem) source {
	seen := map[int]Reg{}
	return func(i int) Reg {
		if _, ok := seen[i]; !ok {
			seen[i] = e.Load(at(i), nil)
		}
		return seen[i]
	}
}
