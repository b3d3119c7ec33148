package main

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

const (
	epsilon  = 1e-5
	smoothed = 0.9 // share of the old value in a running statistic
)

// batchNorm normalises each channel by its statistics, then scales and shifts
// it.
type batchNorm struct {
	scale, shift   *param
	mean, variance []float32 // running
	mu, inverse    []float32 // of the last batch: mean, 1 / standard deviation
	x              *maps
	y, dx          maps
}

func newBatchNorm(c int) *batchNorm {
	l := &batchNorm{
		scale: newParam(c, false), shift: newParam(c, false),
		mean: make([]float32, c), variance: make([]float32, c),
		mu: make([]float32, c), inverse: make([]float32, c),
	}
	for i := range c {
		l.scale.v[i], l.variance[i] = 1, 1
	}
	return l
}

func (l *batchNorm) params() []*param { return []*param{l.scale, l.shift} }

func (l *batchNorm) forward(x *maps, training bool) *maps {
	l.x = x
	y := l.y.like(x)
	parallel(x.c, func(c int) {
		mu, variance := l.mean[c], l.variance[c]
		if training {
			mu, variance = moments(x, c)
			l.mean[c] = smoothed*l.mean[c] + (1-smoothed)*mu
			l.variance[c] = smoothed*l.variance[c] + (1-smoothed)*variance
		}
		l.mu[c], l.inverse[c] = mu, float32(1/math.Sqrt(float64(variance)+epsilon))
		a := l.scale.v[c] * l.inverse[c]
		for i := range x.n {
			dst := y.plane(i, c)
			for j, v := range x.plane(i, c) {
				dst[j] = float32(a*(v-mu)) + l.shift.v[c]
			}
		}
	})
	return y
}

// moments are the mean and variance of a channel over the batch.
func moments(x *maps, c int) (mean, variance float32) {
	var s, q float64
	for i := range x.n {
		for _, v := range x.plane(i, c) {
			s += float64(v)
		}
	}
	n := float64(x.n * x.h * x.w)
	s /= n
	for i := range x.n {
		for _, v := range x.plane(i, c) {
			d := float64(v) - s
			q += float64(d * d)
		}
	}
	return float32(s), float32(q / n)
}

// backward is the gradient through the statistics of the batch.
func (l *batchNorm) backward(dy *maps) *maps {
	dx := l.dx.like(dy)
	parallel(dy.c, func(c int) {
		var sum, along float64 // of dy, and of dy times the normalised value
		for i := range dy.n {
			x := l.x.plane(i, c)
			for j, d := range dy.plane(i, c) {
				sum += float64(d)
				along += float64(float64(d) * float64(x[j]-l.mu[c]))
			}
		}
		along *= float64(l.inverse[c])
		l.scale.grad[c], l.shift.grad[c] = float32(along), float32(sum)
		n := float64(dy.n * dy.h * dy.w)
		a := l.scale.v[c] * l.inverse[c]
		m, k := float32(sum/n), float32(along/n)*l.inverse[c]
		for i := range dy.n {
			x, dst := l.x.plane(i, c), dx.plane(i, c)
			for j, d := range dy.plane(i, c) {
				dst[j] = a * (d - m - float32(k*(x[j]-l.mu[c])))
			}
		}
	})
	return dx
}

func (l *batchNorm) emit(b *builder, x *ir.Value) *ir.Value {
	of := func(v []float32) *tensor.Tensor { return tensor.Of([]int{len(v)}, v) }
	return b.batchNorm(x, of(l.scale.v), of(l.shift.v), of(l.mean), of(l.variance))
}
