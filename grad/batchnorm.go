package grad

import (
	"math"

	"pare/tensor"
)

// lowerBatchNorm normalises by running statistics, or by those of the batch where
// the program trains.
func lowerBatchNorm(b *builder) error {
	x := b.in(0, last)
	scale, bias, mean, variance := b.in(1, plain), b.in(2, plain), b.in(3, plain), b.in(4, plain)
	y := b.out(0, last)
	st := b.step([]*slot{x, scale, bias, mean, variance}, []*slot{y})
	c, px := x.shape[1], x.shape[0]*tensor.Len(x.shape[2:])
	eps := float64(b.node.Float("epsilon", 1e-5))
	momentum := float64(b.node.Float("momentum", 0.9))
	train := b.p.options.Train || b.node.Int("training_mode", 0) != 0
	mu, inv := st.keep(c), st.keep(c)
	st.then(serial(func() {
		for k := range c {
			m, v := float64(mean.data[k]), float64(variance.data[k])
			if train {
				m, v = moments(x.data, k, c, px)
				if mean.param != nil {
					mean.data[k] = float32(momentum*float64(mean.data[k]) + (1-momentum)*m)
					variance.data[k] = float32(momentum*float64(variance.data[k]) + (1-momentum)*v*float64(px)/float64(max(1, px-1)))
				}
			}
			mu.data[k], inv.data[k] = float32(m), float32(1/math.Sqrt(v+eps))
		}
	}), spanBy(px, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for k := range c {
				y.data[i*c+k] = (x.data[i*c+k]-mu.data[k])*inv.data[k]*scale.data[k] + bias.data[k]
			}
		}
	}))
	if !st.flows() {
		return nil
	}
	st.uses(x, scale)
	dscale, dbias := st.temp(c), st.temp(c)
	st.back(serial(func() {
		for k := range c {
			var s, sx float64
			for i := range px {
				g := float64(y.grad[i*c+k])
				s += g
				sx += g * float64((x.data[i*c+k]-mu.data[k])*inv.data[k])
			}
			dscale.data[k], dbias.data[k] = float32(sx), float32(s)
		}
		if st.wants(1) {
			copy(st.dx[1], dscale.data)
		}
		if st.wants(2) {
			copy(st.dx[2], dbias.data)
		}
		for k := range c {
			if st.wants(3) {
				st.dx[3][k] = b.ofStats(!train, -scale.data[k]*inv.data[k]*dbias.data[k])
			}
			if st.wants(4) {
				st.dx[4][k] = b.ofStats(!train, -scale.data[k]*inv.data[k]*inv.data[k]*dscale.data[k]/2)
			}
		}
	}))
	if st.wants(0) {
		st.back(spanBy(px, 1024, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for k := range c {
					g := y.grad[i*c+k]
					if train {
						xhat := (x.data[i*c+k] - mu.data[k]) * inv.data[k]
						g -= (dbias.data[k] + xhat*dscale.data[k]) / float32(px)
					}
					st.dx[0][i*c+k] = g * scale.data[k] * inv.data[k]
				}
			}
		}))
	}
	return nil
}

// moments are the mean and the variance of channel k.
func moments(x []float32, k, c, px int) (mean, variance float64) {
	for i := range px {
		mean += float64(x[i*c+k])
	}
	mean /= float64(px)
	for i := range px {
		d := float64(x[i*c+k]) - mean
		variance += d * d
	}
	return mean, variance / float64(px)
}

// ofStats is a gradient of given statistics, which the batch's do not have.
func (b *builder) ofStats(given bool, g float32) float32 {
	if given {
		return g
	}
	return 0
}
