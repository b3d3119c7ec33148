// Command transpose generates the transposition of matrices by square blocks
// held in registers.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// matrix is a routine under construction.
type matrix struct {
	Set
	src, dst             reg.GPVirtual // of the block
	srcPitch, dstPitch   reg.GPVirtual // bytes
	rowsLeft, colsLeft   reg.GPVirtual
	rowStart, rowStartTo reg.GPVirtual
	row                  reg.GPVirtual // of the block
}

func routine(s Set) {
	name := "transpose" + s.Name
	TEXT(name, NOSPLIT, "func(dst, src *float32, rows, cols int)")
	Doc(name + " writes the transpose of a matrix of rows and columns.")
	Pragma("noescape")
	m := load(s)
	m.lastRows()
	Label("rows")
	MOVQ(m.rowStart, m.src)
	MOVQ(m.rowStartTo, m.dst)
	Load(Param("cols"), m.colsLeft)
	Label("cols")
	m.anyBlock()
	Label("next")
	ADDQ(m.blockPitch(m.dstPitch), m.dst)
	ADDQ(Imm(uint64(s.Bytes())), m.src)
	SUBQ(Imm(uint64(s.Lanes)), m.colsLeft)
	JG(LabelRef("cols"))
	SUBQ(m.blockPitch(m.srcPitch), m.rowStart)
	SUBQ(Imm(uint64(s.Bytes())), m.rowStartTo)
	MOVQ(U32(uint32(s.Lanes)), m.rowsLeft)
	SUBQ(Imm(uint64(s.Lanes)), m.row)
	JGE(LabelRef("rows"))
	VZEROUPPER()
	RET()
}

// load reads the parameters.
func load(s Set) *matrix {
	m := &matrix{Set: s, src: GP64(), dst: GP64(), srcPitch: GP64(), dstPitch: GP64(),
		rowsLeft: GP64(), colsLeft: GP64(), rowStart: GP64(), rowStartTo: GP64(), row: GP64()}
	Load(Param("src"), m.rowStart)
	Load(Param("dst"), m.rowStartTo)
	Load(Param("rows"), m.rowsLeft)
	Load(Param("cols"), m.srcPitch)
	SHLQ(Imm(2), m.srcPitch)
	MOVQ(m.rowsLeft, m.dstPitch)
	SHLQ(Imm(2), m.dstPitch)
	return m
}

// anyBlock emits the choice among the kinds of blocks.
func (m *matrix) anyBlock() {
	for _, left := range []reg.Register{m.rowsLeft, m.colsLeft} {
		CMPQ(left, Imm(uint64(m.Lanes)))
		JL(LabelRef("partial"))
	}
	m.block(whole)
	JMP(LabelRef("next"))
	Label("partial")
	CMPQ(m.colsLeft, Imm(uint64(2*m.Lanes)))
	JL(LabelRef("corner"))
	m.block(short)
	JMP(LabelRef("next"))
	Label("corner")
	m.block(corner)
}

// lastRows moves to the last block of rows. Blocks go upwards, so that what a
// short one stores beyond its rows is overwritten later.
func (m *matrix) lastRows() {
	at := GP64()
	LEAQ(Mem{Base: m.rowsLeft, Disp: -1}, m.row)
	ANDQ(I8(-int8(m.Lanes)), m.row)
	SUBQ(m.row, m.rowsLeft)
	LEAQ(Mem{Base: m.rowStartTo, Index: m.row, Scale: 4}, m.rowStartTo)
	MOVQ(m.row, at)
	IMULQ(m.srcPitch, at)
	ADDQ(at, m.rowStart)
}

// blockPitch is the distance of blocks for a distance of lines.
func (m *matrix) blockPitch(pitch reg.Register) reg.Register {
	p := GP64()
	IMUL3Q(Imm(uint64(m.Lanes)), pitch, p)
	return p
}

// kind is what a block lacks.
type kind int

const (
	// whole blocks lack nothing.
	whole kind = iota
	// short blocks lack rows; another block lies to the right.
	short
	// corner blocks may lack rows and columns.
	corner
)

// block transposes one block. Where rows are missing it reads the last one
// again; where columns end it stops storing.
func (m *matrix) block(k kind) {
	var cols, rows *Tail
	if k == corner {
		cols = m.Tails(bounded(m.colsLeft), 1)[0]
	}
	p, q := GP64(), GP64()
	MOVQ(m.src, p)
	x := make([]Reg, m.Lanes)
	for i := range x {
		x[i] = m.Load(Mem{Base: p}, cols)
		if i == len(x)-1 {
			break
		}
		if k != whole {
			LEAQ(Mem{Base: p, Index: m.srcPitch, Scale: 1}, q)
			CMPQ(m.rowsLeft, Imm(uint64(i+1)))
			CMOVQGT(q, p)
		} else {
			ADDQ(m.srcPitch, p)
		}
	}
	if m.Wide() {
		x = transpose16(m.Set, x)
	} else {
		x = transpose8(m.Set, x)
	}
	if k == corner {
		rows = m.Tails(bounded(m.rowsLeft), 1)[0]
	}
	MOVQ(m.dst, p)
	for i, v := range x {
		m.Store(v, Mem{Base: p}, rows)
		if k == corner && i < len(x)-1 {
			CMPQ(m.colsLeft, Imm(uint64(i+1)))
			JLE(LabelRef("next"))
		}
		ADDQ(m.dstPitch, p)
	}
}

// bounded is n or 64, whichever is less.
func bounded(n reg.GPVirtual) reg.Register {
	b := GP64()
	MOVQ(U32(64), b)
	CMPQ(n, b)
	CMOVQLT(n, b)
	return b
}

// pairs applies a pair of instructions to registers a and a+by.
func pairs(s Set, x []Reg, by int, lo, hi func(b, a, dst Reg)) []Reg {
	out := make([]Reg, len(x))
	for i := range x {
		if i&by == 0 {
			out[i], out[i+by] = s.New(), s.New()
			lo(x[i+by], x[i], out[i])
			hi(x[i+by], x[i], out[i+by])
		}
	}
	return out
}

// inQuads transposes the 4x4 blocks of every 128 bits of four rows each; the
// rows of a block come out in the order 0, 2, 1, 3.
func inQuads(s Set, x []Reg) []Reg {
	x = pairs(s, x, 1, func(b, a, d Reg) { VUNPCKLPS(b, a, d) }, func(b, a, d Reg) { VUNPCKHPS(b, a, d) })
	x = pairs(s, x, 2, func(b, a, d Reg) { VUNPCKLPD(b, a, d) }, func(b, a, d Reg) { VUNPCKHPD(b, a, d) })
	for i := 0; i < len(x); i += 4 {
		x[i+1], x[i+2] = x[i+2], x[i+1]
	}
	return x
}

func transpose8(s Set, x []Reg) []Reg {
	x = inQuads(s, x)
	return pairs(s, x, 4, func(b, a, d Reg) { VPERM2F128(Imm(0x20), b, a, d) }, func(b, a, d Reg) { VPERM2F128(Imm(0x31), b, a, d) })
}

func transpose16(s Set, x []Reg) []Reg {
	x = inQuads(s, x)
	shuffle := func(order uint64) func(b, a, d Reg) {
		return func(b, a, d Reg) { VSHUFF32X4(Imm(order), b, a, d) }
	}
	// Quarters 0 and 2 of two rows, and 1 and 3; then the same of the results
	// gathers one quarter of four rows.
	const even, odd = 0x88, 0xdd
	x = pairs(s, x, 4, shuffle(even), shuffle(odd))
	x = pairs(s, x, 8, shuffle(even), shuffle(odd))
	return x
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		routine(s)
	}
	Generate()
}
