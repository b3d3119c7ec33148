// Package vec writes loops over vectors of float32 once for AVX2 and for
// AVX-512. Operands of the instructions it emits follow Go's order: sources
// reversed, destination last.
package vec

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Reg is a vector register.
type Reg = reg.VecVirtual

// Set is an instruction set: its name ends the names of routines.
type Set struct {
	Name  string
	Lanes int
	New   func() Reg
}

// AVX512 uses masks for the ends of loops; AVX2 stands for AVX2 and FMA.
var (
	AVX512 = Set{"AVX512", 16, ZMM}
	AVX2   = Set{"AVX2", 8, YMM}
)

// Sets lists them, best first.
var Sets = []Set{AVX512, AVX2}

// Wide reports whether the set is AVX-512.
func (s Set) Wide() bool { return s.Lanes == 16 }

// Bytes is the size of a register.
func (s Set) Bytes() int { return 4 * s.Lanes }

// Zero returns a cleared register.
func (s Set) Zero() Reg {
	v := s.New()
	VXORPS(v.AsX(), v.AsX(), v.AsX())
	return v
}

// Group returns n registers.
func (s Set) Group(n int) []Reg {
	g := make([]Reg, n)
	for i := range g {
		g[i] = s.New()
	}
	return g
}

var consts = map[uint32]Mem{}

// word is the address of a constant, which the file holds once.
func word(bits uint32) Mem {
	m, ok := consts[bits]
	if !ok {
		m = ConstData(fmt.Sprintf("word%08x", bits), U32(bits))
		consts[bits] = m
	}
	return m
}

// Const returns a register that holds f in every lane.
func (s Set) Const(f float32) Reg { return s.Bits(math.Float32bits(f)) }

// Bits is Const for a bit pattern.
func (s Set) Bits(bits uint32) Reg { return s.Broadcast(word(bits)) }

// Broadcast returns a register that holds the number at m in every lane.
func (s Set) Broadcast(m Mem) Reg {
	v := s.New()
	VBROADCASTSS(m, v)
	return v
}

// Tail limits accesses to the first lanes of a register; nil limits nothing.
type Tail struct {
	k    reg.OpmaskVirtual
	mask Reg
}

// Masks is how many vectors of lanes the AVX2 mask table serves at once.
const tableLanes = 64

var laneTable *Mem

// lanes is the address of a table of ones and then zeros.
func lanes() Mem {
	if laneTable == nil {
		m := GLOBL("lanes", RODATA|NOPTR)
		for i := range 2 * tableLanes {
			v := uint32(0)
			if i < tableLanes {
				v = ^v
			}
			DATA(4*i, U32(v))
		}
		laneTable = &m
	}
	return *laneTable
}

// Tails returns masks for the first n lanes of count vectors. n is below 256
// for AVX-512, and at most 64 for AVX2.
func (s Set) Tails(n reg.Register, count int) []*Tail {
	tails := make([]*Tail, count)
	bits := GP64()
	if s.Wide() {
		MOVQ(I32(-1), bits)
		BZHIQ(n, bits, bits)
		for i := range tails {
			if i > 0 {
				SHRQ(Imm(16), bits)
			}
			tails[i] = &Tail{k: K()}
			KMOVW(bits.As32(), tails[i].k)
		}
		return tails
	}
	at := GP64()
	LEAQ(lanes().Offset(4*tableLanes), at)
	MOVQ(n, bits)
	NEGQ(bits)
	for i := range tails {
		v := YMM()
		VMOVUPS(Mem{Base: at, Index: bits, Scale: 4, Disp: 32 * i}, v)
		tails[i] = &Tail{mask: v}
	}
	return tails
}

// Load reads a vector; lanes outside the tail are zero and not touched.
func (s Set) Load(m Mem, t *Tail) Reg {
	v := s.New()
	switch {
	case t == nil:
		VMOVUPS(m, v)
	case s.Wide():
		VMOVUPS_Z(m, t.k, v)
	default:
		VMASKMOVPS(m, t.mask, v)
	}
	return v
}

// Store writes a vector, of which lanes outside the tail stay untouched.
func (s Set) Store(v Reg, m Mem, t *Tail) {
	switch {
	case t == nil:
		VMOVUPS(v, m)
	case s.Wide():
		VMOVUPS(v, t.k, m)
	default:
		VMASKMOVPS(v, t.mask, m)
	}
}

// Keep clears the lanes of v outside the tail.
func (s Set) Keep(v Reg, t *Tail) {
	switch {
	case t == nil:
	case s.Wide():
		VMOVUPS_Z(v, t.k, v)
	default:
		VANDPS(t.mask, v, v)
	}
}

// Mask is the opmask of an AVX-512 tail.
func (t *Tail) Mask() reg.Register { return t.k }

// Vector is the mask of an AVX2 tail.
func (t *Tail) Vector() Reg { return t.mask }
