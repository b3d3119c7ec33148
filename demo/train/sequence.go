package main

import (
	"slices"

	"pare/ir"
)

// sequence applies layers one after the other.
type sequence []layer

func (s sequence) forward(x *maps, training bool) *maps {
	for _, l := range s {
		x = l.forward(x, training)
	}
	return x
}

func (s sequence) backward(dy *maps) *maps {
	for _, l := range slices.Backward(s) {
		dy = l.backward(dy)
	}
	return dy
}

func (s sequence) params() []*param {
	var out []*param
	for _, l := range s {
		out = append(out, l.params()...)
	}
	return out
}

func (s sequence) emit(b *builder, x *ir.Value) *ir.Value {
	for _, l := range s {
		x = l.emit(b, x)
	}
	return x
}

// residual adds its operand to the result of a body of the same shape.
type residual struct {
	body  sequence
	y, dx maps
}

func (r *residual) forward(x *maps, training bool) *maps {
	return sum(r.y.like(x), x, r.body.forward(x, training))
}

func (r *residual) backward(dy *maps) *maps {
	return sum(r.dx.like(dy), dy, r.body.backward(dy))
}

func (r *residual) params() []*param { return r.body.params() }

func (r *residual) emit(b *builder, x *ir.Value) *ir.Value {
	y := r.body.emit(b, x)
	return b.node("Add", nil, x, y)
}

func sum(dst, a, b *maps) *maps {
	for i := range dst.v {
		dst.v[i] = a.v[i] + b.v[i]
	}
	return dst
}
