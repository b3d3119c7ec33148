// Command split generates the loops of split convolutions. Vectors lie along the
// pixels: products of a chunk of kernels with one channel are held in registers over
// all taps, and the sums of an output over all its terms.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.splitArgs.
const (
	offSrc     = 0
	offWeights = 24
	offZ       = 48
	offY       = 72
	offTaps    = 96
	offChunks  = 120
	offNChunks = 128
	offTerms   = 144
	offStarts  = 168
	offNStarts = 176
	offPitch   = 192
	offWidth   = 200
	offFirst   = 208
)

// strip is the bytes between the products of one kernel and the next, and between
// the sums of outputs.
const strip = 256

// widths are the numbers of pixels that loops take.
var widths = []int{64, 32, 16}

func args() reg.Register { return Load(Param("a"), GP64()) }

func field(off int) reg.GPVirtual {
	r := GP64()
	MOVQ(Mem{Base: args(), Disp: off}, r)
	return r
}

// routine emits a routine that has one body per width.
func routine(s Set, name, doc string, body func(width int)) {
	TEXT(name+s.Name, NOSPLIT, "func(a *byte)")
	Doc(name + s.Name + doc)
	Pragma("noescape")
	width := field(offWidth)
	for _, w := range widths[:len(widths)-1] {
		CMPQ(width, Imm(uint64(w)))
		JEQ(LabelRef(fmt.Sprintf("w%d", w)))
	}
	for i := range widths {
		w := widths[len(widths)-1-i]
		Label(fmt.Sprintf("w%d", w))
		body(w)
		VZEROUPPER()
		RET()
	}
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		p := newProducts(s)
		routine(s, "splitProducts", " filters channels by the kernels of a block.", p.width)
		routine(s, "splitSums", " adds the terms of outputs.", func(width int) { sums(s, width) })
	}
	Generate()
}
