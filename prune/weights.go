package prune

import (
	"context"
	"fmt"
	"math"

	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// ofWeights scores the weights of a layer one by one, all being scaled at once.
func (g *gauge) ofWeights(ctx context.Context, m *ir.Model, v *ir.Value) ([]float64, error) {
	w := tensor.Float32s(v.Const)
	s := &strand{value: v, units: []int{0}, inner: len(w), part: w, rest: make([]float32, len(w))}
	scores := make([]float64, len(w))
	return scores, g.walk(ctx, m, []*strand{s}, -1, func(t float64) {
		for i, x := range w {
			weight, slope := t*float64(x), float64(s.param.Grad[i])
			scores[i] += g.row.gather(math.Abs(g.row.entry(weight, slope)), weight*slope)
		}
	})
}

// sparse sets weights to 0, at once or layer by layer with training in between.
func (c *course) sparse(ctx context.Context) error {
	if _, err := op.Infer(c.m); err != nil {
		return err
	}
	if err := compress.Finite(c.m); err != nil {
		return err
	}
	list := zeroable(c.m, c.env)
	if c.Rate > 0 && len(list) > 0 {
		if err := c.zero(ctx, list); err != nil {
			return err
		}
	}
	c.reportZeros(c.env, list)
	return nil
}

// zero does so for some layers.
func (c *course) zero(ctx context.Context, list []*zeroed) error {
	if err := c.prepare(ctx, c.m, c.env); err != nil {
		return err
	}
	passes := len(list) * len(c.lessons)
	if relevances[c.name].path {
		passes *= c.Steps + 1
	}
	c.budget(passes, passes)
	for _, z := range list {
		if err := c.scoreWeights(ctx, z); err != nil {
			return err
		}
	}
	c.cutAll(list)
	if c.Epochs == 0 || !c.Entwine {
		for _, z := range list {
			if err := z.apply(c.m); err != nil {
				return err
			}
		}
	}
	if c.Epochs == 0 {
		return nil
	}
	if err := c.enrol(ctx); err != nil {
		return err
	}
	if c.Entwine {
		if err := c.zeroInTurn(ctx, list); err != nil {
			return err
		}
	}
	return c.finish(ctx)
}

// zeroInTurn sets weights of one layer after the other to 0, and trains in between.
func (c *course) zeroInTurn(ctx context.Context, list []*zeroed) error {
	if c.Order == "backward" {
		list = reversed(list)
	}
	for i, z := range list {
		var s stage
		err := c.stage(ctx, "layer "+z.layer.Name, &s, c.until(i, len(list)), func() error {
			if err := c.trainer.Store(); err != nil {
				return err
			}
			n := z.goes()
			if err := c.scoreWeights(ctx, z); err != nil {
				return err
			}
			z.ties = 0
			cut([]*zeroed{z}, float64(n)/float64(len(z.scores)))
			if err := z.apply(c.m); err != nil {
				return err
			}
			return c.trainer.Exchange(nil)
		}, func() error { return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// scoreWeights ranks the weights of a layer by now.
func (c *course) scoreWeights(ctx context.Context, z *zeroed) (err error) {
	switch w := tensor.Float32s(z.layer.Weight.Const); c.name {
	case "magnitude":
		z.scores = make([]float64, len(w))
		for i, x := range w {
			z.scores[i] = math.Abs(float64(x))
		}
	case "random":
		z.scores = uniform(c.env, z.layer.Name, len(w))
	default:
		if z.scores, err = c.gauge().ofWeights(ctx, c.m, z.layer.Weight); err != nil {
			return fmt.Errorf("%v: %w", z.layer.Node, err)
		}
	}
	return context.Cause(ctx)
}
