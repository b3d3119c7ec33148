package grad

import (
	"math"

	"pare/kernel"
	"pare/tensor"
)

// lowerInstanceNorm normalises each channel of each image.
func lowerInstanceNorm(b *builder) error { return b.groupNorm(b.shape(0)[1]) }

// lowerGroupNorm normalises groups of channels of each image.
func lowerGroupNorm(b *builder) error { return b.groupNorm(b.node.Int("num_groups", 1)) }

// groupNorm is y = scale·(x-mean)/√(variance+eps) + bias with statistics of groups of
// neighbouring channels, clamped where what follows clamps; scale and bias have a
// number for each channel or, in older sets, for each group. Every image is normalised
// by numbers of its own for every channel.
type groupNorm struct {
	st                   *step
	x, y                 *slot
	n, c, px, cg, groups int
	share                int // neighbouring channels with the same scale
	eps                  float64
	lo, hi               float32
	sums                 *kernel.ChannelSums // of one image
	partial              *buffer
	mean, inv            *buffer // by image and channel
	factor, shift        *buffer // 1/√(variance+eps) times scale, and bias
	spread               *buffer // variances of channels
	first, second        *buffer // sums of g and of g·(x-mean)
	slope, offset        *buffer
}

func (b *builder) groupNorm(groups int) error {
	x, scale, bias := b.in(0, last), b.in(1, plain), b.in(2, plain)
	y := b.out(0, last)
	st := b.step([]*slot{x, scale, bias}, []*slot{y})
	n, c, px := x.shape[0], x.shape[1], tensor.Len(x.shape[2:])
	g := &groupNorm{st: st, x: x, y: y, n: n, c: c, px: px, cg: c / groups, groups: groups, share: c / scale.size(),
		eps: float64(b.node.Float("epsilon", 1e-5)), sums: kernel.NewChannelSums(px, c)}
	for _, p := range []**buffer{&g.mean, &g.inv, &g.factor, &g.shift} {
		*p = st.keep(n * c)
	}
	g.partial, g.spread = st.temp(n*g.sums.PartialFloats()), st.temp(n*c)
	st.absorb = func(lo, hi float32) { g.lo, g.hi = lo, hi }
	g.forward()
	if st.flows() {
		g.backward()
	}
	return nil
}

// of is the part of image n of what lies by image and channel.
func (g *groupNorm) of(n int, b *buffer) []float32 { return b.data[n*g.c : (n+1)*g.c] }

// image is the elements of image n.
func (g *groupNorm) image(n int, data []float32) []float32 {
	return data[n*g.px*g.c : (n+1)*g.px*g.c]
}

// part is the memory of sums over image n.
func (g *groupNorm) part(n int) []float32 {
	return g.partial.data[n*g.sums.PartialFloats() : (n+1)*g.sums.PartialFloats()]
}

// loop is the normalisation of image n.
func (g *groupNorm) loop(n int) kernel.Normalization {
	return kernel.Normalization{Mean: g.of(n, g.mean), Scale: g.of(n, g.factor), Shift: g.of(n, g.shift), Lo: g.lo, Hi: g.hi}
}

// rows is a loop over pieces of all images.
func (g *groupNorm) rows(f func(n, lo, hi int)) work {
	each := max(1, grain/max(1, g.c))
	pieces := (g.px + each - 1) / each
	return spanBy(g.n*pieces, 1, func(t, _ int) {
		lo := t % pieces * each
		f(t/pieces, lo*g.c, min(g.px, lo+each)*g.c)
	})
}

func (g *groupNorm) forward() {
	normalise := g.rows(func(n, lo, hi int) {
		loop := g.loop(n)
		loop.Run(g.image(n, g.y.data)[lo:hi], g.image(n, g.x.data)[lo:hi])
	})
	g.st.again = []work{normalise}
	slices := g.sums.Tasks()
	g.st.then(
		spanBy(g.n, 1, func(n, _ int) { g.sums.Pivot(g.of(n, g.mean), g.image(n, g.x.data)) }),
		spanBy(g.n*slices, 1, func(t, _ int) {
			n := t / slices
			g.sums.Moments(t%slices, g.part(n), g.image(n, g.x.data), g.of(n, g.mean))
		}),
		spanBy(g.n, 1, func(n, _ int) {
			g.sums.Means(g.of(n, g.mean), g.of(n, g.spread), g.part(n), g.of(n, g.mean))
			g.settle(n)
		}), normalise)
}

// settle turns the means and variances of the channels of image n into those of
// groups, and into the numbers that the loops take.
func (g *groupNorm) settle(n int) {
	mean, spread, inv := g.of(n, g.mean), g.of(n, g.spread), g.of(n, g.inv)
	for at := 0; at < g.c; at += g.cg {
		var m, v float64
		for c := at; c < at+g.cg; c++ {
			m += float64(mean[c]) / float64(g.cg)
		}
		for c := at; c < at+g.cg; c++ {
			d := float64(mean[c]) - m
			v += (float64(spread[c]) + d*d) / float64(g.cg)
		}
		for c := at; c < at+g.cg; c++ {
			mean[c], inv[c] = float32(m), float32(1/math.Sqrt(v+g.eps))
		}
	}
	for c, v := range inv {
		g.of(n, g.factor)[c] = v * g.st.in[1].data[c/g.share]
		g.of(n, g.shift)[c] = g.st.in[2].data[c/g.share]
	}
}

func (g *groupNorm) backward() {
	st := g.st
	st.uses(g.x)
	for _, p := range []**buffer{&g.first, &g.second, &g.slope, &g.offset} {
		*p = st.temp(g.n * g.c)
	}
	slices := g.sums.Tasks()
	st.back(
		spanBy(g.n*slices, 1, func(t, _ int) {
			n := t / slices
			loop := g.loop(n)
			g.sums.Grads(t%slices, g.part(n), g.image(n, g.y.grad), g.image(n, g.x.data), &loop)
		}),
		spanBy(g.n, 1, func(n, _ int) {
			g.sums.Sums(g.of(n, g.first), g.of(n, g.second), g.part(n))
			g.lean(n)
		}))
	for i, part := range []*buffer{g.second, g.first} {
		if st.wants(i + 1) {
			st.back(serial(func() { g.total(st.dx[i+1], part.data, i == 0) }))
		}
	}
	if st.wants(0) {
		st.accumulates(0)
		st.back(g.rows(func(n, lo, hi int) {
			loop := g.loop(n)
			loop.Grad(g.image(n, st.dx[0])[lo:hi], g.image(n, g.y.grad)[lo:hi], g.image(n, g.x.data)[lo:hi], g.of(n, g.slope), g.of(n, g.offset), st.adding[0])
		}))
	}
}

// lean works out how the gradient of x depends on the statistics of the groups of
// image n.
func (g *groupNorm) lean(n int) {
	first, second, factor, inv := g.of(n, g.first), g.of(n, g.second), g.of(n, g.factor), g.of(n, g.inv)
	slope, offset := g.of(n, g.slope), g.of(n, g.offset)
	for at := 0; at < g.c; at += g.cg {
		var sum, dot float64
		for c := at; c < at+g.cg; c++ {
			sum += float64(factor[c]) * float64(first[c])
			dot += float64(factor[c]) * float64(second[c])
		}
		count := float64(g.cg * g.px)
		for c := at; c < at+g.cg; c++ {
			offset[c] = float32(-sum / count)
			slope[c] = float32(-dot / count * float64(inv[c]) * float64(inv[c]))
		}
	}
}

// total adds what lies by image and channel to numbers by channel or group, in units
// of the deviation if normal.
func (g *groupNorm) total(dst, part []float32, normal bool) {
	for j := range dst {
		sum := 0.0
		for n := range g.n {
			for c := j * g.share; c < (j+1)*g.share; c++ {
				v := float64(part[n*g.c+c])
				if normal {
					v *= float64(g.of(n, g.inv)[c])
				}
				sum += v
			}
		}
		dst[j] = float32(sum)
	}
}
