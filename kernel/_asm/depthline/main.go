// Command depthline generates depthwise convolutions of u8 codes and s8 weights
// along a line of output pixels: windows of 3x3 or 5x5, one or two pixels apart.
// A column of the source is read once and meets all taps of the outputs that see
// it, whose sums wait in registers until their last column has passed. Blocks of
// channels run one after the other; the last may overlap the one before.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in kernel.lineArgs.
const (
	offDst     = 0
	offWeights = 8
	offMul     = 16
	offAdd     = 24
	offRuns    = 32
	offDstStep = 40
	offLast    = 48
	offPixels  = 56
	offHi      = 64
	offZero    = 68
	offLeast   = 72
)

// Offsets in kernel.lineRun.
const (
	offStep = 40
	offN    = 48
	runSize = 56
)

// vector is the bytes of a register: 256 bits suit both sets, as channels come in
// multiples of few.
const vector = 32

// isa is what differs between the instruction sets.
type isa struct {
	name    string
	vectors int // of int32 sums in a block
	// terms is how many lines of weights a window of k columns has.
	terms func(k int) int
	// column multiplies a column of the source. Where outputs begin with it, parity
	// is 0, and those that end with it are finished.
	column func(l *line, parity int)
	// insert loads the upper half of a register.
	insert func(m Mem, v reg.VecVirtual)
	finish func(l *line, sums []reg.VecVirtual)
}

// line is one routine under construction.
type line struct {
	*isa
	k, s                   int
	t, runs, weights, dst  reg.GPVirtual
	at, left, step, ch, px reg.GPVirtual
	rows                   []reg.GPVirtual
	// pending are the sums of outputs that have begun, latest first.
	pending [][]reg.VecVirtual
	// kept is what a form remembers of columns that have passed.
	kept  []reg.VecVirtual
	begun []reg.VecVirtual
	local Mem
	count int // of labels
}

func (l *line) channels() int { return 8 * l.vectors }

func (l *line) label(name string) string {
	l.count++
	return fmt.Sprintf("%s%d", name, l.count)
}

// weight is vector v of a term.
func (l *line) weight(term, v int) Mem {
	return Mem{Base: l.weights, Disp: vector * ((1+term)*l.vectors + v)}
}

// start is vector v of what sums start with.
func (l *line) start(v int) Mem { return Mem{Base: l.weights, Disp: vector * v} }

// sum is that of the output that has this as column c of its window. An output that
// begins takes the place of the one before, which has moved on.
func (l *line) sum(c int) []reg.VecVirtual { return l.pending[max(0, (c+l.s-1)/l.s-1)] }

// group returns registers for the sums of a block.
func (l *line) group() []reg.VecVirtual {
	g := make([]reg.VecVirtual, l.vectors)
	for i := range g {
		g[i] = YMM()
	}
	return g
}

// kernel emits the routine for windows of k columns, s apart.
func kernel(s *isa, k, stride int) {
	name := fmt.Sprintf("depthline%ds%d%s", k, stride, s.name)
	TEXT(name, NOSPLIT, "func(t *byte)")
	Doc(fmt.Sprintf("%s computes a line of outputs of windows of %dx%d, %d apart.", name, k, k, stride))
	Pragma("noescape")
	l := &line{isa: s, k: k, s: stride, t: Load(Param("t"), GP64()).(reg.GPVirtual)}
	// Factors and shifts of a block, then constants, none across cache lines.
	frame := GP64()
	LEAQ(AllocLocal(vector*(2*s.vectors+4)).Offset(vector-1), frame)
	ANDQ(I32(-vector), frame)
	l.local = Mem{Base: frame}
	l.constants()
	l.weights, l.ch = GP64(), GP64()
	MOVQ(Mem{Base: l.t, Disp: offWeights}, l.weights)
	XORQ(l.ch, l.ch)

	Label("block")
	l.factors(offMul, 0)
	l.factors(offAdd, s.vectors)
	l.begin()
	Label("column")
	s.column(l, 0)
	DECQ(l.px)
	JZ(LabelRef("end"))
	if stride == 2 {
		s.column(l, 1)
	}
	JMP(LabelRef("column"))

	Label("end")
	ADDQ(U32(uint32(vector*s.vectors*(1+s.terms(k)))), l.weights)
	last := GP64()
	MOVQ(Mem{Base: l.t, Disp: offLast}, last)
	CMPQ(l.ch, last)
	JGE(LabelRef("done"))
	ADDQ(Imm(uint64(l.channels())), l.ch)
	CMPQ(l.ch, last)
	CMOVQGT(last, l.ch)
	JMP(LabelRef("block"))
	Label("done")
	VZEROUPPER()
	RET()
}

// Places of constants among the locals, in vectors from behind the shifts.
const (
	localHi = iota
	localZero
	localLeast
)

func (l *line) constant(i int) Mem { return l.local.Offset(vector * (2*l.vectors + i)) }

// constants spreads what is the same for all channels.
func (l *line) constants() {
	v := YMM()
	VBROADCASTSS(Mem{Base: l.t, Disp: offHi}, v)
	VMOVUPS(v, l.constant(localHi))
	VPBROADCASTW(Mem{Base: l.t, Disp: offZero}, v)
	VMOVUPS(v, l.constant(localZero))
	VPBROADCASTB(Mem{Base: l.t, Disp: offLeast}, v)
	VMOVUPS(v, l.constant(localLeast))
}

// factors copies one number for each channel of a block to the locals, in the
// order of the sums: four channels of the lower half and four of the upper one.
func (l *line) factors(off, to int) {
	p, v := GP64(), YMM()
	MOVQ(Mem{Base: l.t, Disp: off}, p)
	LEAQ(Mem{Base: p, Index: l.ch, Scale: 4}, p)
	for i := range l.vectors {
		VMOVUPS(Mem{Base: p, Disp: 16 * i}, v.AsX())
		l.insert(Mem{Base: p, Disp: 16 * (l.vectors + i)}, v)
		VMOVUPS(v, l.local.Offset(vector*(to+i)))
	}
}

// begin readies the columns of a block.
func (l *line) begin() {
	l.runs, l.dst, l.px = GP64(), GP64(), GP64()
	l.at, l.left, l.step = GP64(), GP64(), GP64()
	MOVQ(Mem{Base: l.t, Disp: offRuns}, l.runs)
	MOVQ(Mem{Base: l.t, Disp: offDst}, l.dst)
	ADDQ(l.ch, l.dst)
	MOVQ(Mem{Base: l.t, Disp: offPixels}, l.px)
	// The first outputs end with column k-1.
	ADDQ(Imm(uint64((l.k-1)/l.s)), l.px)
	for range l.k {
		l.rows = append(l.rows, GP64())
	}
	l.nextRun()
	// What lies before the first column meets no output that is stored.
	for range (l.k - 1) / l.s {
		l.pending = append(l.pending, l.group())
	}
}

// nextRun turns to the columns of the next run.
func (l *line) nextRun() {
	for i, r := range l.rows {
		MOVQ(Mem{Base: l.runs, Disp: 8 * i}, r)
	}
	MOVQ(Mem{Base: l.runs, Disp: offStep}, l.step)
	MOVQ(Mem{Base: l.runs, Disp: offN}, l.left)
	ADDQ(Imm(runSize), l.runs)
	MOVQ(l.ch, l.at)
}

// source is the column of row i.
func (l *line) source(i int) Mem { return Mem{Base: l.rows[i], Index: l.at, Scale: 1} }

// advance moves on to the next column.
func (l *line) advance() {
	same := l.label("same")
	ADDQ(l.step, l.at)
	DECQ(l.left)
	JNZ(LabelRef(same))
	l.nextRun()
	Label(same)
}

// complete stores a sum unless it belongs to an output before the first.
func (l *line) complete(sums []reg.VecVirtual) {
	before := l.label("before")
	CMPQ(l.px, Mem{Base: l.t, Disp: offPixels})
	JG(LabelRef(before))
	l.finish(l, sums)
	ADDQ(Mem{Base: l.t, Disp: offDstStep}, l.dst)
	Label(before)
}

// scale turns sums into rounded int32.
func (l *line) scale(sums []reg.VecVirtual) {
	for v, x := range sums {
		VCVTDQ2PS(x, x)
		VMULPS(l.local.Offset(vector*v), x, x)
		VADDPS(l.local.Offset(vector*(l.vectors+v)), x, x)
		VMINPS(l.constant(localHi), x, x)
		VCVTPS2DQ(x, x)
	}
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range []*isa{&quads, &words} {
		for _, k := range []int{3, 5} {
			kernel(s, k, 1)
			kernel(s, k, 2)
		}
	}
	Generate()
}
