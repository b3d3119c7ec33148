package main

import (
	"math"
	"math/rand/v2"

	"pare/ir"
	"pare/tensor"
)

// pool averages each channel over its map.
type pool struct {
	x     *maps
	y, dx maps
}

func (l *pool) params() []*param { return nil }

func (l *pool) forward(x *maps, _ bool) *maps {
	l.x = x
	y := l.y.sized(x.n, x.c, 1, 1)
	for i := range x.n {
		for c := range x.c {
			var s float32
			for _, v := range x.plane(i, c) {
				s += v
			}
			y.v[i*x.c+c] = s / float32(x.h*x.w)
		}
	}
	return y
}

func (l *pool) backward(dy *maps) *maps {
	dx := l.dx.like(l.x)
	share := 1 / float32(l.x.h*l.x.w)
	for i := range dx.n {
		for c := range dx.c {
			d := dy.v[i*dx.c+c] * share
			dst := dx.plane(i, c)
			for j := range dst {
				dst[j] = d
			}
		}
	}
	return dx
}

func (l *pool) emit(b *builder, x *ir.Value) *ir.Value {
	return b.node("Flatten", nil, b.node("GlobalAveragePool", nil, x))
}

// dense is a fully connected layer: y = x·wᵀ + bias.
type dense struct {
	in, out int
	w, bias *param

	x     *maps
	y, dx maps
}

func newDense(r *rand.Rand, in, out int) *dense {
	w := newParam(in*out, true).normal(r, math.Sqrt(1/float64(in)))
	return &dense{in: in, out: out, w: w, bias: newParam(out, false)}
}

func (l *dense) params() []*param { return []*param{l.w, l.bias} }

func (l *dense) forward(x *maps, _ bool) *maps {
	l.x = x
	y := l.y.sized(x.n, l.out, 1, 1)
	for i := range x.n {
		copy(y.image(i), l.bias.v)
	}
	addDots(y.v, x.v, l.w.v, x.n, l.out, l.in)
	return y
}

func (l *dense) backward(dy *maps) *maps {
	clear(l.w.grad)
	clear(l.bias.grad)
	for i := range dy.n {
		for o, d := range dy.image(i) {
			l.bias.grad[o] += d
			axpy(l.w.grad[o*l.in:][:l.in], d, l.x.image(i))
		}
	}
	dx := l.dx.like(l.x)
	clear(dx.v)
	addProduct(dx.v, dy.v, l.w.v, dy.n, l.out, l.in)
	return dx
}

func (l *dense) emit(b *builder, x *ir.Value) *ir.Value {
	w, bias := tensor.Of([]int{l.out, l.in}, l.w.v), tensor.Of([]int{l.out}, l.bias.v)
	return b.gemm(x, w, bias)
}
