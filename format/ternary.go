package format

import (
	"math"
	"slices"

	"pare/tensor"
)

// Ternary says where the thresholds and levels of a grid of three levels lie.
type Ternary uint8

// Support cuts [-max, max] into three equal parts, each represented by its middle
// (TQuant). Mass gives every level a third of the weights and takes their mean
// (MQuant). LeastSquares has the least squared error (Lloyd and Max).
const (
	Support Ternary = iota
	Mass
	LeastSquares
)

// EncodeTernary stores the Float32 tensor w in the uniform format s of 2 bits,
// with thresholds of its own for every group. It reports like Encode.
func EncodeTernary(w *tensor.Tensor, s Spec, by Ternary, threads int) (*Encoded, Error, error) {
	e, cost, err := encodeEach(w, s, threads, func(_ int, x []float32, codes []byte) (float32, Error) {
		cut, level := by.levels(x)
		var t tally
		for i, v := range x {
			q := int8(0)
			if v > cut {
				q = 1
			} else if v < -cut {
				q = -1
			}
			codes[i] = byte(q)
			t = t.with(v, float32(float32(q)*level))
		}
		return level, t.error(len(x))
	})
	if err == nil {
		e.Zero = tensor.New(e.Codes.Type, e.Scale.Shape...)
	}
	return e, cost, err
}

// levels is the magnitude above which a number is not 0, and what it then is.
func (by Ternary) levels(x []float32) (cut, level float32) {
	a, most := make([]float32, len(x)), float32(0)
	for i, v := range x {
		a[i] = max(v, -v)
		most = max(most, a[i])
	}
	switch {
	case most < dead:
		return most, 1
	case by == Support:
		return most / 3, most / 3 * 2
	}
	slices.Sort(a)
	if by == Mass {
		return meanAbove(a, a[len(a)/3])
	}
	return lloyd(a)
}

// meanAbove is cut, and the mean of what is greater among sorted magnitudes; the
// largest where nothing is.
func meanAbove(a []float32, cut float32) (float32, float32) {
	i, _ := slices.BinarySearchFunc(a, cut, func(v, c float32) int {
		if v <= c {
			return -1
		}
		return 1
	})
	if i == len(a) {
		return cut / 2, a[i-1]
	}
	sum := 0.0
	for _, v := range a[i:] {
		sum += float64(v)
	}
	return cut, float32(sum / float64(len(a)-i))
}

// lloyd is the cut with the least squared error among sorted magnitudes: where
// the squared sum of what lies above, over its number, is greatest.
func lloyd(a []float32) (cut, level float32) {
	sum, best := 0.0, math.Inf(-1)
	at := len(a) - 1
	for i := len(a) - 1; i >= 0; i-- {
		sum += float64(a[i])
		if gain := sum * sum / float64(len(a)-i); gain > best && (i == 0 || a[i-1] < a[i]) {
			best, at, level = gain, i, float32(sum/float64(len(a)-i))
		}
	}
	if at == 0 {
		return a[0] / 2, level
	}
	return (a[at-1] + a[at]) / 2, level
}
