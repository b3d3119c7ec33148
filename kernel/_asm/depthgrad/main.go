// Command depthgrad generates the sums of the weight gradients of depthwise
// convolutions: the sums of a block of taps, one register of channels each, stay in
// registers while pixels pass by.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.depthGradArgs.
const (
	offX      = 0
	offDY     = 24
	offC      = 48
	offLines  = 72
	offNLines = 80
	offXStep  = 96
	offDYStep = 104
	offPX     = 112
	offXRow   = 120
	offXCol   = 128
	offTapRow = 136
	offTapCol = 144
	offN      = 152
	offAdd    = 160
)

// mostRows is that of kernel.mostTapRows.
var mostRows = [6]int{1: 5, 3: 3, 5: 2}

// block is one routine.
type block struct {
	Set
	rows, cols int
	done       Mem // bytes of channels done
}

// args loads the pointer to the arguments again, which keeps a register free.
func args() reg.Register { return Load(Param("t"), GP64()) }

// field loads a number of elements as bytes.
func field(off int) reg.GPVirtual {
	v := GP64()
	MOVQ(Mem{Base: args(), Disp: off}, v)
	SHLQ(Imm(2), v)
	return v
}

func routine(s Set, rows, cols int) {
	b := &block{Set: s, rows: rows, cols: cols}
	name := fmt.Sprintf("depthGrad%dx%d%s", rows, cols, s.Name)
	TEXT(name, NOSPLIT, "func(t *byte)")
	Doc(fmt.Sprintf("%s sums products of %dx%d taps.", name, rows, cols))
	Pragma("noescape")
	b.done = AllocLocal(8)
	MOVQ(U32(0), b.done)
	Label("channels")
	left := GP64()
	MOVQ(Mem{Base: args(), Disp: offN}, left)
	SHLQ(Imm(2), left)
	SUBQ(b.done, left)
	JLE(LabelRef("end"))
	CMPQ(left, U32(uint32(s.Bytes())))
	JL(LabelRef("some"))
	b.vector("all", nil)
	ADDQ(U32(uint32(s.Bytes())), b.done)
	JMP(LabelRef("channels"))
	Label("some")
	SHRQ(Imm(2), left)
	b.vector("some", s.Tails(left, 1)[0])
	Label("end")
	VZEROUPPER()
	RET()
}

// each calls f with the address of every sum.
func (b *block) each(acc []Reg, f func(v Reg, m Mem)) {
	c, row, col := GP64(), field(offTapRow), field(offTapCol)
	MOVQ(Mem{Base: args(), Disp: offC}, c)
	ADDQ(b.done, c)
	for r := range b.rows {
		at := GP64()
		MOVQ(c, at)
		for k := range b.cols {
			f(acc[r*b.cols+k], Mem{Base: at})
			if k < b.cols-1 {
				ADDQ(col, at)
			}
		}
		if r < b.rows-1 {
			ADDQ(row, c)
		}
	}
}

// vector emits the sums of one register of channels.
func (b *block) vector(id string, t *Tail) {
	acc := b.Group(b.rows * b.cols)
	CMPB(Mem{Base: args(), Disp: offAdd}, Imm(0))
	JE(LabelRef(id + "_zero"))
	b.each(acc, func(v Reg, m Mem) { b.load(v, m, t) })
	JMP(LabelRef(id + "_sum"))
	Label(id + "_zero")
	for _, v := range acc {
		if b.Wide() {
			VPXORD(v, v, v)
		} else {
			VXORPS(v, v, v)
		}
	}
	Label(id + "_sum")
	b.lines(id, acc, t)
	b.each(acc, func(v Reg, m Mem) { b.Store(v, m, t) })
}

// load reads a vector into a register that is there.
func (b *block) load(v Reg, m Mem, t *Tail) {
	switch {
	case t == nil:
		VMOVUPS(m, v)
	case b.Wide():
		VMOVUPS_Z(m, t.Mask(), v)
	default:
		VMASKMOVPS(m, t.Vector(), v)
	}
}

// lines emits the loops over lines and pixels.
func (b *block) lines(id string, acc []Reg, t *Tail) {
	lines, left := GP64(), GP64()
	MOVQ(Mem{Base: args(), Disp: offLines}, lines)
	MOVQ(Mem{Base: args(), Disp: offNLines}, left)
	xStep, dyStep := field(offXStep), field(offDYStep)
	var cols Stride
	if b.cols > 1 {
		cols = NewStride(Mem{Base: args(), Disp: offXCol}, 4)
	}
	Label(id + "_line")
	x := make([]reg.GPVirtual, b.rows)
	at := args()
	for r := range x {
		x[r] = GP64()
		if r == 0 {
			MOVLQSX(Mem{Base: lines}, x[0])
			SHLQ(Imm(2), x[0])
			ADDQ(Mem{Base: at, Disp: offX}, x[0])
			ADDQ(b.done, x[0])
			continue
		}
		MOVQ(Mem{Base: at, Disp: offXRow}, x[r])
		LEAQ(Mem{Base: x[r-1], Index: x[r], Scale: 4}, x[r])
	}
	dy, px := GP64(), GP64()
	MOVLQSX(Mem{Base: lines, Disp: 4}, dy)
	SHLQ(Imm(2), dy)
	ADDQ(Mem{Base: at, Disp: offDY}, dy)
	ADDQ(b.done, dy)
	MOVQ(Mem{Base: at, Disp: offPX}, px)
	ADDQ(Imm(8), lines)
	if t == nil && b.cols > 1 {
		b.quads(id, acc, x, dy, px, dyStep, xStep, cols)
	}
	Label(id + "_pixel")
	y := b.Load(Mem{Base: dy}, t)
	for r := range x {
		for k := range b.cols {
			m := Mem{Base: x[r]}
			if k > 0 {
				m = cols.At(x[r], k)
			}
			b.product(m, y, acc[r*b.cols+k], t)
		}
		ADDQ(xStep, x[r])
	}
	ADDQ(dyStep, dy)
	DECQ(px)
	JNZ(LabelRef(id + "_pixel"))
	Label(id + "_next")
	DECQ(left)
	JNZ(LabelRef(id + "_line"))
}

// quads emits a loop over four pixels at a time, where pixels are as far apart as taps
// are: what they read of the source is read once for all.
func (b *block) quads(id string, acc []Reg, x []reg.GPVirtual, dy, px, dyStep, xStep reg.GPVirtual, cols Stride) {
	const most = 4
	CMPQ(xStep, cols.One())
	JNE(LabelRef(id + "_pixel"))
	SUBQ(Imm(most), px)
	JL(LabelRef(id + "_few"))
	Label(id + "_quad")
	y := b.Group(most)
	for _, v := range y {
		VMOVUPS(Mem{Base: dy}, v)
		ADDQ(dyStep, dy)
	}
	for r := range x {
		for i := range most + b.cols - 1 {
			if i == most {
				LEAQ(Mem{Base: x[r], Index: xStep, Scale: most}, x[r])
			}
			v := b.Load(cols.At(x[r], i%most), nil)
			for k := max(0, i-most+1); k <= min(i, b.cols-1); k++ {
				VFMADD231PS(v, y[i-k], acc[r*b.cols+k])
			}
		}
	}
	SUBQ(Imm(most), px)
	JGE(LabelRef(id + "_quad"))
	Label(id + "_few")
	ADDQ(Imm(most), px)
	JZ(LabelRef(id + "_next"))
}

// product adds what is at m, times y.
func (b *block) product(m Mem, y, acc Reg, t *Tail) {
	switch {
	case t == nil:
		VFMADD231PS(m, y, acc)
	case b.Wide():
		VFMADD231PS(m, y, t.Mask(), acc)
	default:
		VFMADD231PS(b.Load(m, t), y, acc)
	}
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		for cols, most := range mostRows {
			for rows := range most {
				routine(s, rows+1, cols)
			}
		}
	}
	Generate()
}
