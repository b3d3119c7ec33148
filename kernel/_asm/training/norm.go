package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

func normRows(s Set) {
	begin(s, "normRows", "func(dst, x, mean, scale, shift []float32, rows int, lo, hi float32)", "maps rows to (x-mean)·scale + shift, clamped.")
	dst, x, mean, scale, shift, n := base("dst"), base("x"), base("mean"), base("scale"), base("shift"), count("mean")
	rows := Load(Param("rows"), GP64())
	lo, hi := s.Param("lo"), s.Param("hi")
	Label("row")
	s.Loop("loop", n, 4, func(at At, u int, t *Tail) {
		v := loads(s, at, x, u, t)
		for j := range v {
			VSUBPS(s.Load(at.Floats(mean, j), t), v[j], v[j])
			VMULPS(s.Load(at.Floats(scale, j), t), v[j], v[j])
			VADDPS(s.Load(at.Floats(shift, j), t), v[j], v[j])
		}
		s.Clamp(v, lo, hi)
		for j := range v {
			s.Store(v[j], at.Floats(dst, j), t)
		}
	})
	LEAQ(Mem{Base: dst, Index: n, Scale: 4}, dst)
	LEAQ(Mem{Base: x, Index: n, Scale: 4}, x)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// Offsets in kernel.normGradArgs.
const (
	offDX     = 0
	offDY     = 24
	offX      = 48
	offMean   = 72
	offN      = 80
	offScale  = 96
	offShift  = 120
	offSlope  = 144
	offOffset = 168
	offRows   = 192
	offLo     = 200
	offHi     = 204
	offKeep   = 208
)

func normGrad(s Set) {
	begin(s, "normGrad", "func(a *byte)", "computes the gradient of a normalisation by its source.")
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		v := GP64()
		MOVQ(Mem{Base: a, Disp: off}, v)
		return v
	}
	dx, dy, x, n := field(offDX), field(offDY), field(offX), field(offN)
	mean, scale, shift, slope, offset := field(offMean), field(offScale), field(offShift), field(offSlope), field(offOffset)
	lo, hi := s.Broadcast(Mem{Base: a, Disp: offLo}), s.Broadcast(Mem{Base: a, Disp: offHi})
	// Where nothing is added, what dx holds does not count.
	keep := s.Broadcast(Mem{Base: a, Disp: offKeep})
	Label("row")
	s.Loop("loop", n, 2, func(at At, u int, t *Tail) {
		for j := range u {
			d, g := s.Load(at.Floats(x, j), t), s.Load(at.Floats(dy, j), t)
			VSUBPS(s.Load(at.Floats(mean, j), t), d, d)
			y, times := s.New(), s.Load(at.Floats(scale, j), t)
			VMULPS(times, d, y)
			VADDPS(s.Load(at.Floats(shift, j), t), y, y)
			between(s, y, lo, hi, g)
			VMULPS(times, g, g)
			VMULPS(s.Load(at.Floats(slope, j), t), d, d)
			VADDPS(s.Load(at.Floats(offset, j), t), d, d)
			VADDPS(d, g, g)
			old := s.Load(at.Floats(dx, j), t)
			VANDPS(keep, old, old)
			VADDPS(old, g, g)
			s.Store(g, at.Floats(dx, j), t)
		}
	})
	for _, p := range []reg.GPVirtual{dx, dy, x} {
		LEAQ(Mem{Base: p, Index: n, Scale: 4}, p)
	}
	DECQ(Mem{Base: a, Disp: offRows})
	JNZ(LabelRef("row"))
	end()
}

func clampGrad(s Set) {
	begin(s, "clampGrad", "func(dx, dy, y []float32, lo, hi float32, add bool)", "copies dy where lo < y < hi.")
	dx, n, dy, y := base("dx"), count("dx"), base("dy"), base("y")
	lo, hi := s.Param("lo"), s.Param("hi")
	loop := func(label string, add bool) {
		s.Loop(label, n, 4, func(at At, u int, t *Tail) {
			g, v := loads(s, at, dy, u, t), loads(s, at, y, u, t)
			for j := range u {
				between(s, v[j], lo, hi, g[j])
				if add {
					VADDPS(s.Load(at.Floats(dx, j), t), g[j], g[j])
				}
				s.Store(g[j], at.Floats(dx, j), t)
			}
		})
		end()
	}
	flag("add", "plain")
	loop("add_loop", true)
	Label("plain")
	loop("plain_loop", false)
}

func addScaled(s Set) {
	begin(s, "addScaled", "func(dst, x []float32, a float32)", "adds a·x.")
	dst, n, x, a := base("dst"), count("dst"), base("x"), s.Param("a")
	s.Loop("loop", n, 4, func(at At, u int, t *Tail) {
		v := loads(s, at, x, u, t)
		for j := range v {
			VMULPS(a, v[j], v[j])
			VADDPS(s.Load(at.Floats(dst, j), t), v[j], v[j])
			s.Store(v[j], at.Floats(dst, j), t)
		}
	})
	end()
}
