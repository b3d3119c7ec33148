package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// most is beyond the steps of all tables; words hold it.
const most = 32768

// wide emits the routine for AVX-512, which compares words, 64 elements a turn.
func wide() {
	words := NewWords("steps")
	TEXT("stepsAVX512", NOSPLIT, "func(a *byte)")
	Doc("stepsAVX512 writes the values of a matrix, by a tree of words.")
	Pragma("noescape")
	f := fields(AVX512)
	last, order := AVX512.Const(most), ZMM()
	VMOVUPS(words.Order, order)
	i, left, more := GP64(), GP64(), GP64()
	turn := func(name string, tails []*Tail, bytes reg.Register) {
		at := func(base reg.Register, scale uint8, disp int) Mem {
			return Mem{Base: base, Index: i, Scale: scale, Disp: disp}
		}
		var x []Reg
		for j := range 4 {
			var t *Tail
			if tails != nil {
				t = tails[j]
			}
			v := AVX512.Load(at(f.src, 4, 64*j), t)
			VMULPS(f.factor, v, v)
			VADDPS(f.offset, v, v)
			// The sum stands second (Intel order): NaN passes, to become the least
			// of integers.
			VMINPS(v, last, v)
			VCVTTPS2DQ(v, v)
			x = append(x, v)
		}
		VPACKUSDW(x[1], x[0], x[0])
		VPACKUSDW(x[3], x[2], x[2])
		MOVQ(f.more, more)
		y := words.Find(name, f.tree, more, []Reg{x[0], x[2]})
		VPACKUSWB(y[1], y[0], y[0])
		VPERMD(y[0], order, y[0])
		if bytes == nil {
			VMOVUPS(y[0], at(f.dst, 1, 0))
			return
		}
		VMOVDQU8(y[0], bytes, at(f.dst, 1, 0))
	}
	Label("row")
	XORQ(i, i)
	Label("whole")
	MOVQ(f.cols, left)
	SUBQ(i, left)
	CMPQ(left, Imm(64))
	JL(LabelRef("rest"))
	turn("whole", nil, nil)
	ADDQ(Imm(64), i)
	JMP(LabelRef("whole"))
	Label("rest")
	TESTQ(left, left)
	JZ(LabelRef("next"))
	bits, bytes := GP64(), K()
	MOVQ(I32(-1), bits)
	BZHIQ(left, bits, bits)
	KMOVQ(bits, bytes)
	turn("rest", AVX512.Tails(left, 4), bytes)
	Label("next")
	f.step()
}
