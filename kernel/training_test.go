package kernel_test

import (
	"math"
	"testing"

	"pare/internal/guard"
	"pare/kernel"
)

// pixelCases are numbers of pixels and channels.
var pixelCases = [][2]int{{1, 1}, {1, 64}, {2, 3}, {5, 16}, {7, 20}, {33, 24}, {64, 63}, {130, 64}, {257, 65}, {700, 3}, {1000, 16}, {999, 40}, {1500, 130}, {33000, 2}}

// eachTask calls f for all tasks, last first.
func eachTask(s *kernel.ChannelSums, f func(task int)) {
	for task := s.Tasks() - 1; task >= 0; task-- {
		f(task)
	}
}

func TestChannelSums(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, p := range pixelCases {
			testChannelSums(t, p[0], p[1])
		}
	})
}

func testChannelSums(t *testing.T, pixels, c int) {
	r := random(uint64(c))
	x := floats(t, r, pixels*c)
	for i := range x {
		x[i] += float32(1000 * (i % c)) // far from zero beside its spread
	}
	mean, variance, total := make([]float64, c), make([]float64, c), make([]float64, c)
	for i, v := range x {
		total[i%c] += float64(v)
	}
	for j := range mean {
		mean[j] = total[j] / float64(pixels)
	}
	for i, v := range x {
		d := float64(v) - mean[i%c]
		variance[i%c] += d * d / float64(pixels)
	}
	s := kernel.NewChannelSums(pixels, c)
	partial, pivot := guard.Tail[float32](t, s.PartialFloats()), guard.Tail[float32](t, c)
	s.Pivot(pivot, x)
	eachTask(s, func(task int) { s.Moments(task, partial, x, pivot) })
	gotMean, gotVariance := guard.Tail[float32](t, c), guard.Tail[float32](t, c)
	s.Means(gotMean, gotVariance, partial, pivot)
	near(t, "mean", gotMean, mean, 1e-7)
	near(t, "variance", gotVariance, variance, 3e-7)
	eachTask(s, func(task int) { s.Totals(task, partial, x) })
	s.Sums(gotMean, nil, partial)
	near(t, "sum", gotMean, total, 4e-6)
}

// normalized is the mean over pixels of weights times a normalisation by the pixels' own
// statistics, then clamped, in float64.
func normalized(x []float64, weights, gamma, beta []float32, lo, hi float64) (loss float64, mean, rstd []float64) {
	c := len(gamma)
	n := float64(len(x) / c)
	mean, rstd = make([]float64, c), make([]float64, c)
	for i, v := range x {
		mean[i%c] += v / n
	}
	for i, v := range x {
		d := v - mean[i%c]
		rstd[i%c] += d * d / n
	}
	for j, v := range rstd {
		rstd[j] = 1 / math.Sqrt(v+1e-3)
	}
	for i, v := range x {
		y := (v-mean[i%c])*rstd[i%c]*float64(gamma[i%c]) + float64(beta[i%c])
		loss += float64(weights[i]) * math.Min(math.Max(y, lo), hi)
	}
	return loss, mean, rstd
}

// TestNormalization checks the gradient through the statistics of a batch by finite
// differences.
func TestNormalization(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, p := range [][2]int{{3, 2}, {6, 5}, {9, 16}, {5, 40}, {4, 70}} {
			for _, relu := range []bool{false, true} {
				testNormalization(t, p[0], p[1], relu)
			}
		}
	})
}

func testNormalization(t *testing.T, pixels, c int, relu bool) {
	r := random(uint64(c))
	x, dy := floats(t, r, pixels*c), floats(t, r, pixels*c)
	gamma, beta := floats(t, r, c), floats(t, r, c)
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	n := kernel.Normalization{}
	lo, hi := math.Inf(-1), math.Inf(1)
	if relu {
		n.Hi, lo = float32(math.Inf(1)), 0
	}
	_, mean, rstd := normalized(wide, dy, gamma, beta, lo, hi)
	n.Mean, n.Scale, n.Shift = make([]float32, c), make([]float32, c), beta
	for j := range c {
		n.Mean[j], n.Scale[j] = float32(mean[j]), gamma[j]*float32(rstd[j])
	}
	y := guard.Tail[float32](t, len(x))
	n.Run(y, x)
	var want []float64
	for i, v := range wide {
		want = append(want, math.Min(math.Max((v-mean[i%c])*rstd[i%c]*float64(gamma[i%c])+float64(beta[i%c]), lo), hi))
	}
	near(t, "normalised", y, want, 2e-6)
	s := kernel.NewChannelSums(pixels, c)
	partial := guard.Tail[float32](t, s.PartialFloats())
	eachTask(s, func(task int) { s.Grads(task, partial, dy, x, &n) })
	sum, product := make([]float32, c), make([]float32, c)
	s.Sums(sum, product, partial)
	slope, offset := make([]float32, c), make([]float32, c)
	for j := range c {
		slope[j] = -n.Scale[j] * float32(rstd[j]*rstd[j]) * product[j] / float32(pixels)
		offset[j] = -n.Scale[j] * sum[j] / float32(pixels)
	}
	for _, add := range []bool{false, true} {
		dx := guard.Tail[float32](t, len(x))
		fill(dx, 5)
		n.Grad(dx, dy, x, slope, offset, add)
		for i := range x {
			const h = 1e-5
			near(t, "gradient", dx[i:i+1], []float64{difference(add, func(d float64) float64 {
				old := wide[i]
				wide[i] += d * h
				loss, _, _ := normalized(wide, dy, gamma, beta, lo, hi)
				wide[i] = old
				return loss
			}) / h}, 2e-4)
		}
	}
}

// difference is the central difference, plus what was added to in units of 1e-5.
func difference(add bool, f func(d float64) float64) float64 {
	d := (f(1) - f(-1)) / 2
	if add {
		d += 5e-5
	}
	return d
}

// TestClampGrad: the gradient passes strictly between the bounds.
func TestClampGrad(t *testing.T) {
	y, dy, dx := []float32{-1, 0, 0.5, 6, 7}, []float32{1, 2, 3, 4, 5}, []float32{10, 10, 10, 10, 10}
	kernel.ClampGrad(dx, dy, y, 0, 6, true)
	near(t, "added", dx, []float64{10, 10, 13, 10, 10}, 0)
	kernel.ClampGrad(dx, dy, y, 0, 6, false)
	near(t, "set", dx, []float64{0, 0, 3, 0, 0}, 0)
	kernel.AddScaled(dx, dy, 2)
	near(t, "scaled", dx, []float64{2, 4, 9, 8, 10}, 0)
}

// TestOptimizerSteps follows the formulas in float64 over a few steps.
func TestOptimizerSteps(t *testing.T) {
	r := random(9)
	p, m, v := floats(t, r, 21), make([]float32, 21), make([]float32, 21)
	want, mean, square := make([]float64, 21), make([]float64, 21), make([]float64, 21)
	for i, x := range p {
		want[i] = float64(x)
	}
	s := kernel.Moments{Rate: 0.05, Decay: 0.1, Shrink: 0.99, Beta1: 0.9, New1: 0.1, Beta2: 0.95, New2: 0.05, Direct: 0.01, Unbias: 2, Epsilon: 1e-4}
	for range 5 {
		g := floats(t, r, 21)
		s.Adam(p, g, m, v)
		for i := range want {
			d := float64(g[i]) + 0.1*want[i]
			mean[i] = 0.9*mean[i] + 0.1*d
			square[i] = 0.95*square[i] + 0.05*d*d
			want[i] = 0.99*want[i] - (0.05*mean[i]+0.01*d)/(2*math.Sqrt(square[i])+1e-4)
		}
	}
	near(t, "adam", p, want, 1e-5)
	d := kernel.Descent{Rate: 0.1, Decay: 0.1, Momentum: 0.5, Nesterov: true}
	clear(m)
	clear(mean)
	for range 5 {
		g := floats(t, r, 21)
		d.Run(p, g, m)
		for i := range want {
			step := float64(g[i]) + 0.1*want[i]
			mean[i] = 0.5*mean[i] + step
			want[i] -= 0.1 * (step + 0.5*mean[i])
		}
	}
	near(t, "descent", p, want, 1e-5)
}
