package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pare-asm/vec"
)

// Offsets in kernel.worthArgs.
const (
	offDst     = 0
	offPlanes  = 8
	offPitch   = 16
	offScale   = 24
	offOffset  = 32
	offShift   = 40
	offData    = 48
	offNBlocks = 56
	offStep    = 64
)

// worth emits the routine that adds up what the sums of three planes are worth,
// block by block.
func worth(s vec.Set) {
	TEXT("lowWorth"+s.Name, NOSPLIT, "func(a *byte)")
	Doc("lowWorth" + s.Name + " adds up what the sums of the planes of a row are worth.")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: a, Disp: off}, r)
		return r
	}
	dst, sums, pitch, scale, offset := field(offDst), field(offPlanes), field(offPitch), field(offScale), field(offOffset)
	shift, data, n := field(offShift), field(offData), field(offNBlocks)
	step := s.Broadcast(Mem{Base: a, Disp: offStep})
	y := [2]vec.Reg{s.Zero(), s.Zero()}
	Label("block")
	for j := range y {
		at := func(base reg.Register, row int) Mem { return Mem{Base: base, Disp: (2*row + j) * s.Bytes()} }
		top, low := s.New(), s.New()
		VMOVUPS(at(sums, 0), top)
		VPSUBD(at(offset, 0), top, top)
		VCVTDQ2PS(top, top)
		for row := 1; row <= 2; row++ {
			VCVTDQ2PS(at(sums, row), low)
			VFMADD132PS(step, low, top)
		}
		VFMADD231PS(at(scale, 0), top, y[j])
	}
	TESTQ(shift, shift)
	JZ(LabelRef("next"))
	x := s.New()
	VBROADCASTSS(Mem{Base: data}, x)
	for j := range y {
		VFMADD231PS(Mem{Base: shift, Disp: j * s.Bytes()}, x, y[j])
	}
	ADDQ(Imm(uint64(2*s.Bytes())), shift)
	ADDQ(Imm(4), data)
	Label("next")
	ADDQ(pitch, sums)
	ADDQ(Imm(uint64(2*s.Bytes())), scale)
	ADDQ(Imm(uint64(2*s.Bytes())), offset)
	DECQ(n)
	JNZ(LabelRef("block"))
	for j, v := range y {
		VMOVUPS(v, Mem{Base: dst, Disp: j * s.Bytes()})
	}
	VZEROUPPER()
	RET()
}
