package prune

import (
	"math"
	"slices"
)

// The density is evaluated on a grid that is fine against the kernel, and the
// kernel is cut off where it has fallen to 3e-4 of its height.
const (
	perWidth = 4            // grid points to a bandwidth
	reach    = 4 * perWidth // grid points that the kernel reaches to either side
)

var gauss = func() (k [2*reach + 1]float64) {
	for i := range k {
		z := float64(i-reach) / perWidth
		k[i] = math.Exp(-z * z / 2)
	}
	return k
}()

// mode is a maximum of a density and the hill around it.
type mode struct {
	at, height float64
	lo, hi     float64 // minima on either side
	floor      [2]float64
}

// density is a Gaussian kernel density estimate of sorted numbers, on a grid that
// exists where there are numbers only: long tails cost nothing.
type density struct {
	w          []float32 // sorted
	start      float64   // of the grid
	step       float64
	modes      []mode
	prev, here float64 // the last two values
	index      int64   // of here
	rising     bool
	low        float64 // the last minimum
	lowAt      int64
}

// modesOf lists the modes of the density of sorted numbers, left to right, its
// extrema being where its differences on the grid change their sign (RED, step 1).
// width, the bandwidth, is above 0.
func modesOf(sorted []float32, width float64) []mode {
	width = max(width, (float64(sorted[len(sorted)-1])-float64(sorted[0]))*finest)
	d := &density{w: sorted, step: width / perWidth, rising: true}
	d.start = float64(sorted[0]) - (reach+1)*d.step
	for from := 0; from < len(sorted); {
		to := from + 1
		for to < len(sorted) && float64(sorted[to])-float64(sorted[to-1]) <= 2*(reach+2)*d.step {
			to++
		}
		d.stretch(sorted[from:to])
		from = to
	}
	d.finish()
	return d.modes
}

// finest is the smallest bandwidth relative to the range of the numbers: places on
// the grid stay exact.
const finest = 0x1p-40

// position is where v lies on the grid.
func (d *density) position(v float32) float64 { return (float64(v) - d.start) / d.step }

// chunk is how many grid points are evaluated at a time.
const chunk = 1 << 12

// stretch evaluates the density around numbers with no wide gap between them.
func (d *density) stretch(w []float32) {
	first, last := int64(d.position(w[0]))-reach-1, int64(d.position(w[len(w)-1]))+reach+2
	var bins [chunk + 2*reach]float64
	from := 0
	for at := first; at <= last; at += chunk {
		n := int(min(chunk, last-at+1))
		clear(bins[:])
		for from < len(w) && d.position(w[from]) < float64(at-reach-1) {
			from++
		}
		for _, v := range w[from:] {
			p := d.position(v)
			i := int64(p)
			k := i - at + reach
			if k >= int64(n+2*reach) {
				break
			}
			f := p - float64(i)
			if k >= 0 {
				bins[k] += 1 - f
			}
			if k+1 >= 0 && k+1 < int64(len(bins)) {
				bins[k+1] += f
			}
		}
		for i := range n {
			d.point(at+int64(i), convolved((*[2*reach + 1]float64)(bins[i:])))
		}
	}
}

// convolved is the kernel's sum of the bins around a grid point.
func convolved(bins *[2*reach + 1]float64) float64 {
	var a, b, c float64
	for i := 0; i < 2*reach; i += 2 {
		a += gauss[i] * bins[i]
		b += gauss[i+1] * bins[i+1]
	}
	c = gauss[2*reach] * bins[2*reach]
	return a + b + c
}

// point takes in the next value of the density.
func (d *density) point(index int64, f float64) {
	switch {
	case f > d.here && !d.rising:
		d.rising = true
		d.low, d.lowAt = d.here, d.index
		d.modes[len(d.modes)-1].hi = d.value(float64(d.lowAt))
		d.modes[len(d.modes)-1].floor[1] = d.low
	case f < d.here && d.rising:
		d.rising = false
		d.modes = append(d.modes, mode{
			at: d.value(float64(d.index) + vertex(d.prev, d.here, f)), height: d.here,
			lo: d.value(float64(d.lowAt)), floor: [2]float64{d.low},
		})
	}
	d.prev, d.here, d.index = d.here, f, index
}

// value is the number at a place on the grid.
func (d *density) value(p float64) float64 { return d.start + p*d.step }

// vertex is where the parabola through values at -1, 0 and 1 has its top.
func vertex(a, b, c float64) float64 {
	if bend := a - 2*b + c; bend < 0 {
		return min(max((a-c)/(2*bend), -0.5), 0.5)
	}
	return 0
}

// finish gives the outermost hills all numbers to either side.
func (d *density) finish() {
	d.modes[0].lo = math.Inf(-1)
	d.modes[len(d.modes)-1].hi = math.Inf(1)
}

// gap is the median distance between neighbours among the distinct of sorted
// numbers, 0 when there is but one.
func gap(sorted []float32) float64 {
	var gaps []float32
	for i, v := range sorted[min(1, len(sorted)):] {
		if g := v - sorted[i]; g > 0 {
			gaps = append(gaps, g)
		}
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return float64(gaps[len(gaps)/2])
}
