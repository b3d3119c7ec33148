package optim

import "math"

// adamaxConstants are those of [kingma15], algorithm 2.
func adamaxConstants(o Options, s *State, rate, decay float64) constants {
	c := adamConstants(o, s, rate, decay)
	c.unbias = 1
	return c
}

// adamax divides the mean gradient by the largest one, which fades. Epsilon keeps
// weights that never had a gradient where they are.
func adamax(p, g, m, v []float32, c constants) {
	g, m, v = g[:len(p)], m[:len(p)], v[:len(p)]
	for i, x := range p {
		d := g[i] + float32(c.decay*x)
		m[i] = float32(c.beta1*m[i]) + float32(c.new1*d)
		v[i] = max(float32(c.beta2*v[i]), float32(math.Abs(float64(d)))+c.epsilon)
		p[i] = x - float32(c.rate*m[i])/v[i]
	}
}
