package op

import "math"

// The bounds that AdaRound stretches the sigmoid to before it is clipped to [0, 1].
const (
	roundLow  = -0.1
	roundHigh = 1.1
)

// softRoundDef is SoftRound(below, above, v, scale), weights whose rounding is
// learned (AdaRound, [nagel20, arXiv:2004.10568]): scale * (below + h(v)*(above-below)) with
// h(v) = clip(1.2*sigmoid(v) - 0.1, 0, 1). below and above are the levels next to
// each weight in units of the scale, less the zero point: neighbouring integers on a
// uniform grid, entries of a table on another, the same twice where the grid ends.
// With the attribute hard, h is 1 where v >= 0, else 0. All operands have one type,
// Float32 or Float64; scales are as in FakeQuantize.
//
// Gradients of v are those of the soft form in both.
var softRoundDef = Def{
	Name: "SoftRound", Domain: TrainingDomain, Versions: []int{1}, In: Arity{4, 4}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		c.Set(0, c.In[2])
		return nil
	},
	Eval: func(c *Eval) error {
		shape := c.needShape(2, c.Need(0).Shape...).Shape
		c.needShape(1, shape...)
		below, above, v, scale := c.reals(0), c.reals(1), c.reals(2), c.positive(3)
		kind, round := c.single(2)
		h := rectified
		if c.Node.Int("hard", 0) != 0 {
			h = step
		}
		y := c.zeros(shape...)
		c.eachScale(2, 3, func(i, k int) {
			y[i] = scale[k] * round(below[i]+h(v[i])*(above[i]-below[i]))
		})
		c.rounded(0, kind, shape, y)
		return nil
	},
}

func rectified(v float64) float64 {
	return min(max(sigmoid(v)*(roundHigh-roundLow)+roundLow, 0), 1)
}

// step is rectified, rounded.
func step(v float64) float64 {
	switch {
	case v >= 0:
		return 1
	case v < 0:
		return 0
	}
	return v
}

// powerLatentDef is PowerLatent(v, scale, alpha), weights on a power grid of which
// codes and exponent are learned (NUPES, [yvinec25, arXiv:2308.05600]): scale * sign(q) * top *
// (|q|/n)^(1/a) with q = clip(round(v), -n, n), halves to even, and
// a = least + (most-least)*sigmoid(alpha), one number. Attributes n (7), least (0.2),
// most (1), top (1). Where top is above 1, levels are rounded to integers as formats
// store them. With the attribute beta above 0, a smooth staircase takes the place of
// rounding, the steeper the larger beta, and levels are not rounded. Operands have one
// type, Float32 or Float64; scales are as in FakeQuantize.
//
// Gradients of v and alpha are those of the free latent form, straight-through.
var powerLatentDef = Def{
	Name: "PowerLatent", Domain: TrainingDomain, Versions: []int{1}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		v, scale := c.reals(0), c.positive(1)
		kind, round := c.single(0)
		c.needLen(2, 1)
		n, top, beta := c.latent()
		a := LatentExponent(c.reals(2)[0], float64(c.Node.Float("least", 0.2)), float64(c.Node.Float("most", 1)))
		y := c.zeros(c.Need(0).Shape...)
		c.eachScale(0, 1, func(i, k int) {
			q := math.RoundToEven(v[i])
			if beta > 0 {
				q = staircase(v[i], beta)
			}
			q = min(max(q, -n), n)
			level := top * math.Pow(math.Abs(q)/n, 1/a)
			if beta == 0 && top > 1 {
				level = math.RoundToEven(level)
			}
			y[i] = scale[k]*round(math.Copysign(level, q)) + 0
		})
		c.rounded(0, kind, c.Need(0).Shape, y)
		return nil
	},
}

// latent reads the grid of a PowerLatent.
func (c *Eval) latent() (n, top, beta float64) {
	n, top, beta = float64(c.Node.Int("n", 7)), float64(c.Node.Int("top", 1)), float64(c.Node.Float("beta", 0))
	if n < 1 || top < 1 || !(beta >= 0) {
		refuse("n is %g, top is %g, beta is %g", n, top, beta)
	}
	return n, top, beta
}

// LatentExponent is the exponent, between least and most, that PowerLatent's alpha
// stands for.
func LatentExponent(alpha, least, most float64) float64 {
	return least + (most-least)*sigmoid(alpha)
}

// staircase is continuous and increasing: the identity as beta approaches 0,
// rounding as it grows.
func staircase(v, beta float64) float64 {
	floor := math.Floor(v)
	low := sigmoid(-beta / 2)
	return floor + (sigmoid(beta*(v-floor-0.5))-low)/(1-2*low)
}
