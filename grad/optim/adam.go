package optim

import (
	"math"

	"pare/kernel"
)

// adam is [kingma15], algorithm 1.
func adam(o Options, s *State, rate, decay float64) update {
	return moments(o, s, rate, decay).Adam
}

// moments are the constants of a step: both moments are means that begin at zero,
// which the factors of the step correct.
func moments(o Options, s *State, rate, decay float64) *kernel.Moments {
	t := float64(s.Steps)
	return &kernel.Moments{
		Rate: float32(rate / (1 - math.Pow(o.Beta1, t))), Decay: float32(decay), Shrink: 1,
		Beta1: float32(o.Beta1), New1: float32(1 - o.Beta1),
		Beta2: float32(o.Beta2), New2: float32(1 - o.Beta2),
		Unbias: float32(1 / math.Sqrt(1-math.Pow(o.Beta2, t))), Epsilon: float32(o.Epsilon),
	}
}

// adamw takes the decay out of the gradient and shrinks weights by it [loshchilov19].
func adamw(o Options, s *State, rate, decay float64) update {
	k := moments(o, s, rate, 0)
	k.Shrink = float32(1 - rate*decay)
	return k.Adam
}

// adamax is [kingma15], algorithm 2: the mean gradient is divided by the largest one,
// which fades. Epsilon keeps weights that never had a gradient where they are.
func adamax(o Options, s *State, rate, decay float64) update {
	return moments(o, s, rate, decay).Adamax
}
