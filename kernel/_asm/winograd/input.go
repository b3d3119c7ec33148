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

// net is a transform of in×in values to out×out.
type net struct {
	name, doc string
	in, out   int
	line      func(e *emitter, want []int, d source, to sink)
	parts     map[bool][][]int
	held      []float32 // constants
}

// input is the transform of one tile of the source.
func (f form) input() net {
	n := net{name: "In", doc: "transforms a tile of the source.", in: f.m + 2, out: f.m + 2, line: f.in, parts: f.inParts}
	if f.m == 4 {
		n.held = []float32{p*p + q*q, p * p * q * q, p * p, q * q, p, q}
	}
	return n
}

// transform emits a net of tiles of m×m outputs.
func transform(s Set, m int, f net) {
	e := &emitter{Set: s}
	name := fmt.Sprintf("winograd%s%d%s", f.name, m, s.Name)
	TEXT(name, NOSPLIT, "func(dst, src []float32, c, row, pixel, tap int)")
	Doc(name + " " + f.doc)
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	n, row, tap := Load(Param("c"), GP64()), Load(Param("row"), GP64()), Load(Param("tap"), GP64())
	SHLQ(Imm(2), row)
	SHLQ(Imm(2), tap)
	pixels := NewStride(Argument("pixel"), 4)
	lines := NewStride(Argument("tap"), 4*f.out)
	if f.held != nil {
		e.hold(f.held...)
	}
	index := GP64()
	walk(s, n, index, func(_ string, t *Tail) {
		for _, part := range f.parts[s.Wide()] {
			at, to := GP64(), GP64()
			LEAQ(Mem{Base: src, Index: index, Scale: 4}, at)
			cols := map[int][]Reg{}
			for y := range f.in {
				f.line(e, part, e.loads(func(x int) Mem { return pixels.At(at, x) }, t),
					func(x int, v Reg) { cols[x] = append(cols[x], v) })
				if y < f.in-1 {
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
				f.line(e, count(f.out), func(y int) Reg { return cols[x][y] },
					func(y int, v Reg) { VMOVUPS(v, lines.At(to, y)) })
			}
		}
	})
	VZEROUPPER()
	RET()
}

// count lists 0 to n-1.
func count(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
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
