package ort_test

import (
	"fmt"
	"math"
	"slices"

	"pare/eval"
	"pare/tensor"
)

// difference is how far results are from those of the judge.
type difference struct {
	abs    float64 // largest
	rel    float64 // largest, as a part of the largest magnitude of the output
	snr    float64 // of all outputs together, each scaled to the same energy; dB
	values int
}

// compare compares all outputs; want are the judge's.
func compare(want, got map[string]*tensor.Tensor) (difference, error) {
	var d difference
	var energy, noise float64
	for name, w := range want {
		g := got[name]
		if g == nil {
			return d, fmt.Errorf("no output %q", name)
		}
		if w.Type != g.Type || !slices.Equal(w.Shape, g.Shape) {
			return d, fmt.Errorf("output %q: %v%v, ONNX Runtime gives %v%v", name, g.Type, g.Shape, w.Type, w.Shape)
		}
		e, n, err := d.take(tensor.Float64s(w), tensor.Float64s(g))
		if err != nil {
			return d, fmt.Errorf("output %q: %w", name, err)
		}
		if e > 0 {
			energy, noise = energy+1, noise+n/e
		} else {
			noise += n
		}
	}
	d.snr = eval.SNR(energy, noise)
	return d, nil
}

// unit is the last place of 1 and the difference that is not counted: ONNX
// Runtime's sigmoid and the like are as exact as that, however small their result.
const unit = 1.0 / (1 << 23)

// take adds one output to the largest differences and returns its energy and
// that of the difference.
func (d *difference) take(want, got []float64) (energy, noise float64, err error) {
	var largest, off float64
	for i, w := range want {
		g := got[i]
		if math.IsNaN(w) != math.IsNaN(g) || math.IsInf(w, 0) && w != g {
			return 0, 0, fmt.Errorf("element %d is %g, ONNX Runtime gives %g", i, g, w)
		}
		if math.IsNaN(w) || w == g {
			g = w
		}
		d.values++
		if math.IsNaN(w) || math.IsInf(w, 0) {
			continue
		}
		delta := math.Abs(g - w)
		largest, off = max(largest, math.Abs(w)), max(off, delta)
		delta = max(0, delta-unit)
		energy, noise = energy+w*w, noise+delta*delta
	}
	d.abs = max(d.abs, off)
	if largest > 0 {
		d.rel = max(d.rel, off/largest)
	}
	return energy, noise, nil
}

func (d difference) String() string {
	return fmt.Sprintf("max abs %8.2e, max rel %8.2e, SNR %5.1f dB, %d values", d.abs, d.rel, d.snr, d.values)
}
