package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.winArgs.
const (
	offDst     = 0
	offSrc     = 24
	offW       = 48
	offBias    = 72
	offRes     = 96
	offTaps    = 120
	offNTaps   = 128
	offDstStep = 144
	offSrcStep = 152
	offResStep = 160
	offPx      = 168
	offC       = 176
	offScale   = 184
	offLo      = 188
	offHi      = 192
)

// pixels is how many pixels pass together at most.
const pixels = 6

// loop is one routine under construction.
type loop struct {
	Set
	op             *reduction
	near           int // taps of a row of neighbours, or 0 for taps in any place
	src, dst, res  reg.Register
	step, s3, s5   reg.Register // bytes from pixel to pixel, and multiples
	channels, from reg.Register // left to do, and bytes done
}

func args() reg.Register { return Load(Param("a"), GP64()) }

func field(off int) reg.GPVirtual {
	r := GP64()
	MOVQ(Mem{Base: args(), Disp: off}, r)
	return r
}

// routine emits one family for one instruction set.
func routine(s Set, op *reduction, near int) {
	name := op.name + s.Name
	if near > 0 {
		name = fmt.Sprintf("%sRows%d%s", op.name, near, s.Name)
	}
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(name + " reduces the windows of one call. It counts the pixels down.")
	Pragma("noescape")
	l := &loop{Set: s, op: op, near: near, src: field(offSrc), dst: field(offDst)}
	if op.weighted {
		l.res = field(offRes)
	}
	step, s3, s5 := field(offSrcStep), GP64(), GP64()
	SHLQ(Imm(2), step)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, s3)
	if near == 0 {
		LEAQ(Mem{Base: step, Index: step, Scale: 4}, s5)
	}
	l.step, l.s3, l.s5 = step, s3, s5
	l.channels, l.from = GP64(), GP64()

	Label("pixels")
	CMPQ(Mem{Base: args(), Disp: offPx}, Imm(pixels))
	JL(LabelRef("few"))
	l.pixels(pixels)
	l.advance()
	JMP(LabelRef("pixels"))
	Label("few")
	l.few()
	VZEROUPPER()
	RET()
}

// few emits the choice among what is left of a group.
func (l *loop) few() {
	left := field(offPx)
	for p := 1; p < pixels; p++ {
		CMPQ(left, Imm(uint64(p)))
		JEQ(LabelRef(fmt.Sprintf("p%d", p)))
	}
	JMP(LabelRef("done"))
	for p := 1; p < pixels; p++ {
		Label(fmt.Sprintf("p%d", p))
		l.pixels(p)
		if p < pixels-1 {
			JMP(LabelRef("done"))
		}
	}
	Label("done")
}

// advance moves on to the next full group of pixels.
func (l *loop) advance() {
	SUBQ(Imm(pixels), Mem{Base: args(), Disp: offPx})
	LEAQ(Mem{Base: l.src, Index: l.s3, Scale: 2}, l.src)
	move := func(p reg.Register, off int) {
		d := field(off)
		IMUL3Q(Imm(4*pixels), d, d)
		ADDQ(d, p)
	}
	move(l.dst, offDstStep)
	if l.op.weighted {
		// What is not there must stay so.
		TESTQ(l.res, l.res)
		JZ(LabelRef("pixels"))
		move(l.res, offResStep)
	}
}

// pixels emits the loop over channels for p pixels.
func (l *loop) pixels(p int) {
	id := fmt.Sprintf("p%d_", p)
	MOVQ(Mem{Base: args(), Disp: offC}, l.channels)
	XORQ(l.from, l.from)
	next := func(vectors int) {
		ADDQ(Imm(uint64(vectors*l.Bytes())), l.from)
		SUBQ(Imm(uint64(vectors*l.Lanes)), l.channels)
	}
	Label(id + "channels")
	if l.Wide() {
		l.masked(id, p, next)
	} else {
		l.unmasked(id, p, next)
	}
	Label(id + "end")
}

// masked passes over two vectors of channels at a time, the second and a single
// last one under a mask.
func (l *loop) masked(id string, p int, next func(vectors int)) {
	CMPQ(l.channels, Imm(16))
	JLE(LabelRef(id + "last"))
	rest := GP64()
	LEAQ(Mem{Base: l.channels, Disp: -16}, rest)
	l.block(id+"two_", p, []*Tail{nil, l.Tails(min64(rest), 1)[0]})
	next(2)
	JG(LabelRef(id + "channels"))
	JMP(LabelRef(id + "end"))
	Label(id + "last")
	l.block(id+"one_", p, l.Tails(l.channels, 1))
}

// unmasked passes over two whole vectors at a time, then one; a mask serves the
// rest.
func (l *loop) unmasked(id string, p int, next func(vectors int)) {
	if l.near == 0 {
		CMPQ(l.channels, Imm(16))
		JL(LabelRef(id + "one"))
		l.block(id+"two_", p, []*Tail{nil, nil})
		next(2)
		JMP(LabelRef(id + "channels"))
	}
	Label(id + "one")
	CMPQ(l.channels, Imm(8))
	JL(LabelRef(id + "last"))
	l.block(id+"one_", p, []*Tail{nil})
	next(1)
	if l.near > 0 {
		// Rows of weights leave no registers for two vectors.
		JMP(LabelRef(id + "one"))
	}
	Label(id + "last")
	TESTQ(l.channels, l.channels)
	JZ(LabelRef(id + "end"))
	l.block(id+"last_", p, l.Tails(l.channels, 1))
}

// min64 bounds a count by 64, which means all lanes, since masks look at its
// low byte.
func min64(n reg.GPVirtual) reg.Register {
	most := GP64()
	MOVQ(U32(64), most)
	CMPQ(n, most)
	CMOVQGT(most, n)
	return n
}

// block reduces p pixels of as many vectors as there are tails.
func (l *loop) block(id string, p int, tails []*Tail) {
	acc := make([][]Reg, p)
	for i := range acc {
		acc[i] = l.Group(len(tails))
	}
	l.begin(id, acc, tails)
	taps, left := field(offTaps), field(offNTaps)
	TESTQ(left, left)
	JZ(LabelRef(id + "finish"))
	src, w := GP64(), GP64()
	LEAQ(Mem{Base: l.src, Index: l.from, Scale: 1}, src)
	if l.op.weighted {
		MOVQ(Mem{Base: args(), Disp: offW}, w)
		ADDQ(l.from, w)
	}
	Label(id + "taps")
	if l.near > 0 {
		l.row(taps, src, w, acc, tails)
		ADDQ(Imm(uint64(8*l.near)), taps)
		SUBQ(Imm(uint64(l.near)), left)
	} else {
		l.tap(taps, src, w, acc, tails)
		ADDQ(Imm(8), taps)
		DECQ(left)
	}
	JNZ(LabelRef(id + "taps"))
	Label(id + "finish")
	l.op.finish(l, acc, tails, id)
	l.store(acc, tails)
}

// weights reads those of tap i.
func (l *loop) weights(taps, w reg.Register, i int, tails []*Tail) []Reg {
	at := GP64()
	MOVLQSX(Mem{Base: taps, Disp: 8*i + 4}, at)
	var g []Reg
	for v, t := range tails {
		g = append(g, l.Load(Mem{Base: w, Index: at, Scale: 4, Disp: v * l.Bytes()}, t))
	}
	return g
}

// tap accumulates one tap.
func (l *loop) tap(taps, src, w reg.Register, acc [][]Reg, tails []*Tail) {
	weights := make([]Reg, len(tails))
	if l.op.weighted {
		weights = l.weights(taps, w, 0, tails)
	}
	at := GP64()
	MOVLQSX(Mem{Base: taps}, at)
	LEAQ(Mem{Base: src, Index: at, Scale: 4}, at)
	for i := range acc {
		m := l.pixel(at, i)
		for v := range tails {
			m.Disp = v * l.Bytes()
			l.op.step(l, m, weights[v], acc[i][v], tails[v])
		}
	}
}

// row accumulates a row of neighbouring taps; every column is read once.
func (l *loop) row(taps, src, w reg.Register, acc [][]Reg, tails []*Tail) {
	weights := make([][]Reg, l.near)
	for i := range weights {
		weights[i] = l.weights(taps, w, i, tails)
	}
	at := GP64()
	MOVLQSX(Mem{Base: taps}, at)
	LEAQ(Mem{Base: src, Index: at, Scale: 4}, at)
	for col := range len(acc) - 1 + l.near {
		if col > 0 && col%4 == 0 {
			LEAQ(Mem{Base: at, Index: l.step, Scale: 4}, at)
		}
		m := l.pixel(at, col%4)
		for v, t := range tails {
			m.Disp = v * l.Bytes()
			x := l.Load(m, t)
			for i := range acc {
				if k := col - i; k >= 0 && k < l.near {
					VFMADD231PS(x, weights[k][v], acc[i][v])
				}
			}
		}
	}
}

// pixel is the address of pixel i from at.
func (l *loop) pixel(at reg.Register, i int) Mem {
	switch i {
	case 0:
		return Mem{Base: at}
	case 3:
		return Mem{Base: at, Index: l.s3, Scale: 1}
	case 5:
		return Mem{Base: at, Index: l.s5, Scale: 1}
	}
	return Mem{Base: at, Index: l.step, Scale: uint8(i)}
}

// begin sets the accumulators.
func (l *loop) begin(id string, acc [][]Reg, tails []*Tail) {
	spread := func(v int, from Reg) {
		for i := range acc {
			VMOVAPS(from, acc[i][v])
		}
	}
	for v := range tails {
		spread(v, l.op.start(l))
	}
	if !l.op.weighted {
		return
	}
	bias := field(offBias)
	TESTQ(bias, bias)
	JZ(LabelRef(id + "begun"))
	for v, t := range tails {
		spread(v, l.Load(Mem{Base: bias, Index: l.from, Scale: 1, Disp: v * l.Bytes()}, t))
	}
	Label(id + "begun")
}

// each calls f with a pointer to every pixel's channels in turn.
func (l *loop) each(n int, base reg.Register, offStep int, f func(i int, p reg.Register)) {
	p, step := GP64(), field(offStep)
	LEAQ(Mem{Base: base, Index: l.from, Scale: 1}, p)
	SHLQ(Imm(2), step)
	for i := range n {
		f(i, p)
		if i < n-1 {
			ADDQ(step, p)
		}
	}
}

func (l *loop) store(acc [][]Reg, tails []*Tail) {
	l.each(len(acc), l.dst, offDstStep, func(i int, p reg.Register) {
		for v, t := range tails {
			l.Store(acc[i][v], Mem{Base: p, Disp: v * l.Bytes()}, t)
		}
	})
}
