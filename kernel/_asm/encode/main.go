// Command encode generates loops that store numbers on a grid and add up what
// that costs.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.gridArgs.
const (
	offDst    = 0
	offSrc    = 24
	offStep   = 48
	offLo     = 52
	offHi     = 56
	offZero   = 60
	offCuts   = 64
	offLevels = 128
	offSquare = 192
	offEnergy = 256
	offTop    = 320
)

// Constants in every lane of a register.
var (
	magnitude, sign, low  Mem
	magnitude64           Mem
	one, two, four, eight Mem
)

func lanes(name string, v uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(v))
	}
	return m
}

// routine emits a loop; where the set has no masks for bytes, the rest is left
// to the caller.
func routine(s Set, name, doc string, body func(a reg.Register) func(v Reg) (q, y Reg)) {
	TEXT(name+s.Name, NOSPLIT, "func(a *byte)")
	loop := s.Loop
	if !s.Wide() {
		loop, doc = s.Whole, doc+" of the first n/8*8"
	}
	Doc(name + s.Name + " " + doc + ".")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	dst, src, n := field(a, offDst), field(a, offSrc), field(a, offDst+8)
	code, t := body(a), newTally(s)
	loop("loop", n, 1, func(at At, _ int, tail *Tail) {
		v := s.Load(at.Floats(src, 0), tail)
		q, y := code(v)
		store(s, q, at.Bytes(dst, 0), tail)
		t.add(v, y)
	})
	t.store(a)
	VZEROUPPER()
	RET()
}

func field(a reg.Register, off int) reg.Register {
	r := GP64()
	MOVQ(Mem{Base: a, Disp: off}, r)
	return r
}

// store writes the low bytes of integers.
func store(s Set, q Reg, to Mem, t *Tail) {
	switch {
	case !s.Wide():
		hi := XMM()
		VEXTRACTI128(Imm(1), q, hi)
		VPACKSSDW(hi, q.AsX(), hi)
		VPAND(low, hi, hi)
		VPACKUSWB(hi, hi, hi)
		VMOVQ(hi, to)
	case t == nil:
		VPMOVDB(q, to)
	default:
		VPMOVDB(q, t.Mask(), to)
	}
}

// tally adds up float64 sums in eight parts, element i in part i mod 8.
type tally struct {
	set            Set
	square, energy []Reg
	top            Reg
}

func newTally(s Set) *tally {
	n := 16 / s.Lanes
	t := &tally{set: s, top: s.Zero()}
	for range n {
		t.square, t.energy = append(t.square, s.Zero()), append(t.energy, s.Zero())
	}
	return t
}

// half is one half of x in float64.
func (t *tally) half(x Reg, h int) Reg {
	v := t.set.New()
	switch {
	case h == 0 && t.set.Wide():
		VCVTPS2PD(x.AsY(), v)
	case h == 0:
		VCVTPS2PD(x.AsX(), v)
	case t.set.Wide():
		VEXTRACTF64X4(Imm(1), x, v.AsY())
		VCVTPS2PD(v.AsY(), v)
	default:
		VEXTRACTF128(Imm(1), x, v.AsX())
		VCVTPS2PD(v.AsX(), v)
	}
	return v
}

// add takes in what v is and y, which stands for it.
func (t *tally) add(v, y Reg) {
	for h := range 2 {
		part := h % len(t.square)
		a, d := t.half(v, h), t.half(y, h)
		VSUBPD(d, a, d)
		VMULPD(a, a, a)
		VADDPD(a, t.energy[part], t.energy[part])
		VMULPD(d, d, a)
		VADDPD(a, t.square[part], t.square[part])
		VANDPD(magnitude64, d, d)
		VMAXPD(d, t.top, t.top)
	}
}

func (t *tally) store(a reg.Register) {
	for i := range t.square {
		VMOVUPD(t.square[i], Mem{Base: a, Disp: offSquare + 32*i})
		VMOVUPD(t.energy[i], Mem{Base: a, Disp: offEnergy + 32*i})
	}
	VMOVUPD(t.top, Mem{Base: a, Disp: offTop})
}

func steps(s Set) {
	routine(s, "encodeSteps", "stores the nearest of equal steps", func(a reg.Register) func(v Reg) (q, y Reg) {
		step, lo, hi := s.Broadcast(Mem{Base: a, Disp: offStep}), s.Broadcast(Mem{Base: a, Disp: offLo}), s.Broadcast(Mem{Base: a, Disp: offHi})
		zero := s.Broadcast(Mem{Base: a, Disp: offZero})
		return func(v Reg) (q, y Reg) {
			q, y = s.New(), s.New()
			VDIVPS(step, v, y)
			VMAXPS(lo, y, y)
			VMINPS(hi, y, y)
			s.Round([]Reg{y})
			VCVTPS2DQ(y, q)
			VPADDD(zero, q, q)
			VMULPS(step, y, y)
			return q, y
		}
	})
}

func levels(s Set) {
	routine(s, "encodeLevels", "stores levels of either sign by their cuts", func(a reg.Register) func(v Reg) (q, y Reg) {
		step, zero := s.Broadcast(Mem{Base: a, Disp: offStep}), s.Broadcast(Mem{Base: a, Disp: offZero})
		cuts, table := s.New(), s.New()
		VMOVUPS(Mem{Base: a, Disp: offCuts}, cuts)
		VMOVUPS(Mem{Base: a, Disp: offLevels}, table)
		return func(v Reg) (q, y Reg) {
			u, at := s.New(), s.New()
			q = s.Zero()
			VDIVPS(step, v, u)
			VANDPS(magnitude, u, u)
			for _, jump := range []Mem{eight, four, two, one}[4-int(math.Log2(float64(s.Lanes))):] {
				VPADDD(jump, q, at)
				VPERMPS(cuts, at, at)
				if s.Wide() {
					k := K()
					VCMPPS(Imm(29), at, u, k)
					VPADDD(jump, q, k, q)
					continue
				}
				VCMPPS(Imm(29), at, u, at)
				VPAND(jump, at, at)
				VPADDD(at, q, q)
			}
			VPERMPS(table, q, u)
			VANDPS(sign, v, at)
			VORPS(at, u, u)
			VPSRAD(Imm(31), v, at)
			xor(s, at, q)
			VPSUBD(at, q, q)
			VPADDD(zero, q, q)
			return q, u
		}
	})
}

func xor(s Set, a, q Reg) {
	if s.Wide() {
		VPXORD(a, q, q)
		return
	}
	VPXOR(a, q, q)
}

func main() {
	ConstraintExpr("!noasm")
	magnitude, sign, low = lanes("magnitude32", 1<<31-1), lanes("sign32", 1<<31), lanes("lowBytes", 0x00ff00ff)
	one, two, four, eight = lanes("lanes1", 1), lanes("lanes2", 2), lanes("lanes4", 4), lanes("lanes8", 8)
	magnitude64 = GLOBL("magnitude64", RODATA|NOPTR)
	for i := range 8 {
		DATA(8*i, U64(1<<63-1))
	}
	for _, s := range Sets {
		steps(s)
		levels(s)
	}
	Generate()
}
