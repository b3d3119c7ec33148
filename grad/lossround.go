package grad

import "pare/kernel"

// RoundingTerm is weight * Σ(1 - |2h(v)-1|^beta) over the latents of a SoftRound: it
// is least where every rounding is decided (AdaRound, [nagel20]). It ADDS its gradient
// to dv. beta is 2 or more: large ones let h move freely in the middle.
func RoundingTerm(dv, v []float32, weight, beta float64) float64 {
	var part [3][]float32
	for i := range part {
		part[i] = make([]float32, min(chunk, len(v)))
	}
	sum := 0.0
	eachChunk(len(v), func(i, j int) {
		s, m := part[0][:j-i], part[1][:j-i]
		kernel.Sigmoid.Run(s, v[i:j])
		for k, p := range s {
			m[k] = 2*(p*roundSpan+roundLow) - 1
		}
		sum += roundingChunk(dv[i:j], s, m, part[2], weight, beta)
	})
	return weight * sum
}

// h(v) = clip(roundSpan·σ(v) + roundLow, 0, 1).
const (
	roundSpan = 1.2
	roundLow  = -0.1
)

// roundingChunk is a part of RoundingTerm, from the sigmoids s and z = 2h-1, not yet
// clipped.
func roundingChunk(dv, s, z, power []float32, weight, beta float64) (sum float64) {
	powers(power[:len(z)], z, beta-1)
	factor := float32(weight * beta * 2 * roundSpan)
	for k, x := range z {
		if x <= -1 || x >= 1 {
			continue
		}
		p := power[k]
		if x < 0 {
			p = -p
		}
		sum += 1 - float64(p*x)
		dv[k] -= factor * p * (s[k] * (1 - s[k]))
	}
	return sum
}
