package kernel

import "math"

// Epilogue is what happens to a sum before it is stored:
// y = Act(min(max(sum + Bias[o] + Residual[i], Lo), Hi)).
type Epilogue struct {
	// Bias has one value per output channel or column; nil counts as zero.
	Bias []float32
	// Residual is laid out like the destination, with a stride of its own;
	// nil counts as zero. It may be the destination itself.
	Residual []float32
	// Lo and Hi clamp the result where Lo < Hi; otherwise nothing is clamped,
	// so the zero Epilogue changes nothing. NaN stays NaN.
	Lo, Hi float32
	// Act is an element-wise function that comes last, such as SiLU.Run; nil for
	// none. It is called with dst and src the same, while they are in the cache.
	Act func(dst, src []float32)
}

// Relu returns an epilogue with a bias and the clamp of Relu.
func Relu(bias []float32) Epilogue {
	return Epilogue{Bias: bias, Hi: float32(math.Inf(1))}
}

var inf = float32(math.Inf(1))

// limits are the clamp bounds, infinite where nothing is clamped.
func (e *Epilogue) limits() (lo, hi float32) {
	if e.Lo < e.Hi {
		return e.Lo, e.Hi
	}
	return -inf, inf
}

// actRows applies a function, where there is one, to rows of n elements, ld apart.
func actRows(act func(dst, src []float32), c []float32, rows, n, ld int) {
	if act == nil || rows == 0 {
		return
	}
	if ld == n {
		rows, n = 1, rows*n
	}
	for r := range rows {
		x := c[r*ld : r*ld+n]
		act(x, x)
	}
}
