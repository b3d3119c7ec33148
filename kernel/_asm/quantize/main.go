// Command quantize generates conversions between float32 and bytes.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.Scales.
const (
	offStep  = 0
	offSteps = 8 // their number
	offZero  = 24
	offLo    = 48
	offHi    = 72
)

// scales reads one field of the scales for vector j of a loop.
type scales func(off int, at At, j int, t *Tail) Reg

// routine emits loops for one scale throughout and for one per element. Where
// the set has no masks for bytes, rest is left to the caller.
func routine(s Set, name, signature, doc string, bytes bool, fields []int, body func(c scales) Body) {
	TEXT(name+s.Name, NOSPLIT, signature)
	Doc(name + s.Name + " " + doc)
	Pragma("noescape")
	n, c := Load(Param("dst").Len(), GP64()), Load(Param("c"), GP64())
	loop := s.Loop
	if bytes && !s.Wide() {
		loop = s.Whole
	}
	CMPQ(Mem{Base: c, Disp: offSteps}, Imm(1))
	JEQ(LabelRef("one"))
	at := map[int]reg.Register{}
	for _, off := range fields {
		p := GP64()
		MOVQ(Mem{Base: c, Disp: off}, p)
		at[off] = p
	}
	loop("each_loop", n, 4, body(func(off int, a At, j int, t *Tail) Reg { return s.Load(a.Floats(at[off], j), t) }))
	VZEROUPPER()
	RET()
	Label("one")
	all := map[int]Reg{}
	for _, off := range fields {
		p := GP64()
		MOVQ(Mem{Base: c, Disp: off}, p)
		all[off] = s.Broadcast(Mem{Base: p})
	}
	loop("one_loop", n, 4, body(func(off int, _ At, _ int, _ *Tail) Reg { return all[off] }))
	VZEROUPPER()
	RET()
}

// steps is the clamped, rounded quotient; NaN becomes the lower bound.
func steps(s Set, c scales, at At, src reg.Register, j int, t *Tail) Reg {
	x := s.Load(at.Floats(src, j), t)
	VDIVPS(c(offStep, at, j, t), x, x)
	VMAXPS(c(offLo, at, j, t), x, x)
	VMINPS(c(offHi, at, j, t), x, x)
	s.Round([]Reg{x})
	return x
}

func quantize(s Set) {
	routine(s, "quantize", "func(dst []uint8, src []float32, c *byte)", "writes one byte per element"+whole(s)+".", true,
		[]int{offStep, offLo, offHi, offZero}, func(c scales) Body {
			dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
			return func(at At, u int, t *Tail) {
				var x []Reg
				for j := range u {
					v := steps(s, c, at, src, j, t)
					VADDPS(c(offZero, at, j, t), v, v)
					VCVTTPS2DQ(v, v)
					if !s.Wide() {
						x = append(x, v)
						continue
					}
					if t == nil {
						VPMOVDB(v, at.Bytes(dst, j))
					} else {
						VPMOVDB(v, t.Mask(), at.Bytes(dst, j))
					}
				}
				if !s.Wide() {
					pack(s, x, at.Bytes(dst, 0))
				}
			}
		})
}

func whole(s Set) string {
	if s.Wide() {
		return ""
	}
	return " of the first n/8*8"
}

// pack stores the low bytes of one or four vectors of integers.
func pack(s Set, x []Reg, to Mem) {
	low := s.Bits(0x00ff00ff)
	half := func(a, b Reg) Reg {
		w := s.New()
		VPACKSSDW(b, a, w)
		VPAND(low, w, w)
		return w
	}
	w := half(x[0], x[len(x)/4])
	v := w
	if len(x) == 4 {
		v = half(x[2], x[3])
	}
	VPACKUSWB(v, w, w)
	order := s.New()
	VMOVDQU(laneOrder, order)
	VPERMD(w, order, w)
	if len(x) == 4 {
		VMOVDQU(w, to)
		return
	}
	VMOVQ(w.AsX(), to)
}

// laneOrder undoes the packing by halves of a register.
var laneOrder Mem

func dequantize(s Set, name string, widen func(Mem, *Tail) Reg) {
	routine(s, name, "func(dst []float32, src []uint8, c *byte)", "writes (q-zero)·step"+whole(s)+".", true,
		[]int{offStep, offZero}, func(c scales) Body {
			dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
			return func(at At, u int, t *Tail) {
				for j := range u {
					x := widen(at.Bytes(src, j), t)
					VCVTDQ2PS(x, x)
					VSUBPS(c(offZero, at, j, t), x, x)
					VMULPS(c(offStep, at, j, t), x, x)
					s.Store(x, at.Floats(dst, j), t)
				}
			}
		})
}

func fake(s Set) {
	routine(s, "fake", "func(dst, src []float32, c *byte)", "writes what quantising leaves of src.", false,
		[]int{offStep, offLo, offHi}, func(c scales) Body {
			dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
			zero := s.Zero()
			return func(at At, u int, t *Tail) {
				for j := range u {
					x := steps(s, c, at, src, j, t)
					VADDPS(zero, x, x)
					VMULPS(c(offStep, at, j, t), x, x)
					s.Store(x, at.Floats(dst, j), t)
				}
			}
		})
}

func main() {
	ConstraintExpr("!noasm")
	laneOrder = GLOBL("laneOrder", RODATA|NOPTR)
	for i, v := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
		DATA(4*i, U32(v))
	}
	for _, s := range Sets {
		quantize(s)
		fake(s)
		dequantize(s, "dequantU8", func(m Mem, t *Tail) Reg {
			v := s.New()
			if t == nil {
				VPMOVZXBD(m, v)
			} else {
				VPMOVZXBD_Z(m, t.Mask(), v)
			}
			return v
		})
		dequantize(s, "dequantS8", func(m Mem, t *Tail) Reg {
			v := s.New()
			if t == nil {
				VPMOVSXBD(m, v)
			} else {
				VPMOVSXBD_Z(m, t.Mask(), v)
			}
			return v
		})
	}
	Generate()
}
