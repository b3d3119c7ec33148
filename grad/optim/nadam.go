package optim

import "math"

// The share of the momentum of [dozat16] grows over the steps: at step t it is
// beta1 (1 - fade^(t decay4) / 2).
const (
	nadamFade  = 0.96
	nadamDecay = 0.004
)

func nadamShare(beta1 float64, t int) float64 {
	return beta1 * (1 - 0.5*math.Pow(nadamFade, float64(t)*nadamDecay))
}

// nadam looks one step ahead: the moment counts with the next step's share,
// the gradient with what this one's leaves [dozat16].
func nadam(o Options, s *State, rate, decay float64) update {
	now, next := nadamShare(o.Beta1, s.Steps), nadamShare(o.Beta1, s.Steps+1)
	product := 1.0 // of the shares up to this step
	for t := range s.Steps {
		if product < 1e-20 {
			break
		}
		product *= nadamShare(o.Beta1, t+1)
	}
	k := moments(o, s, rate, decay)
	k.Rate = float32(rate * next / (1 - product*next))
	k.Direct = float32(rate * (1 - now) / (1 - product))
	return k.Adam
}
