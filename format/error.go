package format

import "math"

// Error is what storing a tensor cost: differences between a tensor and its
// decoded codes.
type Error struct {
	N      int     // elements
	Square float64 // sum of squared differences
	Energy float64 // sum of squares of the original
	Max    float64 // largest absolute difference
}

// Add makes e the error of two tensors together.
func (e *Error) Add(f Error) {
	e.N += f.N
	e.Square += f.Square
	e.Energy += f.Energy
	e.Max = max(e.Max, f.Max)
}

// MSE is the mean squared difference.
func (e Error) MSE() float64 { return e.Square / float64(max(1, e.N)) }

// Relative is the root mean square of the differences over that of the
// original, 0 for a tensor of zeros.
func (e Error) Relative() float64 {
	if e.Energy == 0 {
		return 0
	}
	return math.Sqrt(e.Square / e.Energy)
}

// SNR is the signal-to-noise ratio in dB, +Inf where nothing was lost.
func (e Error) SNR() float64 {
	if e.Square == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(e.Energy/e.Square)
}

// Difference is the error of got against want, which have the same length.
func Difference(want, got []float32) Error {
	var t tally
	for i, v := range want {
		t = t.with(v, got[i])
	}
	return t.error(len(want))
}
