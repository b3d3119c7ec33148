package main

import "math"

// sgd is stochastic gradient descent with Nesterov's momentum and weight decay.
type sgd struct {
	rate, momentum, decay float32
}

// step moves the parameters against their gradients; part scales the rate.
func (o sgd) step(ps []*param, part float32) {
	rate := o.rate * part
	parallel(len(ps), func(i int) {
		p := ps[i]
		for j, g := range p.grad {
			if p.decay {
				g += float32(o.decay * p.v[j])
			}
			m := float32(o.momentum*p.momentum[j]) + g
			p.momentum[j] = m
			p.v[j] -= float32(rate * (g + float32(o.momentum*m)))
		}
	})
}

// schedule is the share of the learning rate at step i of n: it grows over the
// first twentieth, then falls to zero along a cosine.
func schedule(i, n int) float32 {
	warm := n / 20
	if i < warm {
		return float32(i+1) / float32(warm)
	}
	return float32(1+math.Cos(math.Pi*float64(i-warm)/float64(n-warm))) / 2
}
