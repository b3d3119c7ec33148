package main

import "math"

// crossEntropy is the mean over a batch of the negative log-likelihood of the
// labels under the softmax of the logits; it sets d to its gradient and counts
// the images whose largest logit is the label's.
func crossEntropy(d, logits *maps, labels []int) (loss float64, right int) {
	d.like(logits)
	for i, label := range labels {
		z, g := logits.image(i), d.image(i)
		best := 0
		for c := range z {
			if z[c] > z[best] {
				best = c
			}
		}
		if best == label {
			right++
		}
		var total float64
		for _, v := range z {
			total += math.Exp(float64(v - z[best]))
		}
		loss += math.Log(total) - float64(z[label]-z[best])
		for c, v := range z {
			p := math.Exp(float64(v-z[best])) / total
			if c == label {
				p--
			}
			g[c] = float32(p / float64(len(labels)))
		}
	}
	return loss / float64(len(labels)), right
}
