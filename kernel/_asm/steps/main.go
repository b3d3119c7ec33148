// Command steps generates functions of float32 that are constant on steps, with
// values in bytes.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.stepArgs.
const (
	offDst    = 0
	offSrc    = 24
	offTree   = 48
	offMore   = 56
	offRows   = 64
	offCols   = 72
	offLDD    = 80
	offLDS    = 88
	offFactor = 96
	offOffset = 100
)

// args is what a routine reads of its argument.
type args struct {
	at                               reg.Register
	dst, src, tree, more, rows, cols reg.Register
	factor, offset                   Reg
}

func fields(s Set) *args {
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: a, Disp: off}, r)
		return r
	}
	return &args{
		at: a, dst: field(offDst), src: field(offSrc), tree: field(offTree), more: field(offMore), rows: field(offRows), cols: field(offCols),
		factor: s.Broadcast(Mem{Base: a, Disp: offFactor}), offset: s.Broadcast(Mem{Base: a, Disp: offOffset}),
	}
}

// step goes on to the next row, or returns.
func (a *args) step() {
	by := GP64()
	MOVQ(Mem{Base: a.at, Disp: offLDS}, by)
	LEAQ(Mem{Base: a.src, Index: by, Scale: 4}, a.src)
	ADDQ(Mem{Base: a.at, Disp: offLDD}, a.dst)
	DECQ(a.rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

func main() {
	ConstraintExpr("!noasm")
	wide()
	narrow()
	Generate()
}
