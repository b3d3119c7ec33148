// Command codes generates element-wise loops over u8 codes. They do whole
// groups of elements and leave the rest to portable code.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pare-asm/vec"
)

// Offsets in kernel.addArgs.
const (
	offX     = 0
	offY     = 24
	offDst   = 48
	offMulX  = 72
	offMulY  = 76
	offShift = 80
	offLo    = 84
	offHi    = 88
	offZero  = 92
)

// group is how many elements a turn of the loop does.
func group(s vec.Set) int { return 2 * s.Lanes }

func add(s vec.Set) {
	TEXT("addCodes"+s.Name, NOSPLIT, "func(a *byte)")
	Doc("addCodes" + s.Name + " adds codes of two grids and stores those of a third, in whole groups.")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: a, Disp: off}, r)
		return r
	}
	x, y, dst, n := field(offX), field(offY), field(offDst), field(offDst+8)
	var c [6]vec.Reg
	for i := range c {
		c[i] = s.Broadcast(Mem{Base: a, Disp: offMulX + 4*i})
	}
	i := GP64()
	XORQ(i, i)
	loop(n, i, group(s), func() {
		var row []vec.Reg
		for j := range 2 {
			u, v := s.New(), s.New()
			VPMOVZXBD(Mem{Base: x, Index: i, Scale: 1, Disp: j * s.Lanes}, u)
			VPMOVZXBD(Mem{Base: y, Index: i, Scale: 1, Disp: j * s.Lanes}, v)
			VCVTDQ2PS(u, u)
			VCVTDQ2PS(v, v)
			VMULPS(c[0], u, u)
			VMULPS(c[1], v, v)
			VADDPS(v, u, u)
			VADDPS(c[2], u, u)
			// The bound stands second (Intel order): NaN becomes the lower one.
			VMAXPS(c[3], u, u)
			VMINPS(c[4], u, u)
			VCVTPS2DQ(u, u)
			VPADDD(c[5], u, u)
			row = append(row, u)
		}
		store(s, row, Mem{Base: dst, Index: i, Scale: 1})
	})
}

// store narrows two vectors of 0..255.
func store(s vec.Set, row []vec.Reg, to Mem) {
	if s.Wide() {
		for j, v := range row {
			VPMOVDB(v, v.AsX())
			VMOVUPS(v.AsX(), to.Offset(16*j))
		}
		return
	}
	v, hi := YMM(), XMM()
	VPACKSSDW(row[1], row[0], v)
	VPERMQ(Imm(0xd8), v, v)
	VEXTRACTI128(Imm(1), v, hi)
	VPACKUSWB(hi, v.AsX(), hi)
	VMOVDQU(hi, to)
}

// Offsets in kernel.gateArgs.
const (
	offGateSrc  = 0
	offGateDst  = 24
	offGateMul  = 48
	offGateLo   = 72
	offGateHi   = 76
	offGateZero = 80
	offGateFrom = 84
	offGateStep = 88
	offGateUnit = 92
)

// gateGroup is how many elements a turn of gateCodes does.
const gateGroup = 16

func gate(s vec.Set) {
	TEXT("gateCodes"+s.Name, NOSPLIT, "func(a *byte)")
	Doc("gateCodes" + s.Name + " scales codes around a zero point channel by channel and stores codes, in whole groups.")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: a, Disp: off}, r)
		return r
	}
	src, dst, n, mul := field(offGateSrc), field(offGateDst), field(offGateDst+8), field(offGateMul)
	lo, hi, zero := s.Broadcast(Mem{Base: a, Disp: offGateLo}), s.Broadcast(Mem{Base: a, Disp: offGateHi}), s.Broadcast(Mem{Base: a, Disp: offGateZero})
	from, step, unit := s.Broadcast(Mem{Base: a, Disp: offGateFrom}), s.Broadcast(Mem{Base: a, Disp: offGateStep}), s.Broadcast(Mem{Base: a, Disp: offGateUnit})
	i := GP64()
	XORQ(i, i)
	loop(n, i, gateGroup, func() {
		var row []vec.Reg
		for j := range gateGroup / s.Lanes {
			u := s.New()
			VPMOVZXBD(Mem{Base: src, Index: i, Scale: 1, Disp: j * s.Lanes}, u)
			VCVTDQ2PS(u, u)
			VSUBPS(from, u, u)
			VMULPS(step, u, u)
			VMULPS(Mem{Base: mul, Index: i, Scale: 4, Disp: j * s.Bytes()}, u, u)
			VDIVPS(unit, u, u)
			// The bound stands second (Intel order): NaN becomes the lower one.
			VMAXPS(lo, u, u)
			VMINPS(hi, u, u)
			VCVTPS2DQ(u, u)
			VPADDD(zero, u, u)
			row = append(row, u)
		}
		store(s, row, Mem{Base: dst, Index: i, Scale: 1})
	})
}

func largest(s vec.Set) {
	TEXT("maxCodes"+s.Name, NOSPLIT, "func(dst, src []uint8)")
	Doc("maxCodes" + s.Name + " raises dst to src, in whole groups.")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	src := Load(Param("src").Base(), GP64())
	i := GP64()
	XORQ(i, i)
	loop(n, i, s.Bytes(), func() {
		v, to := s.New(), Mem{Base: dst, Index: i, Scale: 1}
		VMOVUPS(to, v)
		VPMAXUB(Mem{Base: src, Index: i, Scale: 1}, v, v)
		VMOVUPS(v, to)
	})
}

// mapGroup is how many codes a turn of mapCodes looks up.
const mapGroup = 128

// mapped looks up bytes by shuffles of rows of 16. A signed index below zero
// selects 0; others select by their low four bits from every row up to theirs,
// and rows hold differences, so that what the earlier rows gave cancels out.
func mapped(s vec.Set) {
	TEXT("mapCodes"+s.Name, NOSPLIT, "func(dst, src []uint8, rows *byte)")
	Doc("mapCodes" + s.Name + " looks up every code of src, in whole groups.")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	src := Load(Param("src").Base(), GP64())
	rows := Load(Param("rows"), GP64())
	i := GP64()
	XORQ(i, i)
	vectors := mapGroup / s.Bytes()
	sixteen, top := s.Bits(0x10101010), s.Bits(0x80808080)
	var table []vec.Reg
	if s.Wide() {
		for k := range 16 {
			table = append(table, s.New())
			VBROADCASTI32X4(Mem{Base: rows, Disp: 16 * k}, table[k])
		}
	}
	loop(n, i, mapGroup, func() {
		sum := s.Group(vectors)
		for half := range 2 {
			x := s.Group(vectors)
			for j := range x {
				VMOVUPS(Mem{Base: src, Index: i, Scale: 1, Disp: j * s.Bytes()}, x[j])
				if half == 1 {
					xor(s, top, x[j])
				}
			}
			for k := range 8 {
				row := s.New()
				if s.Wide() {
					row = table[8*half+k]
				} else {
					VBROADCASTI128(Mem{Base: rows, Disp: 16 * (8*half + k)}, row)
				}
				for j := range x {
					if k > 0 {
						VPSUBSB(sixteen, x[j], x[j])
					}
					if half == 0 && k == 0 {
						VPSHUFB(x[j], row, sum[j])
						continue
					}
					v := s.New()
					VPSHUFB(x[j], row, v)
					xor(s, v, sum[j])
				}
			}
		}
		for j := range sum {
			VMOVUPS(sum[j], Mem{Base: dst, Index: i, Scale: 1, Disp: j * s.Bytes()})
		}
	})
}

func xor(s vec.Set, v, to vec.Reg) {
	if s.Wide() {
		VPXORD(v, to, to)
		return
	}
	VPXOR(v, to, to)
}

// loop emits turns of size elements from i on while as many are left, then
// returns.
func loop(n, i reg.Register, size int, body func()) {
	Label("loop")
	SUBQ(Imm(uint64(size)), n)
	JL(LabelRef("done"))
	body()
	ADDQ(Imm(uint64(size)), i)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range vec.Sets {
		add(s)
		largest(s)
		mapped(s)
		gate(s)
		sums(s)
	}
	mappedBytes()
	scales()
	Generate()
}
