package op

import (
	"fmt"
	"math"

	"pare/tensor"
)

// fakePowerQuantizeDef is FakePowerQuantize(x, scale, codes, levels): the level,
// times the scale, that x gets on a power grid (PowerQuant, [yvinec23, arXiv:2301.09858]). levels,
// ascending, are what the codes stand for in units of the scale, one positive
// number; codes, Uint8, are those of len(codes) points that lie evenly from the
// least to the largest level. x counts as the point next to it, as it does in
// deployment: at trunc(clip(x*factor + offset)), each operation rounded to the type
// of x, Float32 or Float64. NaN stays NaN.
//
// Gradients pass between the least and the largest level, and that of the scale is
// LSQ's [esser20], times the attribute scale_gradient.
var fakePowerQuantizeDef = Def{
	Name: "FakePowerQuantize", Domain: TrainingDomain, Versions: []int{1}, In: Arity{4, 4}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		x, s := c.reals(0), c.positive(1)
		codes, levels := c.Need(2), c.reals(3)
		kind, round := c.single(0)
		c.needLen(1, 1)
		if codes.Type != tensor.Uint8 {
			return unsupported(codes.Type)
		}
		grid, err := NewPowerGrid(tensor.Data[uint8](codes), levels)
		if err != nil {
			return err
		}
		factor, offset := grid.Line(s[0])
		factor, offset = round(factor), round(offset)
		y := c.zeros(c.Need(0).Shape...)
		for i, v := range x {
			u := round(round(v*factor) + offset)
			y[i] = u
			if u == u {
				y[i] = round(levels[grid.codes[int(min(max(u, 0), grid.last))]] * s[0])
			}
		}
		c.rounded(0, kind, c.Need(0).Shape, y)
		return nil
	},
}

// PowerGrid holds the tables of FakePowerQuantize.
type PowerGrid struct {
	codes             []uint8
	least, step, last float64
}

// NewPowerGrid checks the tables: at least two points and levels, levels ascending,
// every code that of a level.
func NewPowerGrid(codes []uint8, levels []float64) (*PowerGrid, error) {
	if len(codes) < 2 || len(levels) < 2 {
		return nil, fmt.Errorf("%d points and %d levels are no grid", len(codes), len(levels))
	}
	for i, l := range levels {
		if i > 0 && !(levels[i-1] <= l) || math.IsInf(l, 0) {
			return nil, fmt.Errorf("levels do not ascend from %d on", i)
		}
	}
	for i, q := range codes {
		if int(q) >= len(levels) {
			return nil, fmt.Errorf("point %d has code %d of %d levels", i, q, len(levels))
		}
	}
	g := &PowerGrid{codes: codes, least: levels[0], last: float64(len(codes) - 1)}
	g.step = (levels[len(levels)-1] - levels[0]) / g.last
	if g.step == 0 {
		return nil, fmt.Errorf("all levels are %g", g.least)
	}
	return g, nil
}

// Line is the straight line on which a number's point lies, x*factor + offset, 0 for
// the first point; its integer part is the index.
func (g *PowerGrid) Line(scale float64) (factor, offset float64) {
	return 1 / (g.step * scale), math.RoundToEven(-g.least/g.step) + 0.5
}
