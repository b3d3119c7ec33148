// Command inttile generates the matrix micro-kernels of u8 activations and s8
// weights: every number of rows up to the tile's. Four k, a quad, take the
// place of one float32 of the tiles in ../tile, whose frame these share.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pare-asm/vec"
)

// Offsets in kernel.intArgs.
const (
	offSrc    = 0
	offRows   = 24
	offSegs   = 48
	offNSegs  = 56
	offB      = 72
	offC      = 96
	offStart  = 120
	offMul    = 144
	offAdd    = 168
	offRes    = 192
	offLDC    = 216
	offLDR    = 224
	offN      = 232
	offStore  = 240
	offTiles  = 248
	offResMul = 256
	offLo     = 260
	offHi     = 264
	offZero   = 268
	offLeast  = 272
	offMid    = 273
	offMidLo  = 276
	offMidHi  = 280
	offMidMul = 284
	offLast   = 288
	offExtra  = 312
	offLDE    = 336
	offSteps  = 344
	offMore   = 352
	offOrder  = 360
	offRuns   = 368
	offTaps   = 384
	offAll    = 392
	offBack   = 400
	offSrcTap = 408
	offBTap   = 416
	offCTap   = 424
)

// Kinds of kernel.intStore.
const storeFloat, storeSums = 1, 2

// acc is the accumulators by row and vector.
type acc [][]reg.VecVirtual

// isa is what differs between the instruction sets: how a quad of every row is
// multiplied by a line of the panel, and what happens to the sums then.
type isa struct {
	name   string
	suffix string
	bytes  int // of a vector register
	unit   int // bytes of a column's quad in the panel; 0: nothing is multiplied
	vec    func() reg.VecVirtual
	form   form
	finish func(t reg.Register, a acc)
	taps   bool // several products in a row
}

// form emits the multiplication.
type form interface {
	// begin readies the accumulators.
	begin(s *isa, t reg.Register, a acc)
	// quad multiplies a quad of every row by the line at b.
	quad(s *isa, rows []Mem, b Mem, a acc)
	// step ends a quad.
	step(s *isa, a acc)
	// end leaves int32 sums in the accumulators.
	end(s *isa, a acc)
}

// kernel emits a tile of m rows and width columns.
func kernel(s *isa, width, m int) {
	name := fmt.Sprintf("inttile%dx%d%s%s", m, width, s.name, s.suffix)
	TEXT(name, NOSPLIT, "func(t *byte)")
	Doc(fmt.Sprintf("%s computes tiles of %d rows and %d columns.", name, m, width))
	Pragma("noescape")
	local := AllocLocal(16)
	segp, segn := local, local.Offset(8)

	Label("tile")
	t := Load(Param("t"), GP64())
	a := make(acc, m)
	for r := range a {
		for range 4 * width / s.bytes {
			a[r] = append(a[r], s.vec())
		}
	}
	s.form.begin(s, t, a)
	if f, ok := s.form.(groupedForm); ok {
		f.sum(s, t, a)
	} else if s.unit > 0 {
		sum(s, t, a, width, segp, segn)
	}
	s.form.end(s, a)
	s.finish(Load(Param("t"), GP64()), a)

	Label("next")
	t = Load(Param("t"), GP64())
	DECQ(Mem{Base: t, Disp: offTiles})
	JZ(LabelRef("done"))
	ADDQ(U32(4*m), Mem{Base: t, Disp: offRows})
	advance := func(at, stride int) {
		x := GP64()
		MOVQ(Mem{Base: t, Disp: stride}, x)
		IMUL3Q(U32(m), x, x)
		ADDQ(x, Mem{Base: t, Disp: at})
	}
	advance(offC, offLDC)
	// What is not there must stay so.
	CMPQ(Mem{Base: t, Disp: offExtra}, Imm(0))
	JE(LabelRef("noextra"))
	advance(offExtra, offLDE)
	Label("noextra")
	CMPQ(Mem{Base: t, Disp: offRes}, Imm(0))
	JE(LabelRef("tile"))
	advance(offRes, offLDR)
	JMP(LabelRef("tile"))

	Label("done")
	if s.taps {
		nextTap(t)
	}
	VZEROUPPER()
	RET()
}

// nextTap goes on with the same rows of the next tap, if there is one.
func nextTap(t reg.Register) {
	x := GP64()
	DECQ(Mem{Base: t, Disp: offTaps})
	JLE(LabelRef("end"))
	MOVQ(Mem{Base: t, Disp: offAll}, x)
	MOVQ(x, Mem{Base: t, Disp: offTiles})
	MOVQ(Mem{Base: t, Disp: offBack}, x)
	SUBQ(x, Mem{Base: t, Disp: offRows})
	for _, p := range [][2]int{{offSrc, offSrcTap}, {offB, offBTap}, {offC, offCTap}} {
		MOVQ(Mem{Base: t, Disp: p[1]}, x)
		ADDQ(x, Mem{Base: t, Disp: p[0]})
	}
	JMP(LabelRef("tile"))
	Label("end")
}

// sum emits the loops over segments and quads.
func sum(s *isa, t reg.Register, a acc, width int, segp, segn Mem) {
	x := GP64()
	MOVQ(Mem{Base: t, Disp: offNSegs}, x)
	MOVQ(x, segn)
	MOVQ(Mem{Base: t, Disp: offSegs}, x)
	MOVQ(x, segp)

	b, idx, cnt := GP64(), GP64(), GP64()
	rows, src := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: offB}, b)
	MOVQ(Mem{Base: t, Disp: offRows}, rows)
	MOVQ(Mem{Base: t, Disp: offSrc}, src)
	p := make([]reg.GPVirtual, len(a))
	// The last two pointers take the place of rows and src.
	for r := range p {
		p[r] = GP64()
		to := p[r]
		if r == len(p)-1 {
			to = rows
		}
		MOVLQSX(Mem{Base: rows, Disp: 4 * r}, to)
		LEAQ(Mem{Base: src, Index: to, Scale: 1}, p[r])
	}

	Label("segment")
	MOVQ(segp, idx)
	ADDQ(Imm(16), segp)
	MOVQ(Mem{Base: idx, Disp: 8}, cnt)
	MOVQ(Mem{Base: idx}, idx)

	Label("k")
	quads := make([]Mem, len(p))
	for r := range p {
		quads[r] = Mem{Base: p[r], Index: idx, Scale: 1}
	}
	s.form.quad(s, quads, Mem{Base: b}, a)
	ADDQ(U32(s.unit*width), b)
	ADDQ(Imm(4), idx)
	s.form.step(s, a)
	DECQ(cnt)
	JNZ(LabelRef("k"))
	DECQ(segn)
	JNZ(LabelRef("segment"))
}

// start loads what every row starts with.
func start(s *isa, t reg.Register, a acc) {
	at := GP64()
	MOVQ(Mem{Base: t, Disp: offStart}, at)
	for j := range a[0] {
		VMOVUPS(Mem{Base: at, Disp: j * s.bytes}, a[0][j])
		for r := 1; r < len(a); r++ {
			VMOVUPS(a[0][j], a[r][j])
		}
	}
}

func main() {
	ConstraintExpr("!noasm")
	constants()
	stepWords = vec.NewWords("inttile")
	for m := 1; m <= 12; m++ {
		kernel(&vnni, 32, m)
		kernel(&vnni, 16, m)
		kernel(&channels512, 16, m)
		kernel(&channels2, 8, m)
		kernel(&short512, 32, m)
		kernel(&short512, 16, m)
		if m <= 8 {
			kernel(&sums512, 32, m)
			kernel(&sums512, 16, m)
		}
		if m > 6 {
			continue
		}
		kernel(&grouped, 8, m)
		if m <= 3 {
			kernel(&grouped, 16, m)
		}
		for _, s := range []*isa{&short2, &sums2} {
			kernel(s, 16, m)
			kernel(s, 8, m)
		}
	}
	Generate()
}
