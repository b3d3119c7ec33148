package main

import (
	. "math"

	. "pare-asm/neon"
)

// The coefficients are those of kernel/math32.go, which says where each
// polynomial holds.
var (
	expPoly  = []float32{0.5, 1.666666716e-01, 4.166646674e-02, 8.333310485e-03, 1.393364160e-03, 1.989098091e-04}
	tanhPoly = []float32{-3.333333433e-01, 1.333330423e-01, -5.395925790e-02, 2.176891826e-02, -8.343945257e-03, 2.292744815e-03}
	erfPoly  = []float32{1.283791512e-01, -3.761250079e-01, 1.128188074e-01, -2.676871046e-02, 4.995951429e-03, -6.003722083e-04}
	erfcPoly = []float32{1.286548823e-01, 6.350591183e-01, 1.064901426e-01, -2.405584045e-02, 3.810717026e-03, -3.697702778e-04, 1.632953172e-05}
)

// unary are the functions of one operand.
var unary = []struct {
	name string
	wide int
	do   func(m *math, x []V)
}{
	{"Exp", 16, (*math).exp},
	{"Sigmoid", 8, (*math).sigmoid},
	{"SiLU", 8, (*math).silu},
	{"Tanh", 8, (*math).tanh},
	{"Erf", 8, (*math).erf},
	{"GELU", 8, (*math).gelu},
	{"HardSwish", 16, (*math).hardSwish},
	{"Sqrt", 16, (*math).sqrt},
}

// math hands out vector registers from 0 on and evaluates functions in place.
type math struct {
	*File
	next V
}

func (m *math) group(n int) []V {
	m.next += V(n)
	if m.next > 32 {
		panic("arm64: out of registers")
	}
	return group(m.next-V(n), n)
}

func (m *math) copies(x []V) []V {
	c := m.group(len(x))
	for j := range x {
		m.Move(c[j], x[j])
	}
	return c
}

// constant is a register that holds x.
func (m *math) constant(x float32) V {
	v := m.group(1)[0]
	m.Const(v, constsR, x)
	return v
}

// scope gives back registers that f took.
func (m *math) scope(f func()) {
	next := m.next
	f()
	m.next = next
}

// each writes d = op(d, v) for all d.
func (m *math) each(op Op3, d []V, v V) {
	for _, x := range d {
		m.Do(op, x, x, v)
	}
}

// clamp lets NaN pass.
func (m *math) clamp(x []V, lo, hi float32) {
	m.scope(func() {
		l, h, tmp := m.constant(lo), m.constant(hi), m.group(1)[0]
		for _, v := range x {
			clamp(m.File, v, l, h, tmp)
		}
	})
}

// horner evaluates a polynomial in x.
func (m *math) horner(c []float32, x []V) []V {
	p, q := m.group(len(x)), m.group(len(x))
	for j := range x {
		m.Const(p[j], constsR, c[len(c)-1])
	}
	for i := len(c) - 2; i >= 0; i-- {
		for j := range x {
			m.Const(q[j], constsR, c[i])
			m.Do(FMLA, q[j], p[j], x[j])
		}
		p, q = q, p
	}
	return p
}

// exp computes eˣ: 2ⁿ·eʳ with |r| ≤ ln2/2.
func (m *math) exp(x []V) {
	m.clamp(x, -104, 89)
	m.scope(func() {
		n := m.group(len(x))
		m.scope(func() {
			log2e := m.constant(Log2E)
			for j := range x {
				m.Do(FMUL, n[j], x[j], log2e)
				m.Do2(FRINTN, n[j], n[j])
			}
		})
		for _, c := range []float32{0.693359375, -2.12194440e-4} {
			m.scope(func() {
				ln2 := m.constant(c)
				for j := range x {
					m.Do(FMLS, x[j], n[j], ln2)
				}
			})
		}
		m.scale(x, m.horner(append([]float32{1, 1}, expPoly...), x), n)
	})
}

// scale computes dst = p·2ⁿ in two steps, as 2ⁿ itself may be out of range.
func (m *math) scale(dst, p, n []V) {
	bias := m.group(1)[0]
	m.Ints(bias, 127)
	for j, d := range dst {
		m.Do2(FCVTNS, n[j], n[j])
		m.Right(d, n[j], 1)
		m.Do(SUB, n[j], n[j], d)
		for _, v := range []V{d, n[j]} {
			m.Do(ADD, v, v, bias)
			m.Left(v, v, 23)
		}
		m.Do(FMUL, d, d, p[j])
		m.Do(FMUL, d, d, n[j])
	}
}

// sigmoid uses e^-|x|, so that neither side loses digits.
func (m *math) sigmoid(x []V) {
	z := m.group(len(x))
	for j := range x {
		m.Do2(FABS, z[j], x[j])
		m.Do2(FNEG, z[j], z[j])
	}
	m.exp(z)
	one := m.constant(1)
	for j, v := range x {
		m.Right(v, v, 31)
		m.Do(BSL, v, z[j], one)
		m.Do(FADD, z[j], z[j], one)
		m.Do(FDIV, v, v, z[j])
	}
}

func (m *math) silu(x []V) {
	y := m.copies(x)
	m.sigmoid(y)
	m.timesFinite(x, y)
}

// timesFinite computes x·y with -Inf in x replaced by the least number, since y
// is then 0.
func (m *math) timesFinite(x, y []V) {
	m.scope(func() {
		least, tmp := m.constant(-MaxFloat32), m.group(1)[0]
		for j, v := range x {
			m.Do(FCMGT, tmp, least, v)
			m.Do(BIT, v, least, tmp)
			m.Do(FMUL, v, v, y[j])
		}
	})
}

func (m *math) tanh(x []V) {
	large := m.group(len(x))
	for j, v := range large {
		m.Do2(FABS, v, x[j])
		m.Do(FADD, v, v, v)
	}
	m.exp(large)
	m.scope(func() {
		one, two := m.constant(1), m.constant(2)
		for _, v := range large {
			m.Do(FADD, v, v, one)
			m.Do(FDIV, v, two, v)
		}
	})
	m.fromOne(large, x)
	square := m.group(len(x))
	for j := range x {
		m.Do(FMUL, square[j], x[j], x[j])
	}
	p := m.horner(tanhPoly, square)
	for j := range x {
		m.Do(FMUL, p[j], p[j], square[j])
	}
	m.choose(x, p, large, 0.625)
}

// fromOne computes 1-v with the sign of x, for v ≤ 1.
func (m *math) fromOne(v, x []V) {
	m.scope(func() {
		one, sign := m.constant(1), m.group(1)[0]
		m.ConstBits(sign, constsR, 1<<31)
		for j, d := range v {
			m.Do(FSUB, d, one, d)
			m.Do(BIT, d, x[j], sign)
		}
	})
}

// choose computes x = p·x + x where |x| < limit, else large.
func (m *math) choose(x, p, large []V, limit float32) {
	m.scope(func() {
		lim, less, small := m.constant(limit), m.group(1)[0], m.group(1)[0]
		for j, v := range x {
			m.Do2(FABS, less, v)
			m.Do(FCMGT, less, lim, less)
			m.Move(small, v)
			m.Do(FMLA, small, p[j], v)
			m.Do(BSL, less, small, large[j])
			m.Move(v, less)
		}
	})
}

func (m *math) erf(x []V) {
	t, large := m.group(len(x)), m.group(len(x))
	for j := range x {
		m.Do2(FABS, t[j], x[j])
	}
	m.clamp(t, 0, 4)
	m.scope(func() {
		p := m.horner(erfcPoly, t)
		for j, v := range large {
			m.Move(v, t[j])
			m.Do(FMLA, v, p[j], t[j])
			m.Do2(FNEG, v, v)
		}
	})
	m.exp(large)
	m.fromOne(large, x)
	for j := range x {
		m.Do(FMUL, t[j], x[j], x[j])
	}
	m.choose(x, m.horner(erfPoly, t), large, 0.921875)
}

func (m *math) gelu(x []V) {
	y := m.copies(x)
	m.scope(func() { m.each(FMUL, y, m.constant(Sqrt2/2)) })
	m.scope(func() { m.erf(y) })
	m.scope(func() { m.each(FADD, y, m.constant(1)) })
	m.scope(func() { m.each(FMUL, y, m.constant(0.5)) })
	m.timesFinite(x, y)
}

func (m *math) hardSwish(x []V) {
	y := m.copies(x)
	m.scope(func() { m.each(FMUL, y, m.constant(1.0/6)) })
	m.scope(func() { m.each(FADD, y, m.constant(0.5)) })
	m.clamp(y, 0, 1)
	for j, v := range x {
		m.Do(FMUL, v, v, y[j])
	}
}

func (m *math) sqrt(x []V) {
	for _, v := range x {
		m.Do2(FSQRT, v, v)
	}
}
