// Command peak generates loops of multiply-adds on registers alone: the
// yardstick for the other kernels.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// peak emits n independent chains of what add emits; one turn of the loop
// advances each once.
func peak(name string, n int, vec func() reg.VecVirtual, add func(a, b, acc reg.VecVirtual)) {
	TEXT(name, NOSPLIT, "func(turns int)")
	Doc(name + " runs chains of multiply-adds for the given number of turns.")
	turns := Load(Param("turns"), GP64())
	acc := make([]reg.VecVirtual, n)
	for i := range acc {
		acc[i] = vec()
		VXORPS(acc[i].AsX(), acc[i].AsX(), acc[i].AsX())
	}
	a, b := vec(), vec()
	VXORPS(a.AsX(), a.AsX(), a.AsX())
	VXORPS(b.AsX(), b.AsX(), b.AsX())
	Label("loop")
	for i := range acc {
		add(a, b, acc[i])
	}
	DECQ(turns)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

func main() {
	ConstraintExpr("!noasm")
	fused := func(a, b, acc reg.VecVirtual) { VFMADD231PS(a, b, acc) }
	peak("peakAVX512", 24, ZMM, fused)
	peak("peakAVX2", 12, YMM, fused)
	peak("intPeakAVX512", 24, ZMM, func(a, b, acc reg.VecVirtual) { VPDPBUSD(a, b, acc) })
	peak("intPeakAVX2", 12, YMM, func(a, b, acc reg.VecVirtual) {
		v := YMM()
		VPMADDWD(a, b, v)
		VPADDD(v, acc, acc)
	})
	Generate()
}
