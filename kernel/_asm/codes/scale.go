package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in kernel.scaleArgs.
const (
	offScaleDst   = 0
	offScaleSrc   = 24
	offScaleMul   = 48
	offScaleAdd   = 72
	offScaleRows  = 96
	offScaleLdd   = 104
	offScaleLds   = 112
	offScaleCols  = 120
	offScaleHi    = 128
	offScaleZero  = 132
	offScaleLeast = 136
)

// scaled scales and shifts columns of codes, width of which pass over all rows
// together; the last ones overlap those before. It serves AVX-512, too, where
// channels are too few for wider registers.
func scaled(width int) {
	name := fmt.Sprintf("scaleCodes%dAVX2", width)
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(name + " scales and shifts at least so many columns of codes, one by one.")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: a, Disp: off}, r)
		return r
	}
	last := field(offScaleCols)
	SUBQ(Imm(uint64(width)), last) // the first column of the last block
	c, ldd, lds := GP64(), field(offScaleLdd), field(offScaleLds)
	XORQ(c, c)
	hi, zero, least, order := YMM(), YMM(), YMM(), YMM()
	VBROADCASTSS(Mem{Base: a, Disp: offScaleHi}, hi)
	VPBROADCASTW(Mem{Base: a, Disp: offScaleZero}, zero)
	VPBROADCASTB(Mem{Base: a, Disp: offScaleLeast}, least)
	VMOVUPS(halvesToRows, order)

	Label("block")
	src, dst, mul, add, rows := field(offScaleSrc), field(offScaleDst), field(offScaleMul), field(offScaleAdd), field(offScaleRows)
	ADDQ(c, src)
	ADDQ(c, dst)
	var muls []reg.VecVirtual
	for i := range width / 8 {
		muls = append(muls, YMM())
		VMOVUPS(Mem{Base: mul, Index: c, Scale: 4, Disp: 32 * i}, muls[i])
	}
	LEAQ(Mem{Base: add, Index: c, Scale: 4}, add)
	Label("row")
	v := make([]reg.VecVirtual, width/8)
	for i := range v {
		v[i] = YMM()
		VPMOVZXBD(Mem{Base: src, Disp: 8 * i}, v[i])
		VCVTDQ2PS(v[i], v[i])
		VMULPS(muls[i], v[i], v[i])
		VADDPS(Mem{Base: add, Disp: 32 * i}, v[i], v[i])
		VMINPS(hi, v[i], v[i])
		VCVTPS2DQ(v[i], v[i])
	}
	at := func(i int) reg.VecVirtual { return v[min(i, len(v)-1)] }
	VPACKSSDW(at(1), v[0], v[0])
	VPADDSW(zero, v[0], v[0])
	second := v[0]
	if len(v) > 2 {
		second = v[2]
		VPACKSSDW(v[3], second, second)
		VPADDSW(zero, second, second)
	}
	VPACKUSWB(second, v[0], v[0])
	VPERMD(v[0], order, v[0])
	VPMAXUB(least, v[0], v[0])
	if width == 8 {
		VMOVQ(v[0].AsX(), Mem{Base: dst})
	} else {
		VMOVUPS(v[0], Mem{Base: dst})
	}
	ADDQ(lds, src)
	ADDQ(ldd, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	CMPQ(c, last)
	JGE(LabelRef("done"))
	ADDQ(Imm(uint64(width)), c)
	CMPQ(c, last)
	CMOVQGT(last, c)
	JMP(LabelRef("block"))
	Label("done")
	VZEROUPPER()
	RET()
}

// halvesToRows puts bytes that were packed from vectors of eight into their order,
// by VPERMD.
var halvesToRows Mem

func scales() {
	halvesToRows = GLOBL("codesHalvesToRows", RODATA|NOPTR)
	for i, k := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
		DATA(4*i, U32(k))
	}
	scaled(32)
	scaled(8)
}
