package optim

import "math"

// Norm is the Euclidean norm of all gradients together, NaN or infinite where one of
// them is.
func Norm(groups []Group) float64 {
	var sum float64
	for _, grp := range groups {
		for _, g := range grp.Grads {
			sum += squares(g)
		}
	}
	return math.Sqrt(sum)
}

// squares sums in four chains, so that additions need not wait for each other.
func squares(x []float32) float64 {
	var s [4]float64
	for ; len(x) >= 4; x = x[4:] {
		for k := range s {
			v := float64(x[k])
			s[k] += float64(v * v)
		}
	}
	for _, v := range x {
		s[0] += float64(float64(v) * float64(v))
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// ClipNorm scales all gradients by one factor where their norm is above limit
// [pascanu13], and returns the norm before. Gradients without a finite norm stay.
func ClipNorm(groups []Group, limit float64) float64 {
	norm := Norm(groups)
	if !(norm > limit) || math.IsInf(norm, 1) {
		return norm
	}
	f := float32(limit / norm)
	for _, grp := range groups {
		for _, g := range grp.Grads {
			for i := range g {
				g[i] *= f
			}
		}
	}
	return norm
}
