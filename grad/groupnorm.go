package grad

import (
	"math"

	"pare/tensor"
)

// lowerInstanceNorm normalises each channel of each image.
func lowerInstanceNorm(b *builder) error { return b.groupNorm(b.shape(0)[1]) }

// lowerGroupNorm normalises groups of channels of each image.
func lowerGroupNorm(b *builder) error { return b.groupNorm(b.node.Int("num_groups", 1)) }

// groupNorm lowers y = scale·(x-mean)/√(variance+epsilon) + bias with statistics of
// groups of neighbouring channels; scale and bias have one number per channel or, in
// older sets, per group.
func (b *builder) groupNorm(groups int) error {
	x, scale, bias := b.in(0, last), b.in(1, plain), b.in(2, plain)
	y := b.out(0, last)
	st := b.step([]*slot{x, scale, bias}, []*slot{y})
	n, c, px := x.shape[0], x.shape[1], tensor.Len(x.shape[2:])
	g := &groupNorm{st: st, x: x, y: y, n: n, c: c, px: px, cg: c / groups, groups: groups, share: c / scale.size(),
		eps: float64(b.node.Float("epsilon", 1e-5))}
	g.mean, g.inv = st.keep(n*groups), st.keep(n*groups)
	st.then(spanBy(n*groups, max(1, grain/max(1, g.cg*px)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			g.forward(i/groups, i%groups)
		}
	}))
	if st.flows() {
		g.backward()
	}
	return nil
}

type groupNorm struct {
	st                   *step
	x, y                 *slot
	n, c, px, cg, groups int
	share                int // neighbouring channels with the same scale
	eps                  float64
	mean, inv            *buffer // by image and group
	dscale, dbias        *buffer // by image and channel
}

func (g *groupNorm) forward(n, k int) {
	x, y := g.x.data, g.y.data
	scale, bias := g.st.in[1].data, g.st.in[2].data
	var sum, squares float64
	g.each(n, k, func(i, _ int) { sum += float64(x[i]) })
	mean := sum / float64(g.cg*g.px)
	g.each(n, k, func(i, _ int) { d := float64(x[i]) - mean; squares += d * d })
	inv := 1 / math.Sqrt(squares/float64(g.cg*g.px)+g.eps)
	g.mean.data[n*g.groups+k], g.inv.data[n*g.groups+k] = float32(mean), float32(inv)
	m, v := float32(mean), float32(inv)
	g.each(n, k, func(i, c int) { y[i] = (x[i]-m)*v*scale[c/g.share] + bias[c/g.share] })
}

// each calls f for all elements of group k of image n, with their channels.
func (g *groupNorm) each(n, k int, f func(i, c int)) {
	for p := range g.px {
		at := (n*g.px+p)*g.c + k*g.cg
		for c := range g.cg {
			f(at+c, k*g.cg+c)
		}
	}
}

func (g *groupNorm) backward() {
	st := g.st
	st.uses(g.x, st.in[1])
	g.dscale, g.dbias = st.temp(g.n*g.c), st.temp(g.n*g.c)
	st.back(spanBy(g.n*g.groups, max(1, grain/max(1, g.cg*g.px)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			g.back(i/g.groups, i%g.groups)
		}
	}))
	for i, part := range []*buffer{g.dscale, g.dbias} {
		if st.wants(i + 1) {
			st.back(serial(func() { g.total(st.dx[i+1], part.data) }))
		}
	}
}

// back sums the gradients of scale and bias over group k of image n and, where it is
// wanted, sets that of x.
func (g *groupNorm) back(n, k int) {
	x, dy, scale := g.x.data, g.y.grad, g.st.in[1].data
	m, v := g.mean.data[n*g.groups+k], g.inv.data[n*g.groups+k]
	ds, db := g.dscale.data[n*g.c:][:g.c], g.dbias.data[n*g.c:][:g.c]
	clear(ds[k*g.cg : (k+1)*g.cg])
	clear(db[k*g.cg : (k+1)*g.cg])
	g.each(n, k, func(i, c int) {
		ds[c] += dy[i] * (x[i] - m) * v
		db[c] += dy[i]
	})
	if !g.st.wants(0) {
		return
	}
	var sum, dot float64
	for c := k * g.cg; c < (k+1)*g.cg; c++ {
		s := float64(scale[c/g.share])
		sum += s * float64(db[c])
		dot += s * float64(ds[c])
	}
	count := float64(g.cg * g.px)
	a, b := float32(sum/count), float32(dot/count)
	dx := g.st.dx[0]
	g.each(n, k, func(i, c int) { dx[i] = v * (dy[i]*scale[c/g.share] - a - (x[i]-m)*v*b) })
}

// total adds what lies by image and channel to numbers by channel or group.
func (g *groupNorm) total(dst, part []float32) {
	for j := range dst {
		sum := 0.0
		for n := range g.n {
			for c := j * g.share; c < (j+1)*g.share; c++ {
				sum += float64(part[n*g.c+c])
			}
		}
		dst[j] = float32(sum)
	}
}
