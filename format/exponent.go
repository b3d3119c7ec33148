package format

import (
	"math"

	"pare/internal/par"
	"pare/tensor"
)

// bins is the resolution of a Histogram. Bins are equal steps of sqrt(u).
const bins = 2048

// Histogram sums up how the magnitudes u = |w|/max|w| of groups of weights are
// distributed: enough to know the error of any power grid on them exactly, save
// for the bins in which a rounding threshold lies.
type Histogram struct {
	// Weighted counts, sums and sums of squares of u per bin. The weight of a
	// group is max² (or as Weighting says), so that errors add up over groups.
	sums [bins]binSums
}

type binSums struct{ s0, s1, s2 float64 }

// Weighting says how groups count against each other in a Histogram.
type Weighting uint8

// Squared weighs a group by the square of its largest magnitude: the objective
// is the sum of squared errors. Normalised gives every element the weight
// 1/(sum of squares of its group): the objective is the sum of relative errors
// of groups.
const (
	Squared Weighting = iota
	Normalised
)

// Merge adds what o counted, times f.
func (h *Histogram) Merge(o *Histogram, f float64) {
	for i := range h.sums {
		a, b := &h.sums[i], &o.sums[i]
		a.s0 += f * b.s0
		a.s1 += f * b.s1
		a.s2 += f * b.s2
	}
}

// Energy is the weighted sum of squares; under Squared, that of the weights.
func (h *Histogram) Energy() float64 {
	sum := 0.0
	for i := range h.sums {
		sum += h.sums[i].s2
	}
	return sum
}

// NewHistogram counts the weights of w, grouped by s: all of them, or an even
// sample of large tensors. Its result does not depend on threads. Non-finite
// weights are reported as *NotFiniteError.
func NewHistogram(w *tensor.Tensor, s Spec, by Weighting, threads int) (*Histogram, error) {
	data, err := finite(w)
	if err != nil {
		return nil, err
	}
	l := s.layout(w.Shape)
	every := sampling(len(data))
	// A fixed number of parts, summed in order.
	const parts = 8
	var part [parts]Histogram
	par.Each(parts, threads, func(p int) {
		to := (p + 1) * l.groups / parts
		step := max(1, chunkElems/max(1, l.size()))
		for from := p * l.groups / parts; from < to; from += step {
			x := gather(l, from, min(from+step, to), data)
			for g := from; g < min(from+step, to); g++ {
				part[p].add(x.of(g), g, every, by)
			}
		}
	})
	h := &part[0]
	for p := 1; p < parts; p++ {
		h.Merge(&part[p], 1)
	}
	return h, nil
}

// sampled is about how many weights of a tensor are counted: the shape of
// their distribution, and so the exponent, is known well enough from these.
const sampled = 1 << 16

// sampling returns the distance of counted weights: an odd number that shares
// no factor with the sizes of usual kernels, so that all taps are met alike.
func sampling(n int) int {
	every := n / sampled
	if every < 2 {
		return 1
	}
	for every%2 == 0 || every%3 == 0 || every%5 == 0 || every%7 == 0 {
		every++
	}
	return every
}

// add counts every so-manieth weight of a group, beginning elsewhere in each
// group, so that no input channel is passed over.
func (h *Histogram) add(x []float32, group, every int, by Weighting) {
	m := absMax(x)
	if m < dead {
		return
	}
	weight := float64(m) * float64(m)
	if by == Normalised {
		square := 0.0
		for _, v := range x {
			square += float64(v) * float64(v)
		}
		weight /= square
	}
	weight *= float64(every)
	for i := group % every; i < len(x); i += every {
		u := float32(math.Abs(float64(x[i]))) / m
		b := &h.sums[min(bins-1, int(float32(math.Sqrt(float64(u)))*bins))]
		b.s0 += weight
		b.s1 += weight * float64(u)
		b.s2 += weight * float64(u) * float64(u)
	}
}

// Error is the weighted p-norm error, raised to p, of the power grid with the
// given width, exponent and rounding; exact for p = 2 up to the bin width.
func (h *Histogram) Error(bits int, exponent, p float64, r Rounding) float64 {
	g := newGrid(Spec{Kind: Power, Bits: bits, Exponent: exponent}, r)
	sum, q, n := 0.0, 0, int(g.n)
	for b := range bins {
		if h.sums[b].s0 == 0 {
			continue
		}
		u := h.sums[b].s1 / h.sums[b].s0
		for q < n && u*float64(g.top) >= float64(g.cuts[q+1]) {
			q++
		}
		level := float64(g.mags[q] / g.top)
		if p == 2 {
			sum += max(0, h.sums[b].s2-2*level*h.sums[b].s1+level*level*h.sums[b].s0)
		} else {
			sum += h.sums[b].s0 * math.Pow(math.Abs(u-level), p)
		}
	}
	return sum
}

// Limits of the exponent search.
const (
	MinExponent = 0.2
	MaxExponent = 1.2
)

// Asymptotic is the exponent with the least squared error in the limit of many
// levels: the root of E[u^(2-2a) ln u] / E[u^(2-2a)] = -1/a, which is unique.
func (h *Histogram) Asymptotic() float64 {
	var count, logs []float64
	for b := range bins {
		if h.sums[b].s1 != 0 {
			count = append(count, h.sums[b].s0)
			logs = append(logs, math.Log(h.sums[b].s1/h.sums[b].s0))
		}
	}
	slope := func(a float64) float64 {
		e, el := 0.0, 0.0
		for i, l := range logs {
			x := count[i] * math.Exp((2-2*a)*l)
			e += x
			el += x * l
		}
		return -1/a - el/e
	}
	lo, hi := 0.05, 2.0
	for hi-lo > 1e-5 {
		if mid := (lo + hi) / 2; slope(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// Part is a share of an exponent search: weights that are stored with Bits bits.
type Part struct {
	*Histogram
	Bits int
}

// Solver finds the least value of a function of an exponent within
// [MinExponent, MaxExponent]; start is a guess of where it lies.
type Solver func(f func(a float64) float64, start float64) (at float64)

// Search returns the exponent in [MinExponent, MaxExponent] with the least
// p-norm error over all parts, and whether it touches a border of that interval.
// Parts of 2 bits do not count: with the levels 0 and ±max alone no exponent is
// better than 1, which is also the answer when nothing counts.
func Search(parts []Part, p float64, r Rounding, solve Solver) (exponent float64, border bool) {
	var used []Part
	all := &Histogram{}
	for _, x := range parts {
		if x.Bits > 2 && x.Energy() > 0 {
			used = append(used, x)
			all.Merge(x.Histogram, 1)
		}
	}
	if used == nil {
		return 1, false
	}
	at := solve(func(a float64) float64 {
		sum := 0.0
		for _, x := range used {
			sum += x.Error(x.Bits, a, p, r)
		}
		return sum
	}, all.Asymptotic())
	// Three decimals say all there is to say and read well in reports.
	at = math.Round(at*1000) / 1000
	return at, at <= MinExponent+1e-3 || at >= MaxExponent-1e-3
}

// Golden tries 1, the guess and a grid of exponents, and refines the best by
// golden section: small jumps of the error, as roundings change, cannot mislead
// it.
func Golden(f func(a float64) float64, start float64) float64 {
	const step = 0.05
	at, best := 1.0, f(1)
	try := func(a float64) {
		if e := f(a); e < best {
			at, best = a, e
		}
	}
	for i := range 21 {
		try(MinExponent + step*float64(i))
	}
	try(bounded(start))
	lo, hi := bounded(at-step), bounded(at+step)
	golden := (math.Sqrt(5) - 1) / 2
	for hi-lo > 1e-3 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if f(a) < f(b) {
			hi = b
		} else {
			lo = a
		}
	}
	try((lo + hi) / 2)
	return at
}

func bounded(a float64) float64 { return min(MaxExponent, max(MinExponent, a)) }

// NelderMead is the simplex method of Nelder and Mead in one dimension, from the
// exponent 0.5, as PowerQuant has it: about half as many evaluations as Golden. It
// takes no notice of the guess.
func NelderMead(f func(a float64) float64, _ float64) float64 {
	const evaluations = 50
	a, b := 0.5, 0.6
	fa, fb := f(a), f(b)
	for n := 2; n < evaluations && math.Abs(a-b) > 5e-4; n++ {
		if fb < fa {
			a, fa, b, fb = b, fb, a, fa // a is the better end
		}
		x := bounded(2*a - b) // the worse end reflected
		fx := f(x)
		if fx < fa {
			if far := bounded(3*a - 2*b); far != x {
				n++
				if e := f(far); e < fx {
					x, fx = far, e
				}
			}
		} else {
			x = (a + b) / 2
			if fx < fb {
				x = 1.5*a - b/2
			}
			x = bounded(x)
			n++
			fx = f(x)
		}
		b, fb = x, fx
	}
	if fb < fa {
		return b
	}
	return a
}
