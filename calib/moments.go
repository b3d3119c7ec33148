package calib

import "math"

// pdf and cdf are the standard normal density and distribution.
func pdf(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }
func cdf(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// reluMoments returns the mean and second moment of max(x, 0) for x normal with
// the given mean and deviation.
func reluMoments(mean, std float64) (m1, m2 float64) {
	if std == 0 {
		y := max(mean, 0)
		return y, y * y
	}
	r := mean / std
	return std*pdf(r) + mean*cdf(r), (mean*mean+std*std)*cdf(r) + mean*std*pdf(r)
}

// clipMoments returns mean and deviation of a normal number clipped to
// [lo, hi]; hi may be infinite. It follows from
// clip(x) = lo + relu(x-lo) - relu(x-hi).
func clipMoments(mean, std, lo, hi float64) (m, s float64) {
	if math.IsInf(lo, -1) {
		m, s = clipMoments(-mean, std, -hi, math.Inf(1))
		return -m, s
	}
	a1, a2 := reluMoments(mean-lo, std)
	if !math.IsInf(hi, 1) {
		w := hi - lo
		b1, b2 := reluMoments(mean-hi, std)
		a1, a2 = a1-b1, a2-b2-2*w*b1
	}
	return lo + a1, math.Sqrt(max(0, a2-a1*a1))
}

// leakyMoments returns mean and deviation of a normal number whose negative
// part is multiplied by slope.
func leakyMoments(mean, std, slope float64) (m, s float64) {
	p1, p2 := reluMoments(mean, std)
	n1, n2 := reluMoments(-mean, std)
	m = p1 - slope*n1
	return m, math.Sqrt(max(0, p2+slope*slope*n2-m*m))
}

// Quadrature by equal steps over ±quadReach deviations: exact to rounding for
// smooth functions, and kinks cost less than they would a Gauss rule.
const (
	quadReach = 6
	quadSteps = 96
)

// weights are the densities at the points of the quadrature.
var weights = func() (w [quadSteps + 1]float64) {
	for i := range w {
		w[i] = pdf(quadPoint(i))
	}
	return w
}()

func quadPoint(i int) float64 { return quadReach * (2*float64(i)/quadSteps - 1) }

// moments returns mean and deviation of f(x) for x normal.
func moments(mean, std float64, f func(float64) float64) (m, s float64) {
	if std == 0 {
		return f(mean), 0
	}
	var w, s1, s2 float64
	for i, p := range weights {
		y := f(mean + std*quadPoint(i))
		w += p
		s1 += p * y
		s2 += p * y * y
	}
	m = s1 / w
	return m, math.Sqrt(max(0, s2/w-m*m))
}

// A walk over a range looks at every walkStride-th of its points, and then at
// those around the least and the largest.
const (
	walkSteps  = 400
	walkStride = 8
)

// extremes returns the least and largest value of f on [lo, hi], to the
// resolution of a fine walk.
func extremes(lo, hi float64, f func(float64) float64) (least, most float64) {
	at := func(i int) float64 { return f(lo + (hi-lo)*float64(i)/walkSteps) }
	low, high := 0, 0
	least, most = math.Inf(1), math.Inf(-1)
	for i := 0; i <= walkSteps; i += walkStride {
		y := at(i)
		if y < least {
			low = i
		}
		if y > most {
			high = i
		}
		least, most = min(least, y), max(most, y)
	}
	around := func(middle int) {
		for i := max(0, middle-walkStride+1); i < min(walkSteps, middle+walkStride); i++ {
			y := at(i)
			least, most = min(least, y), max(most, y)
		}
	}
	around(low)
	if low != high {
		around(high)
	}
	return least, most
}
