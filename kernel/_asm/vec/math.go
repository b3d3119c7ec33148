package vec

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// The coefficients are those of kernel/math32.go, which says where each
// polynomial holds.
var (
	expPoly  = []float32{0.5, 1.666666716e-01, 4.166646674e-02, 8.333310485e-03, 1.393364160e-03, 1.989098091e-04}
	tanhPoly = []float32{-3.333333433e-01, 1.333330423e-01, -5.395925790e-02, 2.176891826e-02, -8.343945257e-03, 2.292744815e-03}
	erfPoly  = []float32{1.283791512e-01, -3.761250079e-01, 1.128188074e-01, -2.676871046e-02, 4.995951429e-03, -6.003722083e-04}
	erfcPoly = []float32{1.286548823e-01, 6.350591183e-01, 1.064901426e-01, -2.405584045e-02, 3.810717026e-03, -3.697702778e-04, 1.632953172e-05}
)

// exp2Poly is 2ˣ for |x| ≤ ½ within 2e-7, of SiLU alone.
var exp2Poly = []float32{1, 6.931471825e-01, 2.402234972e-01, 5.550381169e-02, 9.666368365e-03, 1.338130212e-03}

const (
	tanhSmall = 0.625
	erfSmall  = 0.921875
	erfLarge  = 4.0
	expMin    = -104.0
	expMax    = 89.0
	ln2Hi     = 0.693359375
	ln2Lo     = -2.12194440e-4
	siluEnd   = 87.0
	log2e     = 1.442695022
	roundAt   = 3 << 22
	signBit   = 1 << 31
)

// Clamp computes min(max(x, lo), hi) in place and lets NaN pass.
func (s Set) Clamp(x []Reg, lo, hi Reg) {
	for _, v := range x {
		VMAXPS(v, lo, v)
		VMINPS(v, hi, v)
	}
}

// horner evaluates a polynomial in x and adds the rest of powers 1 and 0 that
// follow: more extends c downwards.
func (s Set) horner(c []float32, x []Reg) []Reg {
	p := s.Group(len(x))
	for i := len(c) - 1; i >= 0; i-- {
		k := s.Const(c[i])
		for j := range x {
			if i == len(c)-1 {
				VMOVAPS(k, p[j])
				continue
			}
			VFMADD213PS(k, x[j], p[j])
		}
	}
	return p
}

// Exp computes eˣ in place.
func (s Set) Exp(x []Reg) {
	lo, hi := s.Const(expMin), s.Const(expMax)
	s.Clamp(x, lo, hi)
	n := s.Group(len(x))
	log2e := s.Const(math.Log2E)
	for j := range x {
		VMULPS(log2e, x[j], n[j])
		s.round(n[j])
	}
	for _, f := range []float32{ln2Hi, ln2Lo} {
		c := s.Const(f)
		for j := range x {
			VFNMADD231PS(c, n[j], x[j])
		}
	}
	p := s.horner(append([]float32{1, 1}, expPoly...), x)
	for j := range x {
		s.scale(p[j], n[j], x[j])
	}
}

// round rounds to whole numbers, ties to even.
func (s Set) round(v Reg) {
	if s.Wide() {
		VRNDSCALEPS(Imm(0), v, v)
		return
	}
	VROUNDPS(Imm(0), v, v)
}

// Round rounds to whole numbers, ties to even, in place.
func (s Set) Round(x []Reg) {
	for _, v := range x {
		s.round(v)
	}
}

// scale computes dst = p·2ⁿ for n whole, rounding once; p and n are lost.
func (s Set) scale(p, n, dst Reg) {
	if s.Wide() {
		VSCALEFPS(n, p, dst)
		return
	}
	// 2ⁿ itself may be out of range: two steps of half the exponent.
	VCVTPS2DQ(n, n)
	VPSRAD(Imm(1), n, dst)
	VPSUBD(dst, n, n)
	bias := s.Bits(127)
	for _, v := range []Reg{dst, n} {
		VPADDD(bias, v, v)
		VPSLLD(Imm(23), v, v)
	}
	VMULPS(p, dst, dst)
	VMULPS(n, dst, dst)
}

// Sigmoid computes 1/(1+e⁻ˣ) in place.
func (s Set) Sigmoid(x []Reg) {
	z := s.copies(x)
	sign := s.Bits(signBit)
	for j := range z {
		VORPS(sign, z[j], z[j])
	}
	s.Exp(z)
	one := s.Const(1)
	for j := range x {
		s.bySign(x[j], z[j], one, x[j])
		VADDPS(one, z[j], z[j])
		VDIVPS(z[j], x[j], x[j])
	}
}

// bySign computes dst = minus where the sign of x is set, else plus.
func (s Set) bySign(x, minus, plus, dst Reg) {
	if s.Wide() {
		k := K()
		VPMOVD2M(x, k)
		VBLENDMPS(minus, plus, k, dst)
		return
	}
	VBLENDVPS(x, minus, plus, dst)
}

// SiLU returns x/(1+e⁻ˣ), e⁻ˣ as a power of two, for x in place; again reads
// operand j once more, since many at a time hide the latency better than
// registers that hold it. Bounds on bits leave the multipliers free.
func (s Set) SiLU(x []Reg, again func(j int) Reg) []Reg {
	n, e := s.Group(len(x)), s.Group(len(x))
	lo, hi, round, log := s.Const(-siluEnd), s.Const(siluEnd), s.Const(roundAt), s.Const(-log2e)
	for j := range x {
		VPMINUD(lo, x[j], x[j])
		VPMINSD(hi, x[j], x[j])
		VMOVAPS(round, n[j])
		VFMADD231PS(log, x[j], n[j])
	}
	for j := range x {
		VSUBPS(round, n[j], e[j])
	}
	for j := range x {
		VFMSUB231PS(log, x[j], e[j])
	}
	p := s.horner(exp2Poly, e)
	one := s.Const(1)
	for j := range p {
		s.timesPow2(p[j], n[j])
		VADDPS(one, p[j], p[j])
		num := again(j)
		VMAXPS(num, lo, num)
		VDIVPS(p[j], num, p[j])
	}
	return p
}

// timesPow2 computes p·2ⁿ in place for normal results, n in the low bits of a
// number beside roundAt; n is lost.
func (s Set) timesPow2(p, n Reg) {
	VPSLLD(Imm(23), n, n)
	VPADDD(n, p, p)
}

// timesFinite computes x·y in place with -Inf in x replaced by the least
// number, since y is then 0.
func (s Set) timesFinite(x, y []Reg) {
	least := s.Const(-math.MaxFloat32)
	for j := range x {
		VMAXPS(x[j], least, x[j])
		VMULPS(y[j], x[j], x[j])
	}
}

// Tanh works in place.
func (s Set) Tanh(x []Reg) {
	large := s.copies(x)
	s.abs(large)
	for j := range x {
		VADDPS(large[j], large[j], large[j])
	}
	s.Exp(large)
	one, two := s.Const(1), s.Const(2)
	for j := range x {
		VADDPS(one, large[j], large[j])
		VDIVPS(large[j], two, large[j])
	}
	s.fromOne(large, x)
	square := s.Group(len(x))
	for j := range x {
		VMULPS(x[j], x[j], square[j])
	}
	p := s.horner(tanhPoly, square)
	for j := range x {
		VMULPS(square[j], p[j], p[j])
	}
	s.choose(x, p, large, tanhSmall)
}

// fromOne computes (1-v) with the sign of x, in place, for v ≤ 1.
func (s Set) fromOne(v, x []Reg) {
	one, sign := s.Const(1), s.Bits(signBit)
	for j := range v {
		t := s.New()
		VSUBPS(v[j], one, v[j])
		VANDPS(sign, x[j], t)
		VORPS(t, v[j], v[j])
	}
}

// choose computes x = p·x + x where |x| < limit, else large.
func (s Set) choose(x, p, large []Reg, limit float32) {
	absBits, lim := s.Bits(signBit-1), s.Const(limit)
	for j := range x {
		t := s.New()
		VANDPS(absBits, x[j], t)
		VFMADD213PS(x[j], x[j], p[j])
		const less = 17 // ordered, quiet
		if s.Wide() {
			k := K()
			VCMPPS(Imm(less), lim, t, k)
			VBLENDMPS(p[j], large[j], k, x[j])
			continue
		}
		VCMPPS(Imm(less), lim, t, t)
		VBLENDVPS(t, p[j], large[j], x[j])
	}
}

// Erf works in place.
func (s Set) Erf(x []Reg) {
	t := s.copies(x)
	s.abs(t)
	most := s.Const(erfLarge)
	for j := range t {
		VMINPS(t[j], most, t[j])
	}
	large := s.horner(erfcPoly, t)
	sign := s.Bits(signBit)
	for j := range t {
		VFMADD213PS(t[j], t[j], large[j])
		VXORPS(sign, large[j], large[j])
	}
	s.Exp(large)
	s.fromOne(large, x)
	for j := range x {
		VMULPS(x[j], x[j], t[j])
	}
	s.choose(x, s.horner(erfPoly, t), large, erfSmall)
}

// GELU computes x·(1+erf(x/√2))/2 in place.
func (s Set) GELU(x []Reg) {
	y := s.Group(len(x))
	root := s.Const(math.Sqrt2 / 2)
	for j := range x {
		VMULPS(root, x[j], y[j])
	}
	s.Erf(y)
	one, half := s.Const(1), s.Const(0.5)
	for j := range x {
		VADDPS(one, y[j], y[j])
		VMULPS(half, y[j], y[j])
	}
	s.timesFinite(x, y)
}

// HardSwish computes x·min(max(x/6+½, 0), 1) in place.
func (s Set) HardSwish(x []Reg) {
	y := s.Group(len(x))
	sixth, half := s.Const(1.0/6), s.Const(0.5)
	for j := range x {
		VMULPS(sixth, x[j], y[j])
		VADDPS(half, y[j], y[j])
	}
	s.Clamp(y, s.Zero(), s.Const(1))
	for j := range x {
		VMULPS(y[j], x[j], x[j])
	}
}

// Sqrt works in place.
func (s Set) Sqrt(x []Reg) {
	for _, v := range x {
		VSQRTPS(v, v)
	}
}

func (s Set) abs(x []Reg) {
	bits := s.Bits(signBit - 1)
	for _, v := range x {
		VANDPS(bits, v, v)
	}
}

func (s Set) copies(x []Reg) []Reg {
	c := s.Group(len(x))
	for j := range x {
		VMOVAPS(x[j], c[j])
	}
	return c
}
