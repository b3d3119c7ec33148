package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	. "pare-asm/vec"
)

// times returns a·b.
func times(s Set, a, b Reg) Reg {
	v := s.New()
	VMULPS(a, b, v)
	return v
}

func descent(s Set) {
	begin(s, "descent", "func(p, g, m []float32, rate, decay, momentum float32, nesterov bool)", "is a step of descent with momentum.")
	p, n, g, m := base("p"), count("p"), base("g"), base("m")
	rate, decay, momentum := s.Param("rate"), s.Param("decay"), s.Param("momentum")
	loop := func(label string, nesterov bool) {
		s.Loop(label, n, 2, func(at At, u int, t *Tail) {
			for j := range u {
				x, d := s.Load(at.Floats(p, j), t), s.Load(at.Floats(g, j), t)
				VADDPS(times(s, decay, x), d, d)
				v := s.Load(at.Floats(m, j), t)
				VMULPS(momentum, v, v)
				VADDPS(d, v, v)
				s.Store(v, at.Floats(m, j), t)
				if nesterov {
					VMULPS(momentum, v, v)
					VADDPS(d, v, v)
				}
				VSUBPS(times(s, rate, v), x, x)
				s.Store(x, at.Floats(p, j), t)
			}
		})
		end()
	}
	flag("nesterov", "plain")
	loop("nesterov_loop", true)
	Label("plain")
	loop("plain_loop", false)
}

// Places in kernel.Moments, in numbers.
const (
	rate = iota
	decay
	shrink
	beta1
	new1
	beta2
	new2
	direct
	unbias
	epsilon
)

// family emits a step of Adam's family: update computes the second moment from the old
// one and d in place, and step the new weights.
func family(s Set, name, doc string, update func(c func(int) Reg, v, d Reg), step func(c func(int) Reg, x, m, v, d Reg)) {
	begin(s, name, "func(p, g, m, v []float32, s *float32)", doc)
	p, n, g, m, v := base("p"), count("p"), base("g"), base("m"), base("v")
	at := Load(Param("s"), GP64())
	held := map[int]Reg{}
	constant := func(i int) Reg {
		if s.Wide() {
			return held[i]
		}
		return s.Broadcast(Mem{Base: at, Disp: 4 * i})
	}
	for i := rate; s.Wide() && i <= epsilon; i++ {
		held[i] = s.Broadcast(Mem{Base: at, Disp: 4 * i})
	}
	s.Loop("loop", n, 2, func(at At, u int, t *Tail) {
		for j := range u {
			x, d := s.Load(at.Floats(p, j), t), s.Load(at.Floats(g, j), t)
			VADDPS(times(s, constant(decay), x), d, d)
			first := s.Load(at.Floats(m, j), t)
			VMULPS(constant(beta1), first, first)
			VADDPS(times(s, constant(new1), d), first, first)
			s.Store(first, at.Floats(m, j), t)
			second := s.Load(at.Floats(v, j), t)
			VMULPS(constant(beta2), second, second)
			update(constant, second, d)
			s.Store(second, at.Floats(v, j), t)
			VMULPS(constant(rate), first, first)
			step(constant, x, first, second, d)
			s.Store(x, at.Floats(p, j), t)
		}
	})
	end()
}

func adam(s Set) {
	family(s, "adam", "is a step of Adam.", func(c func(int) Reg, v, d Reg) {
		square := times(s, d, d)
		VMULPS(c(new2), square, square)
		VADDPS(square, v, v)
	}, func(c func(int) Reg, x, m, v, d Reg) {
		VADDPS(times(s, c(direct), d), m, m)
		VSQRTPS(v, v)
		VMULPS(c(unbias), v, v)
		VADDPS(c(epsilon), v, v)
		VDIVPS(v, m, m)
		VMULPS(c(shrink), x, x)
		VSUBPS(m, x, x)
	})
}

func adamax(s Set) {
	family(s, "adamax", "is a step of Adamax.", func(c func(int) Reg, v, d Reg) {
		size := s.New()
		VANDPS(s.Bits(1<<31-1), d, size)
		VADDPS(c(epsilon), size, size)
		maxOf(s, v, size)
	}, func(_ func(int) Reg, x, m, v, _ Reg) {
		VDIVPS(v, m, m)
		VSUBPS(m, x, x)
	})
}

// maxOf computes v = max(v, w), NaN where either is.
func maxOf(s Set, v, w Reg) {
	const unordered = 3
	m := s.New()
	VMAXPS(v, w, m)
	if s.Wide() {
		k := K()
		VCMPPS(Imm(unordered), v, v, k)
		VMOVAPS(v, k, m)
		VCMPPS(Imm(unordered), w, w, k)
		VMOVAPS(w, k, m)
	} else {
		t := s.New()
		VCMPPS(Imm(unordered), v, v, t)
		VBLENDVPS(t, v, m, m)
		VCMPPS(Imm(unordered), w, w, t)
		VBLENDVPS(t, w, m, m)
	}
	VMOVAPS(m, v)
}
