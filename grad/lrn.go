package grad

import "math"

// lowerLRN divides by a power of the energy of neighbouring channels:
// y = x·s^-β with s = bias + α/size·Σx², so that
// dx = dy·s^-β - 2αβ/size·x·Σ(dy·y/s) over the channels whose window holds x.
func lowerLRN(b *builder) error {
	n := b.node
	size := n.Int("size", 0)
	if size < 1 || len(b.shape(0)) < 2 {
		refuse("size %d for a tensor of rank %d", size, len(b.shape(0)))
	}
	alpha, beta, bias := float64(n.Float("alpha", 1e-4)), float64(n.Float("beta", 0.75)), float64(n.Float("bias", 1))
	before, behind := (size-1)/2, size/2
	energy := func(x []float32, i int) float64 {
		sum := 0.0
		for _, v := range x[max(0, i-before):min(len(x), i+behind+1)] {
			sum += float64(v) * float64(v)
		}
		return bias + alpha/float64(size)*sum
	}
	l := lines{readsX: true, readsY: true, fwd: func(y, x []float32) {
		for i, v := range x {
			y[i] = v * float32(math.Pow(energy(x, i), -beta))
		}
	}, bwd: func(dx, dy, x, y, t []float32) {
		for i := range x {
			s := energy(x, i)
			dx[i] = dy[i] * float32(math.Pow(s, -beta))
			t[i] = dy[i] * y[i] / float32(s)
		}
		f := float32(2 * alpha * beta / float64(size))
		for i, v := range x {
			dx[i] -= f * v * float32(sum64(t[max(0, i-behind):min(len(t), i+before+1)]))
		}
	}}
	b.alongLast(1, func(x, y *slot) { b.lines(x, y, l) })
	return nil
}
