package main

import (
	"fmt"
	"io"
	"math/rand/v2"
)

const batch = 32

// fit trains the network on every picture of a set, epochs times, in an order
// drawn from r.
func fit(net sequence, set pictures, epochs int, r *rand.Rand, log io.Writer) {
	steps := set.len() / batch
	opt := sgd{rate: 0.05, momentum: 0.9, decay: 5e-4}
	ps := net.params()
	x, d := &maps{}, &maps{}
	for e := range epochs {
		order := r.Perm(set.len())
		var loss float64
		var right int
		for i := range steps {
			labels := set.batch(x, order[i*batch:][:batch])
			l, n := crossEntropy(d, net.forward(x, true), labels)
			loss, right = loss+l, right+n
			net.backward(d)
			opt.step(ps, schedule(e*steps+i, epochs*steps))
		}
		fmt.Fprintf(log, "epoch %2d of %d: loss %.4f, right %.2f %%\n", e+1, epochs, loss/float64(steps), 100*float64(right)/float64(steps*batch))
	}
}

// accuracy is the share of a set that the network gets right.
func accuracy(net sequence, set pictures) float64 {
	var right int
	x, d := &maps{}, &maps{}
	for lo := 0; lo < set.len(); lo += batch {
		chosen := make([]int, min(batch, set.len()-lo))
		for i := range chosen {
			chosen[i] = lo + i
		}
		labels := set.batch(x, chosen)
		_, n := crossEntropy(d, net.forward(x, false), labels)
		right += n
	}
	return float64(right) / float64(set.len())
}
