package kernel

// ClampGrad computes dx = dy where lo < y < hi, else 0: the gradient of Clamp, Relu and
// Clip by their results. With add it is added to dx; dx may be dy.
func ClampGrad(dx, dy, y []float32, lo, hi float32, add bool) {
	if n := len(dx); n > 0 {
		pick(clampGradLoops)(dx, dy[:n], y[:n], lo, hi, add)
	}
}

// AddScaled computes dst += a·x, product and sum each rounded.
func AddScaled(dst, x []float32, a float32) {
	if n := len(dst); n > 0 {
		pick(addScaledLoops)(dst, x[:n], a)
	}
}

type (
	clampGradLoop func(dx, dy, y []float32, lo, hi float32, add bool)
	addScaledLoop func(dst, x []float32, a float32)
)

var (
	clampGradLoops = append(archClampGrad, impl[clampGradLoop]{"f32_1_go", 0, clampGradGo})
	addScaledLoops = append(archAddScaled, impl[addScaledLoop]{"f32_1_go", 0, addScaledGo})
)

func clampGradGo(dx, dy, y []float32, lo, hi float32, add bool) {
	for i, v := range y {
		d := dy[i]
		if !(v > lo && v < hi) {
			d = 0
		}
		if add {
			d += dx[i]
		}
		dx[i] = d
	}
}

func addScaledGo(dst, x []float32, a float32) {
	for i, v := range x {
		dst[i] += float32(a * v)
	}
}
