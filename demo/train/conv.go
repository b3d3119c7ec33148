package main

import (
	"math"
	"math/rand/v2"

	"pare/ir"
	"pare/tensor"
)

// conv is a convolution without bias, padded so that stride 1 keeps the size.
type conv struct {
	in, out, kernel, stride int
	first                   bool // nothing before it learns: no gradient by the operand
	w                       *param

	x       *maps
	y, dx   maps
	columns [shards][]float32
	grads   partial
	turned  []float32 // the weights, transposed
}

func newConv(r *rand.Rand, in, out, kernel, stride int) *conv {
	fan := in * kernel * kernel
	return &conv{in: in, out: out, kernel: kernel, stride: stride, w: newParam(out*fan, true).normal(r, math.Sqrt(2/float64(fan)))}
}

func (l *conv) params() []*param { return []*param{l.w} }

// window is the geometry of the convolution on maps of a size.
func (l *conv) window(x *maps) window { return newWindow(x.h, x.w, l.kernel, l.stride) }

func (l *conv) forward(x *maps, _ bool) *maps {
	l.x = x
	g := l.window(x)
	y := l.y.sized(x.n, l.out, g.oh, g.ow)
	eachShard(x.n, func(shard, lo, hi int) {
		for i := lo; i < hi; i++ {
			out := y.image(i)
			clear(out)
			addProduct(out, l.w.v, l.unfold(shard, g, x.image(i)), l.out, g.taps(l.in), g.oh*g.ow)
		}
	})
	return y
}

func (l *conv) backward(dy *maps) *maps {
	g := l.window(l.x)
	taps, size := g.taps(l.in), g.oh*g.ow
	l.grads.clear(len(l.w.v))
	l.turned = append(l.turned[:0], l.w.v...)
	transpose(l.turned, l.w.v, l.out, taps)
	dx := l.dx.like(l.x)
	eachShard(dy.n, func(shard, lo, hi int) {
		for i := lo; i < hi; i++ {
			columns := l.unfold(shard, g, l.x.image(i))
			addDots(l.grads[shard], dy.image(i), columns, l.out, taps, size)
			if l.first {
				continue
			}
			clear(dx.image(i))
			if l.plain() {
				addProduct(dx.image(i), l.turned, dy.image(i), taps, l.out, size)
				continue
			}
			clear(columns)
			addProduct(columns, l.turned, dy.image(i), taps, l.out, size)
			g.fold(dx.image(i), columns, l.in)
		}
	})
	l.grads.total(l.w.grad)
	return dx
}

// plain reports whether a picture's columns are the picture itself.
func (l *conv) plain() bool { return l.kernel == 1 && l.stride == 1 }

// unfold returns the columns of a picture: a row for each tap, an element for
// each output pixel.
func (l *conv) unfold(shard int, g window, img []float32) []float32 {
	if l.plain() {
		return img
	}
	if size := g.taps(l.in) * g.oh * g.ow; len(l.columns[shard]) != size {
		l.columns[shard] = make([]float32, size)
	}
	g.unfold(l.columns[shard], img, l.in)
	return l.columns[shard]
}

func (l *conv) emit(b *builder, x *ir.Value) *ir.Value {
	w := tensor.Of([]int{l.out, l.in, l.kernel, l.kernel}, l.w.v)
	return b.conv(x, w, l.kernel, l.stride, 1)
}
