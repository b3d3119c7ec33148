package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.winogradOut.
const (
	offSrc      = 0
	offDst      = 24
	offRes      = 48
	offBias     = 72
	offTap      = 96
	offRow      = 104
	offPixel    = 112
	offResRow   = 120
	offResPixel = 128
	offH        = 136
	offW        = 144
	offN        = 152
	offLo       = 160
	offHi       = 164
)

// output emits the transform of one tile of sums, with what follows a sum.
func output(s Set, f form) {
	o := &outputs{emitter: emitter{Set: s}, form: f}
	edge := f.m + 2
	name := fmt.Sprintf("winogradOut%d%s", f.m, s.Name)
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(name + " transforms a tile of sums and finishes it.")
	Pragma("noescape")
	o.args = Load(Param("a"), GP64())
	tap, src := GP64(), GP64()
	MOVQ(o.arg(offSrc), src)
	MOVQ(o.arg(offTap), tap)
	SHLQ(Imm(2), tap)
	lines := NewStride(o.arg(offTap), 4*edge)
	if f.m == 4 {
		o.hold(p, q)
	}
	o.index = GP64()
	walk(s, o.arg(offN), o.index, func(id string, t *Tail) {
		o.id, o.tail = id, t
		for _, part := range f.outParts[s.Wide()] {
			at := GP64()
			LEAQ(Mem{Base: src, Index: o.index, Scale: 4}, at)
			rows := map[int][]Reg{}
			for x := range edge {
				f.out(&o.emitter, part, o.loads(func(y int) Mem { return lines.At(at, y) }, o.tail),
					func(y int, v Reg) { rows[y] = append(rows[y], v) })
				if x < edge-1 {
					ADDQ(tap, at)
				}
			}
			for _, y := range part {
				o.row(y, rows[y])
			}
		}
	})
	VZEROUPPER()
	RET()
}

// outputs is the emitter of one routine.
type outputs struct {
	emitter
	form  form
	args  reg.Register
	index reg.GPVirtual
	id    string // that labels begin with
	tail  *Tail
}

func (o *outputs) arg(off int) Mem { return Mem{Base: o.args, Disp: off} }

// row emits the second half of the transform for row y, and the epilogue.
func (o *outputs) row(y int, line []Reg) {
	id := fmt.Sprintf("%srow%d", o.id, y)
	CMPQ(o.arg(offH), Imm(uint64(y)))
	JLE(LabelRef(id + "end"))
	all := make([]int, o.form.m)
	for x := range all {
		all[x] = x
	}
	out := make([]Reg, o.form.m)
	o.form.out(&o.emitter, all, func(x int) Reg { return line[x] }, func(x int, v Reg) { out[x] = v })
	o.bias(id, out)
	o.residual(id, y, out)
	for _, v := range out {
		VMAXPS(v, o.Broadcast(o.arg(offLo)), v)
		VMINPS(v, o.Broadcast(o.arg(offHi)), v)
	}
	to := o.pointer(offDst, offRow, y)
	step := o.distance(offPixel)
	for x, v := range out {
		o.within(x, id+"end")
		o.Store(v, Mem{Base: to}, o.tail)
		if x < len(out)-1 {
			ADDQ(step, to)
		}
	}
	Label(id + "end")
}

// within leaves the row at column x where it has no more columns.
func (o *outputs) within(x int, end string) {
	if x > 0 {
		CMPQ(o.arg(offW), Imm(uint64(x)))
		JLE(LabelRef(end))
	}
}

func (o *outputs) bias(id string, out []Reg) {
	at := GP64()
	MOVQ(o.arg(offBias), at)
	TESTQ(at, at)
	JZ(LabelRef(id + "residual"))
	v := o.Load(Mem{Base: at, Index: o.index, Scale: 4}, o.tail)
	for _, y := range out {
		VADDPS(v, y, y)
	}
}

func (o *outputs) residual(id string, y int, out []Reg) {
	Label(id + "residual")
	CMPQ(o.arg(offRes), Imm(0))
	JE(LabelRef(id + "clamp"))
	from := o.pointer(offRes, offResRow, y)
	step := o.distance(offResPixel)
	for x, v := range out {
		o.within(x, id+"clamp")
		VADDPS(o.Load(Mem{Base: from}, o.tail), v, v)
		if x < len(out)-1 {
			ADDQ(step, from)
		}
	}
	Label(id + "clamp")
}

// pointer is the address of the first pixel of row y, at the index.
func (o *outputs) pointer(base, row, y int) reg.Register {
	at := GP64()
	MOVQ(o.arg(row), at)
	IMUL3Q(U32(uint32(y)), at, at)
	ADDQ(o.index, at)
	SHLQ(Imm(2), at)
	ADDQ(o.arg(base), at)
	return at
}

func (o *outputs) distance(off int) reg.Register {
	d := GP64()
	MOVQ(o.arg(off), d)
	SHLQ(Imm(2), d)
	return d
}
