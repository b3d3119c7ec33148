// Command elementwise generates functions of one and two operands and the
// clamped affine map.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// unary emits dst = f(src); unroll is limited by the registers that f needs.
func unary(s Set, name string, unroll int, f func(Set, []Reg)) {
	unaryAgain(s, name, unroll, func(s Set, x []Reg, _ func(int) Reg) []Reg {
		f(s, x)
		return x
	})
}

// unaryAgain is unary for a function that may read its operands again.
func unaryAgain(s Set, name string, unroll int, f func(s Set, x []Reg, again func(j int) Reg) []Reg) {
	name = "unary" + name + s.Name
	TEXT(name, NOSPLIT, "func(dst, src []float32)")
	Doc(name + " computes its function of src.")
	Pragma("noescape")
	dst, n := Load(Param("dst").Base(), GP64()), Load(Param("dst").Len(), GP64())
	src := Load(Param("src").Base(), GP64())
	s.Loop("loop", n, unroll, func(at At, u int, t *Tail) {
		y := f(s, loads(s, at, src, u, t), func(j int) Reg { return s.Load(at.Floats(src, j), t) })
		stores(s, at, dst, y, t)
	})
	VZEROUPPER()
	RET()
}

func loads(s Set, at At, base reg.Register, u int, t *Tail) []Reg {
	var x []Reg
	for j := range u {
		x = append(x, s.Load(at.Floats(base, j), t))
	}
	return x
}

func stores(s Set, at At, base reg.Register, x []Reg, t *Tail) {
	for j, v := range x {
		s.Store(v, at.Floats(base, j), t)
	}
}

// affine emits dst = clamp(scale·src + shift), rounded twice like the portable
// row.
func affine(s Set) {
	name := "affine" + s.Name
	TEXT(name, NOSPLIT, "func(dst, src []float32, scale, shift, lo, hi float32)")
	Doc(name + " computes a clamped affine map of src.")
	Pragma("noescape")
	dst, n := Load(Param("dst").Base(), GP64()), Load(Param("dst").Len(), GP64())
	src := Load(Param("src").Base(), GP64())
	scale, shift := param(s, "scale"), param(s, "shift")
	lo, hi := param(s, "lo"), param(s, "hi")
	s.Loop("loop", n, 4, func(at At, u int, t *Tail) {
		x := loads(s, at, src, u, t)
		for _, v := range x {
			VMULPS(scale, v, v)
			VADDPS(shift, v, v)
		}
		s.Clamp(x, lo, hi)
		stores(s, at, dst, x, t)
	})
	VZEROUPPER()
	RET()
}

// param broadcasts a parameter.
func param(s Set, name string) Reg {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return s.Broadcast(p.Addr)
}

// binary emits dst = clamp(op(a, b)) for three pairs of streams and single
// numbers.
func binary(s Set, name string, op func(b, a, dst Reg)) {
	name = "binary" + name + s.Name
	TEXT(name, NOSPLIT, "func(dst, a, b []float32, aOne, bOne bool, lo, hi float32)")
	Doc(name + " computes its clamped function of a and b; at most one of aOne and bOne may be set.")
	Pragma("noescape")
	dst, n := Load(Param("dst").Base(), GP64()), Load(Param("dst").Len(), GP64())
	a, b := Load(Param("a").Base(), GP64()), Load(Param("b").Base(), GP64())
	lo, hi := param(s, "lo"), param(s, "hi")
	for _, one := range []string{"aOne", "bOne"} {
		flag := Load(Param(one), GP8())
		TESTB(flag, flag)
		JNZ(LabelRef(one))
	}
	pair := func(label string, operands func(at At, u int, t *Tail) (x, y []Reg)) {
		s.Loop(label+"_loop", n, 4, func(at At, u int, t *Tail) {
			x, y := operands(at, u, t)
			out := s.Group(u)
			for j := range out {
				op(y[j%len(y)], x[j%len(x)], out[j])
			}
			s.Clamp(out, lo, hi)
			stores(s, at, dst, out, t)
		})
		VZEROUPPER()
		RET()
	}
	pair("both", func(at At, u int, t *Tail) (x, y []Reg) {
		return loads(s, at, a, u, t), loads(s, at, b, u, t)
	})
	Label("aOne")
	x := []Reg{s.Broadcast(Mem{Base: a})}
	pair("left", func(at At, u int, t *Tail) ([]Reg, []Reg) { return x, loads(s, at, b, u, t) })
	Label("bOne")
	y := []Reg{s.Broadcast(Mem{Base: b})}
	pair("right", func(at At, u int, t *Tail) ([]Reg, []Reg) { return loads(s, at, a, u, t), y })
}

// gateRows emits rows of products with one row of factors; steps are in elements.
func gateRows(s Set) {
	name := "gateRows" + s.Name
	TEXT(name, NOSPLIT, "func(dst, src, gate []float32, rows, dstStep, srcStep int)")
	Doc(name + " multiplies every row of src by gate.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	gate, n := Load(Param("gate").Base(), GP64()), Load(Param("gate").Len(), GP64())
	rows := Load(Param("rows"), GP64())
	dstStep, srcStep := Load(Param("dstStep"), GP64()), Load(Param("srcStep"), GP64())
	Label("row")
	s.Loop("loop", n, 4, func(at At, u int, t *Tail) {
		x, g := loads(s, at, src, u, t), loads(s, at, gate, u, t)
		for j := range x {
			VMULPS(g[j], x[j], x[j])
		}
		stores(s, at, dst, x, t)
	})
	LEAQ(Mem{Base: dst, Index: dstStep, Scale: 4}, dst)
	LEAQ(Mem{Base: src, Index: srcStep, Scale: 4}, src)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		wide := s.Lanes / 4
		unary(s, "Exp", wide, Set.Exp)
		unary(s, "Sigmoid", wide, Set.Sigmoid)
		unaryAgain(s, "SiLU", 2*wide, Set.SiLU)
		unary(s, "Tanh", 2, Set.Tanh)
		unary(s, "Erf", 2, Set.Erf)
		unary(s, "GELU", 2, Set.GELU)
		unary(s, "HardSwish", 4, Set.HardSwish)
		unary(s, "Sqrt", 4, Set.Sqrt)
		affine(s)
		gateRows(s)
		for _, b := range []struct {
			name string
			op   func(b, a, dst Reg)
		}{
			{"Add", func(b, a, dst Reg) { VADDPS(b, a, dst) }},
			{"Sub", func(b, a, dst Reg) { VSUBPS(b, a, dst) }},
			{"Mul", func(b, a, dst Reg) { VMULPS(b, a, dst) }},
			{"Div", func(b, a, dst Reg) { VDIVPS(b, a, dst) }},
			{"Min", func(b, a, dst Reg) { VMINPS(b, a, dst) }},
			{"Max", func(b, a, dst Reg) { VMAXPS(b, a, dst) }},
		} {
			binary(s, b.name, b.op)
		}
	}
	Generate()
}
