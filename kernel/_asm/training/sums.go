package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// columns emits a loop over channels, unroll registers at a time, and within it one over
// rows of n elements. Start returns what one pass over the rows needs, and step is one
// row, whose elements lie at the returned pointers.
func columns(s Set, n, rows reg.GPVirtual, unroll int, streams []reg.GPVirtual, body func(at At, u int, t *Tail) (step func(p []reg.GPVirtual), finish func())) {
	line := GP64()
	MOVQ(n, line)
	SHLQ(Imm(2), line)
	id := 0
	s.Loop("channels", n, unroll, func(at At, u int, t *Tail) {
		id++
		step, finish := body(at, u, t)
		var p []reg.GPVirtual
		for _, b := range streams {
			x := GP64()
			LEAQ(at.Floats(b, 0), x)
			p = append(p, x)
		}
		left := GP64()
		MOVQ(rows, left)
		label := fmt.Sprintf("rows%d", id)
		Label(label)
		step(p)
		for _, x := range p {
			ADDQ(line, x)
		}
		DECQ(left)
		JNZ(LabelRef(label))
		finish()
	})
}

// flush adds sums of float32 to those of float64 at base.
func flush(s Set, at At, base reg.Register, acc []Reg) {
	for j, v := range acc {
		for half := range 2 {
			d := s.New()
			m := at.Doubles(base, j, half)
			switch {
			case half == 1 && s.Wide():
				VEXTRACTF64X4(Imm(1), v, d.AsY())
				VCVTPS2PD(d.AsY(), d)
			case half == 1:
				VEXTRACTF128(Imm(1), v, d.AsX())
				VCVTPS2PD(d.AsX(), d)
			case s.Wide():
				VCVTPS2PD(v.AsY(), d)
			default:
				VCVTPS2PD(v.AsX(), d)
			}
			VADDPD(m, d, d)
			VMOVUPD(d, m)
		}
	}
}

func zeros(s Set, n int) []Reg {
	g := s.Group(n)
	for _, v := range g {
		if s.Wide() {
			VPXORD(v, v, v)
		} else {
			VXORPS(v, v, v)
		}
	}
	return g
}

// vector is register j of a row.
func vector(s Set, p reg.Register, j int) Mem { return Mem{Base: p, Disp: j * s.Bytes()} }

func moments(s Set) {
	begin(s, "moments", "func(sum, square []float64, x, pivot []float32, rows int)", "sums x-pivot and its square.")
	sum, square, x, pivot, n := base("sum"), base("square"), base("x"), base("pivot"), count("pivot")
	rows := Load(Param("rows"), GP64()).(reg.GPVirtual)
	columns(s, n, rows, 4, []reg.GPVirtual{x}, func(at At, u int, t *Tail) (func([]reg.GPVirtual), func()) {
		about, first, second := loads(s, at, pivot, u, t), zeros(s, u), zeros(s, u)
		return func(p []reg.GPVirtual) {
				for j := range u {
					d := s.Load(vector(s, p[0], j), t)
					VSUBPS(about[j], d, d)
					VADDPS(d, first[j], first[j])
					VFMADD231PS(d, d, second[j])
				}
			}, func() {
				flush(s, at, sum, first)
				flush(s, at, square, second)
			}
	})
	end()
}

func totals(s Set) {
	begin(s, "totals", "func(sum []float64, x []float32, n, rows int)", "sums x.")
	sum, x, n := base("sum"), base("x"), Load(Param("n"), GP64()).(reg.GPVirtual)
	rows := Load(Param("rows"), GP64()).(reg.GPVirtual)
	columns(s, n, rows, 4, []reg.GPVirtual{x}, func(at At, u int, t *Tail) (func([]reg.GPVirtual), func()) {
		acc := zeros(s, u)
		return func(p []reg.GPVirtual) {
			for j := range u {
				VADDPS(s.Load(vector(s, p[0], j), t), acc[j], acc[j])
			}
		}, func() { flush(s, at, sum, acc) }
	})
	end()
}

func normGradSums(s Set) {
	begin(s, "normGradSums", "func(sum, product []float64, dy, x, mean, scale, shift []float32, rows int, lo, hi float32)",
		"sums dy and dy·(x-mean) where the normalised value lies between lo and hi.")
	sum, product, dy, x := base("sum"), base("product"), base("dy"), base("x")
	mean, scale, shift, n := base("mean"), base("scale"), base("shift"), count("mean")
	rows := Load(Param("rows"), GP64()).(reg.GPVirtual)
	unroll := s.Lanes / 8
	columns(s, n, rows, unroll, []reg.GPVirtual{dy, x}, func(at At, u int, t *Tail) (func([]reg.GPVirtual), func()) {
		about, times, plus := loads(s, at, mean, u, t), loads(s, at, scale, u, t), loads(s, at, shift, u, t)
		first, second := zeros(s, u), zeros(s, u)
		return func(p []reg.GPVirtual) {
				for j := range u {
					g, d := s.Load(vector(s, p[0], j), t), s.Load(vector(s, p[1], j), t)
					VSUBPS(about[j], d, d)
					y := s.New()
					VMULPS(times[j], d, y)
					VADDPS(plus[j], y, y)
					between(s, y, s.Param("lo"), s.Param("hi"), g)
					VADDPS(g, first[j], first[j])
					VFMADD231PS(g, d, second[j])
				}
			}, func() {
				flush(s, at, sum, first)
				flush(s, at, product, second)
			}
	})
	end()
}
