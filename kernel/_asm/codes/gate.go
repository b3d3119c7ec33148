package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pare-asm/vec"
)

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
	offGateOver = 96
	offGateMost = 100
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
	over, most := s.Broadcast(Mem{Base: a, Disp: offGateOver}), s.Broadcast(Mem{Base: a, Disp: offGateMost})
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
			divide(s, u, unit, over, most)
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

// divide divides by unit, rounded as the instruction rounds that takes longer. over
// is the rounded 1/unit, whose product is two units in the last place off at most;
// the first correction leaves less than one, and the second one rounds right
// (Markstein). Numbers above most, far behind all codes, count as that, so that
// nothing overflows but towards NaN, which is what numbers far below become.
func divide(s vec.Set, u, unit, over, most vec.Reg) {
	q, r := s.New(), s.New()
	// The number stands second (Intel order): NaN passes.
	VMINPS(u, most, u)
	VMULPS(over, u, q)
	VMOVAPS(u, r)
	VFNMADD231PS(unit, q, r)
	VFMADD231PS(over, r, q)
	VFNMADD231PS(unit, q, u)
	VFMADD213PS(q, over, u)
}
