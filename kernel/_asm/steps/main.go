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

// atLeast is the predicate of comparisons that NaN fails.
var atLeast = Imm(0x1d)

// search is what the routine keeps while it runs.
type search struct {
	s          Set
	tree, more reg.Register
	weights    []Reg // lanes/2, ... 2, 1 in every lane
	half       Reg
	turns      int
}

// find returns the values at u; labels of its loop begin with name.
func (f *search) find(name string, u []Reg) []Reg {
	s := f.s
	at := make([]Reg, len(u))
	hit := make([]reg.Register, len(u))
	for i, x := range u {
		at[i] = s.New()
		if s.Wide() {
			hit[i] = K()
			VCMPPS(atLeast, f.half, x, hit[i])
			VMOVDQA32_Z(f.weights[0], hit[i], at[i])
			continue
		}
		VCMPPS(atLeast, f.half, x, at[i])
		VPAND(f.weights[0], at[i], at[i])
	}
	for b, w := 1, s.Lanes/4; w > 0; b, w = b+1, w/2 {
		for i, x := range u {
			t := s.New()
			VPERMPS(Mem{Base: f.tree, Disp: 4 * w}, at[i], t)
			if s.Wide() {
				VCMPPS(atLeast, t, x, hit[i])
				VPADDD(f.weights[b], at[i], hit[i], at[i])
				continue
			}
			VCMPPS(atLeast, t, x, t)
			VPAND(f.weights[b], t, t)
			VPADDD(t, at[i], at[i])
		}
	}
	y := make([]Reg, len(u))
	for i := range u {
		y[i] = s.New()
		VPERMD(Mem{Base: f.tree, Disp: 3 * s.Bytes()}, at[i], y[i])
	}
	f.between(name, u, at, y)
	return y
}

// between takes the values of runs between those of the first vector.
func (f *search) between(name string, u, at, y []Reg) {
	s, p, left := f.s, GP64(), GP64()
	MOVQ(f.more, left)
	TESTQ(left, left)
	JZ(LabelRef(name + "_found"))
	LEAQ(Mem{Base: f.tree, Disp: 4 * s.Bytes()}, p)
	Label(name + "_more")
	for i, x := range u {
		t := s.New()
		VPERMPS(Mem{Base: p}, at[i], t)
		values := Mem{Base: p, Disp: s.Bytes()}
		if s.Wide() {
			k := K()
			VCMPPS(atLeast, t, x, k)
			VPERMD(values, at[i], k, y[i])
			continue
		}
		v := s.New()
		VCMPPS(atLeast, t, x, t)
		VPERMD(values, at[i], v)
		VBLENDVPS(t, v, y[i], y[i])
	}
	ADDQ(Imm(uint64(2*s.Bytes())), p)
	DECQ(left)
	JNZ(LabelRef(name + "_more"))
	Label(name + "_found")
}

// store writes a vector of 0..255 as bytes.
func store(s Set, v Reg, to Mem, t *Tail) {
	switch {
	case !s.Wide():
		hi := XMM()
		VEXTRACTI128(Imm(1), v, hi)
		VPACKUSDW(hi, v.AsX(), hi)
		VPACKUSWB(hi, hi, hi)
		VMOVQ(hi, to)
	case t == nil:
		VPMOVDB(v, v.AsX())
		VMOVUPS(v.AsX(), to)
	default:
		VPMOVDB(v, t.Mask(), to)
	}
}

func steps(s Set) {
	TEXT("steps"+s.Name, NOSPLIT, "func(a *byte)")
	whole := ""
	if !s.Wide() {
		whole = " of the first cols/8*8"
	}
	Doc("steps" + s.Name + " writes the values of a matrix" + whole + ".")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: a, Disp: off}, r)
		return r
	}
	dst, src, rows, cols := field(offDst), field(offSrc), field(offRows), field(offCols)
	f := &search{s: s, tree: field(offTree), more: field(offMore)}
	factor, offset := s.Broadcast(Mem{Base: a, Disp: offFactor}), s.Broadcast(Mem{Base: a, Disp: offOffset})
	f.half = s.Broadcast(Mem{Base: f.tree, Disp: 2 * s.Lanes})
	for w := s.Lanes / 2; w > 0; w /= 2 {
		f.weights = append(f.weights, s.Bits(uint32(w)))
	}
	Label("row")
	loop := s.Loop
	if !s.Wide() {
		loop = s.Whole
	}
	loop("cols", cols, 2, func(at At, u int, t *Tail) {
		var x []Reg
		for j := range u {
			v := s.Load(at.Floats(src, j), t)
			VMULPS(factor, v, v)
			VADDPS(offset, v, v)
			x = append(x, v)
		}
		f.turns++
		for j, v := range f.find([]string{"", "first", "second"}[f.turns], x) {
			store(s, v, at.Bytes(dst, j), t)
		}
	})
	step := field(offLDS)
	LEAQ(Mem{Base: src, Index: step, Scale: 4}, src)
	ADDQ(Mem{Base: a, Disp: offLDD}, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		steps(s)
	}
	Generate()
}
