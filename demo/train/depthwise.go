package main

import (
	"math"
	"math/rand/v2"

	"pare/ir"
	"pare/tensor"
)

// depthwise is a convolution of each channel by a filter of its own, without
// bias.
type depthwise struct {
	c, kernel, stride int
	w                 *param

	x     *maps
	y, dx maps
	grads partial
}

func newDepthwise(r *rand.Rand, c, kernel, stride int) *depthwise {
	taps := kernel * kernel
	return &depthwise{c: c, kernel: kernel, stride: stride, w: newParam(c*taps, true).normal(r, math.Sqrt(2/float64(taps)))}
}

func (l *depthwise) params() []*param { return []*param{l.w} }

func (l *depthwise) forward(x *maps, _ bool) *maps {
	l.x = x
	g := newWindow(x.h, x.w, l.kernel, l.stride)
	y := l.y.sized(x.n, l.c, g.oh, g.ow)
	taps := g.taps(1)
	eachShard(x.n, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			for c := range l.c {
				w, src, dst := l.w.v[c*taps:][:taps], x.plane(i, c), y.plane(i, c)
				clear(dst)
				g.rows(func(tap, out, in, n int) {
					s, row := w[tap], src[in:]
					for j := range n {
						dst[out+j] += float32(s * row[j*g.stride])
					}
				})
			}
		}
	})
	return y
}

func (l *depthwise) backward(dy *maps) *maps {
	g := newWindow(l.x.h, l.x.w, l.kernel, l.stride)
	taps := g.taps(1)
	l.grads.clear(len(l.w.v))
	dx := l.dx.like(l.x)
	eachShard(dy.n, func(shard, lo, hi int) {
		for i := lo; i < hi; i++ {
			for c := range l.c {
				w, dw := l.w.v[c*taps:][:taps], l.grads[shard][c*taps:][:taps]
				src, dst, top := l.x.plane(i, c), dx.plane(i, c), dy.plane(i, c)
				clear(dst)
				g.rows(func(tap, out, in, n int) {
					s, row, back, sum := w[tap], src[in:], dst[in:], float32(0)
					for j, d := range top[out:][:n] {
						sum += float32(d * row[j*g.stride])
						back[j*g.stride] += float32(d * s)
					}
					dw[tap] += sum
				})
			}
		}
	})
	l.grads.total(l.w.grad)
	return dx
}

func (l *depthwise) emit(b *builder, x *ir.Value) *ir.Value {
	w := tensor.Of([]int{l.c, 1, l.kernel, l.kernel}, l.w.v)
	return b.conv(x, w, l.kernel, l.stride, l.c)
}
