package main

import (
	"math"

	"pare/ir"
)

// relu cuts values off below 0, and above top where that is finite.
type relu struct {
	top   float32
	y, dx maps
}

func newReLU() *relu  { return &relu{top: float32(math.Inf(1))} }
func newReLU6() *relu { return &relu{top: 6} }

func (l *relu) params() []*param { return nil }

func (l *relu) forward(x *maps, _ bool) *maps {
	y := l.y.like(x)
	eachShard(x.n, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst := y.image(i)
			for j, v := range x.image(i) {
				dst[j] = min(max(v, 0), l.top)
			}
		}
	})
	return y
}

func (l *relu) backward(dy *maps) *maps {
	dx := l.dx.like(dy)
	eachShard(dy.n, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			y, dst := l.y.image(i), dx.image(i)
			for j, d := range dy.image(i) {
				if y[j] <= 0 || y[j] >= l.top {
					d = 0
				}
				dst[j] = d
			}
		}
	})
	return dx
}

func (l *relu) emit(b *builder, x *ir.Value) *ir.Value {
	if math.IsInf(float64(l.top), 1) {
		return b.node("Relu", nil, x)
	}
	return b.node("Clip", nil, x, b.scalar("zero", 0), b.scalar("six", l.top))
}
