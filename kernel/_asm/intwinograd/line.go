package main

import (
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	. "pare-asm/vec"
)

// emitter emits sums and shifts of words, or of 32 bits.
type emitter struct {
	Set
	words bool
}

// plus is x + y.
func (e *emitter) plus(x, y Reg) Reg {
	v := e.New()
	if e.words {
		VPADDW(y, x, v)
	} else {
		VPADDD(y, x, v)
	}
	return v
}

// minus is x - y.
func (e *emitter) minus(x, y Reg) Reg {
	v := e.New()
	if e.words {
		VPSUBW(y, x, v)
	} else {
		VPSUBD(y, x, v)
	}
	return v
}

// twice is 2·x.
func (e *emitter) twice(x Reg) Reg { return e.plus(x, x) }

// fourfold is 4·x.
func (e *emitter) fourfold(x Reg) Reg {
	v := e.New()
	if e.words {
		VPSLLW(Imm(2), x, v)
	} else {
		VPSLLD(Imm(2), x, v)
	}
	return v
}

func has(want []int, i ...int) bool {
	return slices.ContainsFunc(i, func(i int) bool { return slices.Contains(want, i) })
}

// in4 multiplies by Π(x-pⱼ) over the points 0, ±1 and ±2 but the result's own.
func in4(e *emitter, want []int, d source, to sink) {
	if has(want, 1, 2) || has(want, 0) && has(want, 5) {
		even, odd := e.minus(d(4), e.fourfold(d(2))), e.minus(d(3), e.fourfold(d(1)))
		if has(want, 1, 2) {
			to(1, e.plus(even, odd))
			to(2, e.minus(even, odd))
		}
		if has(want, 0) {
			to(0, e.plus(even, e.minus(e.fourfold(d(0)), d(2))))
		}
		if has(want, 5) {
			to(5, e.minus(e.minus(d(5), e.fourfold(d(3))), odd))
		}
	}
	if has(want, 3, 4) {
		even, odd := e.minus(d(4), d(2)), e.twice(e.minus(d(3), d(1)))
		to(3, e.plus(even, odd))
		to(4, e.minus(even, odd))
	}
	if has(want, 5) && !has(want, 0) {
		v := e.minus(e.fourfold(e.minus(d(1), d(3))), d(3))
		to(5, e.plus(v, d(5)))
	}
}

// out4 evaluates powers 0 to 3 at the points, times 24, 12, 6 and 6: kernel's
// filters hold the rest of the factors.
func out4(e *emitter, want []int, d source, to sink) {
	if has(want, 0, 2) {
		s, t := e.plus(d(1), d(2)), e.plus(d(3), d(4))
		to(0, e.plus(e.plus(d(0), t), e.fourfold(s)))
		to(2, e.plus(s, t))
	}
	if has(want, 1, 3) {
		s, t := e.minus(d(1), d(2)), e.minus(d(3), d(4))
		to(1, e.plus(t, e.twice(s)))
		to(3, e.plus(e.plus(d(5), s), e.twice(t)))
	}
}

// in2 and out2 have the points 0, ±1 and infinity; results of out2 are doubled.
func in2(e *emitter, want []int, d source, to sink) {
	for _, i := range want {
		switch i {
		case 0:
			to(0, e.minus(d(2), d(0)))
		case 1:
			to(1, e.plus(d(1), d(2)))
		case 2:
			to(2, e.minus(d(2), d(1)))
		case 3:
			to(3, e.minus(d(3), d(1)))
		}
	}
}

func out2(e *emitter, want []int, d source, to sink) {
	to(0, e.plus(e.plus(d(0), d(1)), d(2)))
	to(1, e.plus(e.minus(d(1), d(2)), d(3)))
}
