package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Blocks of kernel.stepTree with 32 lanes, in bytes.
const (
	treeHalf   = 128
	treeValues = 192
	treeMore   = 256
	treeBlock  = 64
)

// atLeast is the predicate of comparisons of words without sign.
var atLeast = Imm(5)

// weights are blocks of the words 16, 8, 4, 2 and 1.
var weights [5]Mem

func wordWeights() {
	for i := range weights {
		weights[i] = GLOBL(fmt.Sprintf("inttileWords%d", 16>>i), RODATA|NOPTR)
		for j := range 16 {
			DATA(4*j, U32(0x10001*(16>>i)))
		}
	}
}

// look replaces floats by the values of the steps that they lie in, as bytes in
// the order of pack512.
func look(t reg.Register, a acc) {
	tree, more, least, order := GP64(), GP64(), ZMM(), ZMM()
	MOVQ(Mem{Base: t, Disp: offSteps}, tree)
	VBROADCASTSS(Mem{Base: t, Disp: offLo}, least)
	VCVTTPS2DQ(least, least)
	VPACKUSDW(least, least, least)
	VMOVUPS(lanesToRows, order)
	for i, g := range fours(a) {
		for _, v := range g {
			// What lies below the range of integers, and NaN, becomes the least of
			// them, and packing makes that 0.
			VCVTTPS2DQ(v, v)
		}
		at := func(i int) reg.VecVirtual { return g[min(i, len(g)-1)] }
		VPACKUSDW(at(1), g[0], g[0])
		words := g[:1]
		if len(g) > 2 {
			VPACKUSDW(at(3), g[2], g[2])
			words = []reg.VecVirtual{g[0], g[2]}
		}
		for _, w := range words {
			VPMAXUW(least, w, w)
		}
		MOVQ(Mem{Base: t, Disp: offMore}, more)
		y := find(fmt.Sprintf("group%d", i), tree, more, words)
		VPACKUSWB(y[len(y)-1], y[0], g[0])
		VPERMD(g[0], order, g[0])
	}
}

// find returns the values of steps; its labels begin with name. It spoils more.
func find(name string, tree, more reg.Register, words []reg.VecVirtual) (y []reg.VecVirtual) {
	var at []reg.VecVirtual
	hit := make([]reg.OpmaskVirtual, len(words))
	for i, w := range words {
		at, hit[i] = append(at, ZMM()), K()
		VPCMPUW(atLeast, Mem{Base: tree, Disp: treeHalf}, w, hit[i])
		VMOVDQU16_Z(weights[0], hit[i], at[i])
	}
	for b := 1; b < len(weights); b++ {
		for i, w := range words {
			t := ZMM()
			VPERMW(Mem{Base: tree, Disp: 2 * (16 >> b)}, at[i], t)
			VPCMPUW(atLeast, t, w, hit[i])
			VPADDW(weights[b], at[i], hit[i], at[i])
		}
	}
	for i := range words {
		y = append(y, ZMM())
		VPERMW(Mem{Base: tree, Disp: treeValues}, at[i], y[i])
	}
	p := GP64()
	TESTQ(more, more)
	JZ(LabelRef(name + "_found"))
	LEAQ(Mem{Base: tree, Disp: treeMore}, p)
	Label(name + "_more")
	for i, w := range words {
		t := ZMM()
		VPERMW(Mem{Base: p}, at[i], t)
		VPCMPUW(atLeast, t, w, hit[i])
		VPERMW(Mem{Base: p, Disp: treeBlock}, at[i], hit[i], y[i])
	}
	ADDQ(U32(2*treeBlock), p)
	DECQ(more)
	JNZ(LabelRef(name + "_more"))
	Label(name + "_found")
	return y
}
