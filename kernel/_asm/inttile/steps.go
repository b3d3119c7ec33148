package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pare-asm/vec"
)

var stepWords *vec.Words

// look replaces floats by the values of the steps that they lie in, as bytes in
// the order of pack512.
func look(t reg.Register, a acc) {
	tree, more, least, order := GP64(), GP64(), ZMM(), ZMM()
	MOVQ(Mem{Base: t, Disp: offSteps}, tree)
	VBROADCASTSS(Mem{Base: t, Disp: offLo}, least)
	VCVTTPS2DQ(least, least)
	VPACKUSDW(least, least, least)
	VMOVUPS(stepWords.Order, order)
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
		y := stepWords.Find(fmt.Sprintf("group%d", i), tree, more, words)
		VPACKUSWB(y[len(y)-1], y[0], g[0])
		VPERMD(g[0], order, g[0])
	}
}
