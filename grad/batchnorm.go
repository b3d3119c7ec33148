package grad

import (
	"math"

	"pare/kernel"
	"pare/tensor"
)

// lowerBatchNorm normalises by running statistics, or by those of the batch where the
// program trains.
func lowerBatchNorm(b *builder) error {
	for i := 1; i < len(b.node.Out); i++ {
		if b.wanted(i) {
			refuse("running statistics as results are not supported; Options.Train keeps them")
		}
	}
	n := &batchNorm{x: b.in(0, last), eps: float64(b.node.Float("epsilon", 1e-5)), momentum: float64(b.node.Float("momentum", 0.9)),
		train: b.p.options.Train || b.node.Int("training_mode", 0) != 0}
	n.scale, n.bias, n.mean, n.variance = b.in(1, plain), b.in(2, plain), b.in(3, plain), b.in(4, plain)
	n.y = b.out(0, last)
	n.st = b.step([]*slot{n.x, n.scale, n.bias, n.mean, n.variance}, []*slot{n.y})
	c := n.x.shape[1]
	n.pixels = n.x.shape[0] * tensor.Len(n.x.shape[2:])
	n.sums = kernel.NewChannelSums(n.pixels, c)
	n.mu, n.inv, n.factor = n.st.keep(c), n.st.keep(c), n.st.keep(c)
	n.partial = n.st.temp(n.sums.PartialFloats())
	n.st.absorb = func(lo, hi float32) { n.lo, n.hi = lo, hi }
	n.forward()
	if n.st.flows() {
		n.backward()
	}
	return nil
}

// batchNorm is y = scale·(x-mean)/√(variance+eps) + bias, clamped where what follows
// clamps.
type batchNorm struct {
	st                          *step
	x, y                        *slot
	scale, bias, mean, variance *slot
	eps, momentum               float64
	train                       bool
	lo, hi                      float32
	pixels                      int
	sums                        *kernel.ChannelSums
	mu, inv, factor             *buffer // mean, 1/√(variance+eps), and that times scale
	partial                     *buffer
	first, second               *buffer // sums of g and of g·(x-mean)
	slope, offset               *buffer
	batch                       *buffer // variance of the batch
	loop                        kernel.Normalization
}

func (n *batchNorm) forward() {
	st, c := n.st, n.x.shape[1]
	normalise := spanBy(n.pixels, max(1, grain/c), func(lo, hi int) {
		n.loop.Run(n.y.data[lo*c:hi*c], n.x.data[lo*c:hi*c])
	})
	settle := serial(n.settle)
	st.again = []work{serial(n.aim), normalise}
	if !n.train {
		st.then(serial(func() {
			copy(n.mu.data, n.mean.data)
			n.derive(n.variance.data)
		}), settle, normalise)
		return
	}
	n.batch = st.temp(c)
	st.then(
		serial(func() { n.sums.Pivot(n.mu.data, n.x.data) }),
		work{tasks: n.sums.Tasks(), run: func(t int, _ []float32) { n.sums.Moments(t, n.partial.data, n.x.data, n.mu.data) }},
		serial(func() {
			n.sums.Means(n.mu.data, n.batch.data, n.partial.data, n.mu.data)
			n.derive(n.batch.data)
			n.run()
		}), settle, normalise)
}

// derive computes what follows from variances.
func (n *batchNorm) derive(variance []float32) {
	for k, v := range variance {
		n.inv.data[k] = float32(1 / math.Sqrt(float64(v)+n.eps))
	}
}

// settle makes the numbers that the loops take.
func (n *batchNorm) settle() {
	for k, v := range n.inv.data {
		n.factor.data[k] = v * n.scale.data[k]
	}
	n.aim()
}

// aim points the loops at these numbers.
func (n *batchNorm) aim() {
	n.loop = kernel.Normalization{Mean: n.mu.data, Scale: n.factor.data, Shift: n.bias.data, Lo: n.lo, Hi: n.hi}
}

// run moves the running statistics towards the batch's: by the node's momentum m,
// running = m·running + (1-m)·batch, with the unbiased variance, as PyTorch does.
func (n *batchNorm) run() {
	if n.mean.param == nil || n.variance.param == nil {
		return
	}
	unbiased := float64(n.pixels) / float64(max(1, n.pixels-1))
	for k := range n.mu.data {
		n.mean.data[k] = float32(n.momentum*float64(n.mean.data[k]) + (1-n.momentum)*float64(n.mu.data[k]))
		n.variance.data[k] = float32(n.momentum*float64(n.variance.data[k]) + (1-n.momentum)*unbiased*float64(n.batch.data[k]))
	}
}

func (n *batchNorm) backward() {
	st, c := n.st, n.x.shape[1]
	st.uses(n.x, n.scale, n.bias)
	n.first, n.second, n.slope, n.offset = st.temp(c), st.temp(c), st.temp(c), st.temp(c)
	st.back(serial(n.aim),
		work{tasks: n.sums.Tasks(), run: func(t int, _ []float32) {
			n.sums.Grads(t, n.partial.data, n.y.grad, n.x.data, &n.loop)
		}},
		serial(func() {
			n.sums.Sums(n.first.data, n.second.data, n.partial.data)
			n.parameters()
		}))
	if !st.wants(0) {
		return
	}
	st.accumulates(0)
	st.back(spanBy(n.pixels, max(1, grain/c), func(lo, hi int) {
		n.loop.Grad(st.dx[0][lo*c:hi*c], n.y.grad[lo*c:hi*c], n.x.data[lo*c:hi*c], n.slope.data, n.offset.data, st.adding[0])
	}))
}

// parameters sets the gradients of all operands but x, and what that of x needs.
func (n *batchNorm) parameters() {
	for k, inv := range n.inv.data {
		sum, dot := n.first.data[k], n.second.data[k]*inv
		n.slope.data[k], n.offset.data[k] = 0, 0
		dmean, dvariance := -n.factor.data[k]*sum, -n.factor.data[k]*inv*dot/2
		if n.train {
			n.slope.data[k] = -n.factor.data[k] * inv * dot / float32(n.pixels)
			n.offset.data[k] = -n.factor.data[k] * sum / float32(n.pixels)
			dmean, dvariance = 0, 0
		}
		for i, g := range [...]float32{1: dot, 2: sum, 3: dmean, 4: dvariance} {
			if i > 0 && n.st.wants(i) {
				n.st.dx[i][k] = g
			}
		}
	}
}
