package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// filterMatrix is that of kernel.winogradFilter.
func filterMatrix(m int) [][3]float64 {
	points := []float64{0, 1, -1}
	if m == 4 {
		points = []float64{0, p, -p, q, -q}
	}
	var g [][3]float64
	for i, x := range points {
		scale := 1.0
		for j, y := range points {
			if j != i {
				scale /= x - y
			}
		}
		g = append(g, [3]float64{scale, x * scale, x * x * scale})
	}
	return append(g, [3]float64{0, 0, 1})
}

var spreadDoubles = map[float64]Mem{}

// double is c in eight lanes in memory.
func double(c float64) Mem {
	m, ok := spreadDoubles[c]
	if !ok {
		m = GLOBL(fmt.Sprintf("factor%016x", math.Float64bits(c)), RODATA|NOPTR)
		for i := range 8 {
			DATA(8*i, F64(c))
		}
		spreadDoubles[c] = m
	}
	return m
}

// filters emits the transform of half a register of filters at a time, in float64,
// rounded after every operation like the portable row.
type filters struct {
	Set
	g      [][3]float64
	n      reg.GPVirtual    // bytes from one tap to the next
	rows   [3]reg.GPVirtual // of the filter
	out    reg.GPVirtual    // column of the result
	column reg.GPVirtual    // bytes from one row of the result to the next
}

func filter(s Set, m int) {
	name := fmt.Sprintf("winogradFilter%d%s", m, s.Name)
	TEXT(name, NOSPLIT, "func(dst, src *float32, n int)")
	Doc(name + " transforms n filters, as many as half a register holds or more.")
	Pragma("noescape")
	f := &filters{Set: s, g: filterMatrix(m)}
	dst, src, left := Load(Param("dst"), GP64()).(reg.GPVirtual), Load(Param("src"), GP64()).(reg.GPVirtual), Load(Param("n"), GP64()).(reg.GPVirtual)
	f.n = GP64()
	MOVQ(left, f.n)
	SHLQ(Imm(2), f.n)
	f.column = GP64()
	IMUL3Q(Imm(uint64(len(f.g))), f.n, f.column)
	lanes := s.Lanes / 2
	Label("loop")
	f.block(dst, src)
	ADDQ(Imm(uint64(4*lanes)), dst)
	ADDQ(Imm(uint64(4*lanes)), src)
	SUBQ(Imm(uint64(lanes)), left)
	CMPQ(left, Imm(uint64(lanes)))
	JGE(LabelRef("loop"))
	TESTQ(left, left)
	JLE(LabelRef("end"))
	// The last ones are done together with some done before.
	SUBQ(Imm(uint64(lanes)), left)
	LEAQ(Mem{Base: dst, Index: left, Scale: 4}, dst)
	LEAQ(Mem{Base: src, Index: left, Scale: 4}, src)
	MOVQ(U32(uint32(lanes)), left)
	JMP(LabelRef("loop"))
	Label("end")
	VZEROUPPER()
	RET()
}

// block emits one half register of filters.
func (f *filters) block(dst, src reg.GPVirtual) {
	for y := range f.rows {
		f.rows[y] = GP64()
		MOVQ(src, f.rows[y])
		if y > 0 {
			LEAQ(Mem{Base: f.rows[y-1], Index: f.n, Scale: 2}, f.rows[y])
			ADDQ(f.n, f.rows[y])
		}
	}
	f.out = GP64()
	MOVQ(dst, f.out)
	last := len(f.g) - 1
	var v [3]Reg
	for y := range v {
		v[y] = f.times(f.g[0][0], f.tap(y, 0))
	}
	f.store(v)
	for i := 1; i < last; i += 2 {
		var even, odd [3]Reg
		for y := range v {
			even[y], odd[y] = f.pair(i, f.tap(y, 0), f.tap(y, 1), f.tap(y, 2))
		}
		for y := range v {
			v[y] = f.New()
			VADDPD(odd[y], even[y], v[y])
		}
		f.store(v)
		for y := range v {
			v[y] = f.New()
			VSUBPD(odd[y], even[y], v[y])
		}
		f.store(v)
	}
	for y := range v {
		v[y] = f.tap(y, 2)
	}
	f.store(v)
}

// tap reads one number of the filters.
func (f *filters) tap(y, x int) Reg {
	v, m := f.New(), Mem{Base: f.rows[y]}
	if x > 0 {
		m.Index, m.Scale = f.n, uint8(x)
	}
	VCVTPS2PD(m, v)
	return v
}

func (f *filters) times(c float64, x Reg) Reg {
	v := f.New()
	VMULPD(double(c), x, v)
	return v
}

// pair returns the parts whose sum and difference are results i and i+1.
func (f *filters) pair(i int, a, b, c Reg) (even, odd Reg) {
	even = f.times(f.g[i][0], a)
	VADDPD(f.times(f.g[i][2], c), even, even)
	return even, f.times(f.g[i][1], b)
}

// store transforms a column and goes on to the next.
func (f *filters) store(v [3]Reg) {
	to := GP64()
	MOVQ(f.out, to)
	put := func(x Reg) {
		if f.Wide() {
			VCVTPD2PS(x, x.AsY())
			VMOVUPS(x.AsY(), Mem{Base: to})
		} else {
			VCVTPD2PSY(x, x.AsX())
			VMOVUPS(x.AsX(), Mem{Base: to})
		}
		ADDQ(f.column, to)
	}
	put(f.times(f.g[0][0], v[0]))
	for i := 1; i < len(f.g)-1; i += 2 {
		even, odd := f.pair(i, v[0], v[1], v[2])
		x := f.New()
		VADDPD(odd, even, x)
		put(x)
		VSUBPD(odd, even, even)
		put(even)
	}
	last := f.New()
	VMOVAPD(v[2], last)
	put(last)
	ADDQ(f.n, f.out)
}
