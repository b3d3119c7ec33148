package main

import (
	"fmt"
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	. "pare-asm/vec"
)

// The points of the transform for 4x4 outputs are 0, ±p, ±q and infinity, those
// of kernel/winogradgo.go; all powers in use are exact.
const p, q = 0.625, 1.5

// emitter emits sums with constant factors.
type emitter struct {
	Set
	held map[float32]Reg // constants in registers, where there are many
}

// hold loads constants that a routine uses often.
func (e *emitter) hold(list ...float32) {
	e.held = map[float32]Reg{}
	if e.Wide() {
		for _, c := range list {
			e.held[c] = e.Const(c)
		}
	}
}

var spread = map[float32]Mem{}

// factor is c in every lane, in a register or in memory.
func (e *emitter) factor(c float32) Op {
	if v, ok := e.held[c]; ok {
		return v
	}
	m, ok := spread[c]
	if !ok {
		m = GLOBL(fmt.Sprintf("factor%08x", math.Float32bits(c)), RODATA|NOPTR)
		for i := range 16 {
			DATA(4*i, F32(c))
		}
		spread[c] = m
	}
	return m
}

// sum is x + c·y.
func (e *emitter) sum(x Reg, c float32, y Reg) Reg {
	v := e.New()
	VMOVAPS(x, v)
	e.add(v, c, y)
	return v
}

// add adds c·y to v.
func (e *emitter) add(v Reg, c float32, y Reg) {
	switch {
	case c == 0:
	case c == 1:
		VADDPS(y, v, v)
	case c == -1:
		VSUBPS(y, v, v)
	case c < 0:
		VFNMADD231PS(e.factor(-c), y, v)
	default:
		VFMADD231PS(e.factor(c), y, v)
	}
}

// times is c·x.
func (e *emitter) times(c float32, x Reg) Reg {
	v := e.New()
	VMULPS(e.factor(c), x, v)
	return v
}

func has(want []int, i ...int) bool {
	return slices.ContainsFunc(i, func(i int) bool { return slices.Contains(want, i) })
}

// in4 multiplies by Π(x-pⱼ) over the points but the result's own.
func in4(e *emitter, want []int, d source, to sink) {
	if has(want, 0) {
		v := e.sum(d(4), -(p*p + q*q), d(2))
		e.add(v, p*p*q*q, d(0))
		to(0, v)
	}
	pair := func(i int, own, other float32) {
		even, odd := e.sum(d(4), -other*other, d(2)), e.sum(d(3), -other*other, d(1))
		to(i, e.sum(even, own, odd))
		e.add(even, -own, odd)
		to(i+1, even)
	}
	if has(want, 1, 2) {
		pair(1, p, q)
	}
	if has(want, 3, 4) {
		pair(3, q, p)
	}
	if has(want, 5) {
		v := e.sum(d(5), -(p*p + q*q), d(3))
		e.add(v, p*p*q*q, d(1))
		to(5, v)
	}
}

// out4 evaluates powers 0 to 3 at the points.
func out4(e *emitter, want []int, d source, to sink) {
	if has(want, 0, 2) {
		s, t := e.sum(d(1), 1, d(2)), e.sum(d(3), 1, d(4))
		v := e.sum(d(0), 1, s)
		e.add(v, 1, t)
		to(0, v)
		w := e.times(p*p, s)
		e.add(w, q*q, t)
		to(2, w)
	}
	if has(want, 1, 3) {
		s, t := e.sum(d(1), -1, d(2)), e.sum(d(3), -1, d(4))
		v := e.times(p, s)
		e.add(v, q, t)
		to(1, v)
		w := e.sum(d(5), p*p*p, s)
		e.add(w, q*q*q, t)
		to(3, w)
	}
}

// in2 and out2 have the points 0, ±1 and infinity.
func in2(e *emitter, want []int, d source, to sink) {
	for _, i := range want {
		a, b := [4]int{2, 1, 2, 3}[i], [4]int{0, 2, 1, 1}[i]
		c := [4]float32{-1, 1, -1, -1}[i]
		to(i, e.sum(d(a), c, d(b)))
	}
}

func out2(e *emitter, want []int, d source, to sink) {
	for _, i := range want {
		v := e.sum(d([2]int{0, 3}[i]), 1, d(1))
		e.add(v, [2]float32{1, -1}[i], d(2))
		to(i, v)
	}
}
