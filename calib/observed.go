package calib

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// Observed is what a pass over data saw of one value. Its size does not depend
// on the amount of data.
type Observed struct {
	Count int // elements
	// Per channel along the requested axis; a single entry without one.
	Mean, Min, Max []float64
	m2             []float64
	n              []int
	axis           int
	buf            []float32 // of one channel, where channels lie side by side

	Pairs *Pairs // nil unless asked for

	hist []int // of magnitudes, histBins equal steps up to top; nil for none
	top  float64
	zero int // of elements that are exactly 0
}

// histBins is the resolution of the histogram of magnitudes; its range doubles
// as needed, so between half and all of it is in use.
const histBins = 4096

// newObserved starts an observation with channels along axis, -1 for none; of
// moments and ranges alone, or with a histogram.
func newObserved(axis int, moments bool) *Observed {
	o := &Observed{axis: axis}
	if !moments {
		o.hist = make([]int, histBins)
	}
	return o
}

// add takes in one more result. It reports non-finite numbers and a change of
// the number of channels.
func (o *Observed) add(t *tensor.Tensor) error {
	x := tensor.Float32s(t)
	channels, inner := 1, len(x)
	if o.axis >= 0 {
		if o.axis >= len(t.Shape) {
			return fmt.Errorf("no axis %d in shape %v", o.axis, t.Shape)
		}
		channels, inner = t.Shape[o.axis], tensor.Len(t.Shape[o.axis+1:])
	}
	if o.Mean == nil {
		o.Mean, o.m2, o.n = make([]float64, channels), make([]float64, channels), make([]int, channels)
		o.Min, o.Max = filled(channels, math.Inf(1)), filled(channels, math.Inf(-1))
	}
	if len(o.Mean) != channels {
		return fmt.Errorf("%d channels after %d before", channels, len(o.Mean))
	}
	o.Count += len(x)
	if len(x) == 0 {
		return nil
	}
	if o.Pairs != nil {
		o.Pairs.add(t, o.axis)
	}
	if inner < leastRun && channels > 1 {
		return o.interleaved(x, channels, inner)
	}
	for start := 0; start < len(x); start += max(1, inner) {
		c := start / max(1, inner) % channels
		for part := range slices.Chunk(x[start:start+inner], runLength) {
			if err := o.run(c, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// leastRun is the number of elements from which a run is worth taking in where it
// lies.
const leastRun = 64

// interleaved takes in channels of a few consecutive elements each: those of one
// channel from several rows together.
func (o *Observed) interleaved(x []float32, channels, inner int) error {
	row := channels * inner
	for part := range slices.Chunk(x, row*(runLength/max(1, inner)/16+1)) {
		for c := range channels {
			o.buf = o.buf[:0]
			for at := c * inner; at < len(part); at += row {
				o.buf = append(o.buf, part[at:at+inner]...)
			}
			if err := o.run(c, o.buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// runLength is how many elements are taken in at a time: they stay in the
// nearest cache while they are read three times.
const runLength = 4096

// run takes in consecutive elements of one channel: moments by the pairwise
// update of Chan et al., which does not lose small deviations from large means.
func (o *Observed) run(c int, x []float32) error {
	sum, least, most := total(x)
	lo, hi := min(o.Min[c], float64(least)), max(o.Max[c], float64(most))
	if math.IsNaN(sum) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return fmt.Errorf("the network computes numbers that are not finite")
	}
	o.Min[c], o.Max[c] = lo, hi
	mean := sum / float64(len(x))
	m2 := squares(x, mean)
	n, k := float64(o.n[c]), float64(len(x))
	d := mean - o.Mean[c]
	o.Mean[c] += d * k / (n + k)
	o.m2[c] += m2 + d*d*n*k/(n+k)
	o.n[c] += len(x)
	if o.hist != nil {
		o.count(x, max(hi, -lo))
	}
	return nil
}

// total is the sum, the least and the largest element of x. Two running sums
// add up faster than one.
func total(x []float32) (sum float64, lo, hi float32) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	var a, b float64
	for ; len(x) >= 2; x = x[2:] {
		u, v := x[0], x[1]
		a, b = a+float64(u), b+float64(v)
		if u < lo { // numbers that are none show in the sum
			lo = u
		}
		if v < lo {
			lo = v
		}
		if u > hi {
			hi = u
		}
		if v > hi {
			hi = v
		}
	}
	for _, v := range x {
		a += float64(v)
		lo, hi = min(lo, v), max(hi, v)
	}
	return a + b, lo, hi
}

// squares is the sum of the squared distances from mean.
func squares(x []float32, mean float64) float64 {
	var a, b float64
	for ; len(x) >= 2; x = x[2:] {
		d, e := float64(x[0])-mean, float64(x[1])-mean
		a, b = a+float64(d*d), b+float64(e*e)
	}
	for _, v := range x {
		d := float64(v) - mean
		a += float64(d * d)
	}
	return a + b
}

func (o *Observed) count(x []float32, top float64) {
	if o.top == 0 {
		o.top = top
	}
	for o.top < top {
		for i := range histBins / 2 {
			o.hist[i] = o.hist[2*i] + o.hist[2*i+1]
		}
		clear(o.hist[histBins/2:])
		o.top *= 2
	}
	if o.top == 0 {
		o.zero += len(x)
		return
	}
	step := histBins / o.top
	for _, v := range x {
		if v == 0 {
			o.zero++
			continue
		}
		if v < 0 {
			v = -v
		}
		o.hist[min(histBins-1, int(float64(v)*step))]++
	}
}

func filled(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// Stats are the measured channel statistics, nil when nothing was observed.
func (o *Observed) Stats() *ir.Stats {
	if o.Count == 0 {
		return nil
	}
	std := make([]float64, len(o.m2))
	for c := range std {
		std[c] = math.Sqrt(o.m2[c] / float64(max(1, o.n[c])))
	}
	return &ir.Stats{Axis: max(0, o.axis), Mean: o.Mean, Std: std, Lo: o.Min, Hi: o.Max, Source: "calibration"}
}

// MinMax is the range of all elements seen.
func (o *Observed) MinMax() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for c := range o.Min {
		lo, hi = min(lo, o.Min[c]), max(hi, o.Max[c])
	}
	return lo, hi
}

// Percentile is the least magnitude that at least p per cent of the elements do
// not exceed, to the resolution of the histogram.
func (o *Observed) Percentile(p float64) float64 {
	lo, hi := o.MinMax()
	seen, want := o.zero, p/100*float64(o.Count)
	for i, n := range o.hist {
		if seen += n; float64(seen) >= want {
			return min(o.top*float64(i+1)/histBins, max(hi, -lo))
		}
	}
	return max(hi, -lo)
}

// Best is the magnitude at which clipping to a uniform grid with the given
// number of steps from zero has the least mean squared error.
func (o *Observed) Best(steps int) float64 {
	return o.least(func(m float64) float64 { return m / float64(steps) })
}

// Clip is the magnitude at which clipping to a uniform grid with the given
// number of steps over the whole range, negative numbers included, has the least
// mean squared error.
func (o *Observed) Clip(steps int) float64 {
	lo, hi := o.MinMax()
	return o.least(func(m float64) float64 {
		return (min(max(hi, 0), m) - max(min(lo, 0), -m)) / float64(steps)
	})
}

// least finds the magnitude with the least error; step is the distance of
// levels when clipping at m.
func (o *Observed) least(step func(m float64) float64) float64 {
	lo, hi := o.MinMax()
	top := max(hi, -lo)
	best, at := math.Inf(1), top
	for i := range 80 {
		m := top * float64(80-i) / 80
		if e := o.clipError(m, step(m)); e < best {
			best, at = e, m
		}
	}
	return at
}

// clipError is the squared error of rounding to levels a step apart up to m:
// within a step the exact variance of a uniform law, beyond m the distance.
func (o *Observed) clipError(m, step float64) float64 {
	width := o.top / histBins
	sum := 0.0
	for i, n := range o.hist {
		if n == 0 {
			continue
		}
		x := (float64(i) + .5) * width
		switch {
		case x > m:
			sum += float64(n) * (x - m) * (x - m)
		case step <= 2*width:
			sum += float64(n) * step * step / 12
		default:
			d := x - step*math.RoundToEven(x/step)
			sum += float64(n) * d * d
		}
	}
	return sum
}
