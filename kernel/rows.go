package kernel

import "math"

type (
	// reduceLoop reduces one row to a number.
	reduceLoop func(src []float32) float32
	// expSumLoop writes a function of src and x and returns the sum.
	expSumLoop func(dst, src []float32, x float32) float32
	// normalizeLoop writes (src-mean)·rstd·gamma + beta.
	normalizeLoop func(dst, src, gamma, beta []float32, mean, rstd float32)
)

// Row loops. The sums of assembly rows run in 64 interleaved parts, element i in
// part i mod 64, whatever the instruction set, and parts are added by halves:
// the order depends on the length alone, and the error grows with the length
// divided by 64. The portable rows sum in float64. Maxima and normalize have
// the same bits in every row.
var (
	rowMaxLoops    = append(archRowMax, impl[reduceLoop]{"f32_1_go", 0, rowMaxGo})
	rowSizeLoops   = append(archRowSize, impl[reduceLoop]{"f32_1_go", 0, rowSizeGo})
	rowSumLoops    = append(archRowSum, impl[reduceLoop]{"f32_1_go", 0, rowSumGo})
	expSumLoops    = append(archExpSum, impl[expSumLoop]{"f32_1_go", 0, expSumGo})
	varianceLoops  = append(archVariance, impl[reduce2Loop]{"f32_1_go", 0, varianceGo})
	normalizeLoops = append(archNormalize, impl[normalizeLoop]{"f32_1_go", 0, normalizeGo})
)

// reduce2Loop reduces one row with a parameter.
type reduce2Loop func(src []float32, x float32) float32

// Softmax computes e^(x-max)/Σe^(x-max) along rows of cols elements; dst may
// be src. Relative error is below 2e-6 for rows up to a million. The task is
// one row; split rows over threads as you like.
func Softmax(dst, src []float32, cols int) {
	maxOf, expSum, scale := pick(rowMaxLoops), pick(expSumLoops), pick(affineLoops)
	for cols > 0 && len(dst) > 0 {
		d, s := dst[:cols], src[:cols]
		sum := expSum(d, s, maxOf(s))
		scale(d, d, 1/sum, 0, -inf, inf)
		dst, src = dst[cols:], src[cols:]
	}
}

// LayerNorm computes (x-mean)/√(var+eps)·gamma + beta along rows of
// len(gamma) elements; beta may be nil, dst may be src. The variance is taken
// in a second pass over x-mean, so it does not cancel.
func LayerNorm(dst, src, gamma, beta []float32, eps float32) {
	sum, variance, normalize := pick(rowSumLoops), pick(varianceLoops), pick(normalizeLoops)
	cols := len(gamma)
	if beta != nil {
		beta = beta[:cols]
	}
	for cols > 0 && len(dst) > 0 {
		d, s := dst[:cols], src[:cols]
		mean := sum(s) / float32(cols)
		v := variance(s, mean) / float32(cols)
		normalize(d, s, gamma, beta, mean, float32(1/math.Sqrt(float64(v)+float64(eps))))
		dst, src = dst[cols:], src[cols:]
	}
}

// RowSum is the sum of src.
func RowSum(src []float32) float32 {
	if len(src) == 0 {
		return 0
	}
	return pick(rowSumLoops)(src)
}

// RowMax is the largest element of src, passing over NaN; -Inf if there is
// none.
func RowMax(src []float32) float32 {
	if len(src) == 0 {
		return -inf
	}
	return pick(rowMaxLoops)(src)
}

// RowSize is the largest magnitude in src, NaN where one is; 0 if there is none.
func RowSize(src []float32) float32 {
	if len(src) == 0 {
		return 0
	}
	return pick(rowSizeLoops)(src)
}

// rowSizeGo compares the bits of magnitudes, which are ordered as they are, with
// NaN on top.
func rowSizeGo(src []float32) float32 {
	m := uint32(0)
	for _, x := range src {
		if b := math.Float32bits(x) &^ (1 << 31); b > m {
			m = b
		}
	}
	return math.Float32frombits(m)
}

func rowMaxGo(src []float32) float32 {
	m := -inf
	for _, x := range src {
		if x > m {
			m = x
		}
	}
	return m
}

func rowSumGo(src []float32) float32 {
	var s float64
	for _, x := range src {
		s += float64(x)
	}
	return float32(s)
}

func expSumGo(dst, src []float32, m float32) float32 {
	var s float64
	for i, x := range src {
		e := exp32(x - m)
		dst[i] = e
		s += float64(e)
	}
	return float32(s)
}

func varianceGo(src []float32, mean float32) float32 {
	var s float64
	for _, x := range src {
		d := float64(x - mean)
		s += d * d
	}
	return float32(s)
}

func normalizeGo(dst, src, gamma, beta []float32, mean, rstd float32) {
	for i, x := range src {
		y := float32((x - mean) * rstd * gamma[i])
		if beta != nil {
			y += beta[i]
		}
		dst[i] = y
	}
}

// SoftmaxU8 is Softmax of one row, then QuantizeU8 of one grid, in fewer passes: the
// quotient of an exponential by the sum and the step is rounded once, so that a code
// may fall on the other side of the middle between two. src is lost.
func SoftmaxU8(dst []uint8, src []float32, c *Scales) {
	if len(src) == 0 {
		return
	}
	sum := pick(expSumLoops)(src, src, pick(rowMaxLoops)(src))
	on := scalesPool.Get().(*Scales)
	on.step[0], on.zero[0], on.lo[0], on.hi[0] = c.step[0]*sum, c.zero[0], c.lo[0], c.hi[0]
	pick(quantizeLoops)(dst[:len(src)], src, on)
	scalesPool.Put(on)
}
