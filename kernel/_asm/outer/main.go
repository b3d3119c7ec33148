// Command outer generates the micro-kernels for sums of outer products: tiles of
// every number of rows and several widths stay in registers while pixels pass by.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Offsets in kernel.outerArgs.
const (
	offA      = 0
	offB      = 24
	offC      = 48
	offLines  = 72
	offNLines = 80
	offAStep  = 96
	offBStep  = 104
	offPX     = 112
	offTiles  = 120
	offAdd    = 128
	offADone  = 136
	offCDone  = 144
)

// tile is one kernel: rows by vectors, the last of which may be a half one.
type tile struct {
	Set
	m, width int
	acc      [][]Reg
}

// part returns a register for so many bytes or, if they fill one, a whole one.
func (k *tile) part(bytes int) Reg {
	if k.Wide() && bytes <= 32 {
		return YMM()
	}
	return k.New()
}

// vectors returns the registers of one row.
func (k *tile) vectors() (v []Reg) {
	for left := 4 * k.width; left > 0; left -= k.Bytes() {
		v = append(v, k.part(left))
	}
	return v
}

// like is v in the width of another register.
func like(v, other Reg) reg.Register {
	if other.Size() == 32 {
		return v.AsY()
	}
	return v
}

func kernel(s Set, width, m int) {
	k := &tile{Set: s, m: m, width: width}
	name := fmt.Sprintf("outer%dx%d%s", m, width, s.Name)
	TEXT(name, NOSPLIT, "func(t *byte)")
	Doc(fmt.Sprintf("%s sums outer products of %d rows and %d columns.", name, m, width))
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	Label("tile")
	for range m {
		k.acc = append(k.acc, k.vectors())
	}
	k.start(t)
	k.sum(t)
	Label("store")
	c := GP64()
	MOVQ(Mem{Base: t, Disp: offC}, c)
	ADDQ(Mem{Base: t, Disp: offCDone}, c)
	k.each(func(i, j int, v Reg) { VMOVUPS(v, k.at(c, i, j)) })
	ADDQ(U32(uint32(4*m)), Mem{Base: t, Disp: offADone})
	ADDQ(U32(uint32(4*m*width)), Mem{Base: t, Disp: offCDone})
	DECQ(Mem{Base: t, Disp: offTiles})
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// at is vector j of row i of the tile.
func (k *tile) at(c reg.Register, i, j int) Mem {
	return Mem{Base: c, Disp: 4*k.width*i + j*k.Bytes()}
}

func (k *tile) each(f func(i, j int, v Reg)) {
	for i, row := range k.acc {
		for j, v := range row {
			f(i, j, v)
		}
	}
}

// start emits the first values of the sums: those of c, or zero.
func (k *tile) start(t reg.Register) {
	CMPB(Mem{Base: t, Disp: offAdd}, Imm(0))
	JE(LabelRef("zero"))
	c := GP64()
	MOVQ(Mem{Base: t, Disp: offC}, c)
	ADDQ(Mem{Base: t, Disp: offCDone}, c)
	k.each(func(i, j int, v Reg) { VMOVUPS(k.at(c, i, j), v) })
	JMP(LabelRef("sum"))
	Label("zero")
	k.each(func(_, _ int, v Reg) { VXORPS(v.AsX(), v.AsX(), v.AsX()) })
	Label("sum")
}

// sum emits the loops over lines and pixels.
func (k *tile) sum(t reg.Register) {
	lines, left, a0, b0 := GP64(), GP64(), GP64(), GP64()
	aStep, bStep := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: offNLines}, left)
	TESTQ(left, left)
	JZ(LabelRef("store"))
	MOVQ(Mem{Base: t, Disp: offLines}, lines)
	MOVQ(Mem{Base: t, Disp: offA}, a0)
	ADDQ(Mem{Base: t, Disp: offADone}, a0)
	MOVQ(Mem{Base: t, Disp: offB}, b0)
	MOVQ(Mem{Base: t, Disp: offAStep}, aStep)
	MOVQ(Mem{Base: t, Disp: offBStep}, bStep)
	SHLQ(Imm(2), aStep)
	SHLQ(Imm(2), bStep)
	Label("line")
	a, b, px := GP64(), GP64(), GP64()
	MOVLQSX(Mem{Base: lines}, a)
	LEAQ(Mem{Base: a0, Index: a, Scale: 4}, a)
	MOVLQSX(Mem{Base: lines, Disp: 4}, b)
	LEAQ(Mem{Base: b0, Index: b, Scale: 4}, b)
	ADDQ(Imm(8), lines)
	MOVQ(Mem{Base: t, Disp: offPX}, px)
	Label("pixel")
	k.pixel(a, b)
	ADDQ(aStep, a)
	ADDQ(bStep, b)
	DECQ(px)
	JNZ(LabelRef("pixel"))
	DECQ(left)
	JNZ(LabelRef("line"))
}

// pixel emits the products of one pixel.
func (k *tile) pixel(a, b reg.Register) {
	bv := k.vectors()
	for j, v := range bv {
		VMOVUPS(Mem{Base: b, Disp: j * k.Bytes()}, v)
	}
	for i, row := range k.acc {
		at := Mem{Base: a, Disp: 4 * i}
		if len(row) == 1 && k.Wide() {
			VFMADD231PS_BCST(at, bv[0], row[0])
			continue
		}
		x := k.New()
		VBROADCASTSS(at, x)
		for j, v := range row {
			VFMADD231PS(bv[j], like(x, v), v)
		}
	}
}

func main() {
	ConstraintExpr("!noasm")
	for m := 1; m <= 24; m++ {
		kernel(AVX512, 16, m)
		if m <= 12 {
			kernel(AVX512, 32, m)
			kernel(AVX512, 24, m)
			kernel(AVX2, 8, m)
		}
		if m <= 6 {
			kernel(AVX2, 16, m)
		}
	}
	Generate()
}
