package optim

import "math"

// adamConstants are those of [kingma15], algorithm 1: both moments are means that
// begin at zero, which the factors of the step correct.
func adamConstants(o Options, s *State, rate, decay float64) constants {
	t := float64(s.Steps)
	return constants{
		rate: float32(rate / (1 - math.Pow(o.Beta1, t))), decay: float32(decay), shrink: 1,
		beta1: float32(o.Beta1), new1: float32(1 - o.Beta1),
		beta2: float32(o.Beta2), new2: float32(1 - o.Beta2),
		unbias: float32(1 / math.Sqrt(1-math.Pow(o.Beta2, t))), epsilon: float32(o.Epsilon),
	}
}

// adamwConstants take the decay out of the gradient and shrink weights by it
// [loshchilov19].
func adamwConstants(o Options, s *State, rate, decay float64) constants {
	c := adamConstants(o, s, rate, 0)
	c.shrink = float32(1 - rate*decay)
	return c
}

// adam steps by the ratio of the mean gradient, and a direct share of the gradient
// itself, to the root mean square of gradients.
func adam(p, g, m, v []float32, c constants) {
	g, m, v = g[:len(p)], m[:len(p)], v[:len(p)]
	for i, x := range p {
		d := g[i] + float32(c.decay*x)
		m[i] = float32(c.beta1*m[i]) + float32(c.new1*d)
		v[i] = float32(c.beta2*v[i]) + float32(c.new2*float32(d*d))
		root := float32(math.Sqrt(float64(v[i])))
		step := float32(c.rate*m[i]) + float32(c.direct*d)
		p[i] = float32(c.shrink*x) - step/(float32(c.unbias*root)+c.epsilon)
	}
}
