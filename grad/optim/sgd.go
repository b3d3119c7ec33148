package optim

// sgdConstants are those of descent with momentum [sutskever13], the momentum being a
// sum of gradients, not a mean: m <- momentum m + g.
func sgdConstants(o Options, _ *State, rate, decay float64) constants {
	return constants{rate: float32(rate), decay: float32(decay), beta1: float32(o.Momentum), nesterov: o.Nesterov}
}

func sgd(p, g, m, _ []float32, c constants) {
	if c.nesterov {
		nesterov(p, g, m, c)
		return
	}
	g, m = g[:len(p)], m[:len(p)]
	for i, x := range p {
		d := g[i] + float32(c.decay*x)
		m[i] = float32(c.beta1*m[i]) + d
		p[i] = x - float32(c.rate*m[i])
	}
}

// nesterov steps by the gradient and the momentum that already holds it.
func nesterov(p, g, m []float32, c constants) {
	g, m = g[:len(p)], m[:len(p)]
	for i, x := range p {
		d := g[i] + float32(c.decay*x)
		m[i] = float32(c.beta1*m[i]) + d
		p[i] = x - float32(c.rate*(d+float32(c.beta1*m[i])))
	}
}
