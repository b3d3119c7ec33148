package kernel

import "math"

// Descent are the constants of a step of gradient descent with momentum: for gradient
// d = g + Decay·p the momentum is m = Momentum·m + d, and p falls by Rate·m, or with
// Nesterov by Rate·(d + Momentum·m).
type Descent struct {
	Rate, Decay, Momentum float32
	Nesterov              bool
}

// Run changes weights p and momenta m by gradients g, slices of one length.
func (s *Descent) Run(p, g, m []float32) {
	if n := len(p); n > 0 {
		pick(descentLoops)(p, g[:n], m[:n], s.Rate, s.Decay, s.Momentum, s.Nesterov)
	}
}

// Moments are the constants of a step of the family of Adam: for gradient
// d = g + Decay·p the moments are
//
//	m = Beta1·m + New1·d, v = Beta2·v + New2·d²
//
// and p = Shrink·p - (Rate·m + Direct·d)/(Unbias·√v + Epsilon). Of Adamax the second
// moment is max(Beta2·v, |d| + Epsilon), and p falls by Rate·m/v. Every operation is
// rounded, with the same bits on every machine. Assembly reads this struct by offset
// (TestArgsLayout).
type Moments struct {
	Rate, Decay, Shrink, Beta1, New1, Beta2, New2, Direct, Unbias, Epsilon float32
}

// Adam changes weights p and moments m and v by gradients g, slices of one length.
func (s *Moments) Adam(p, g, m, v []float32) {
	if n := len(p); n > 0 {
		pick(adamLoops)(p, g[:n], m[:n], v[:n], s)
	}
}

// Adamax is Adam with the largest gradient, fading, as the second moment.
func (s *Moments) Adamax(p, g, m, v []float32) {
	if n := len(p); n > 0 {
		pick(adamaxLoops)(p, g[:n], m[:n], v[:n], s)
	}
}

type (
	descentLoop func(p, g, m []float32, rate, decay, momentum float32, nesterov bool)
	adamLoop    func(p, g, m, v []float32, s *Moments)
)

var (
	descentLoops = append(archDescent, impl[descentLoop]{"f32_1_go", 0, descentGo})
	adamLoops    = append(archAdam, impl[adamLoop]{"f32_1_go", 0, adamGo})
	adamaxLoops  = append(archAdamax, impl[adamLoop]{"f32_1_go", 0, adamaxGo})
)

func descentGo(p, g, m []float32, rate, decay, momentum float32, nesterov bool) {
	for i, x := range p {
		d := g[i] + float32(decay*x)
		m[i] = float32(momentum*m[i]) + d
		step := m[i]
		if nesterov {
			step = d + float32(momentum*m[i])
		}
		p[i] = x - float32(rate*step)
	}
}

func adamGo(p, g, m, v []float32, s *Moments) {
	for i, x := range p {
		d := g[i] + float32(s.Decay*x)
		m[i] = float32(s.Beta1*m[i]) + float32(s.New1*d)
		v[i] = float32(s.Beta2*v[i]) + float32(s.New2*float32(d*d))
		root := float32(math.Sqrt(float64(v[i])))
		step := float32(s.Rate*m[i]) + float32(s.Direct*d)
		p[i] = float32(s.Shrink*x) - step/(float32(s.Unbias*root)+s.Epsilon)
	}
}

func adamaxGo(p, g, m, v []float32, s *Moments) {
	for i, x := range p {
		d := g[i] + float32(s.Decay*x)
		m[i] = float32(s.Beta1*m[i]) + float32(s.New1*d)
		v[i] = max(float32(s.Beta2*v[i]), abs32(d)+s.Epsilon)
		p[i] = x - float32(s.Rate*m[i])/v[i]
	}
}
