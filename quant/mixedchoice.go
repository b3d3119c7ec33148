package quant

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"pare/compress"
	"pare/ir"
	"pare/op"
)

// mixture is what Mixed chose.
type mixture struct {
	env       *compress.Env // tells layers their widths
	known     *importance   // nil for noise
	predicted float64       // growth of the loss
}

// choose finds the widths of all layers.
func (x *Mixed) choose(ctx context.Context, m *ir.Model, env *compress.Env) (*mixture, error) {
	if err := complete(ctx, m, env); err != nil {
		return nil, err
	}
	if _, err := op.Infer(m); err != nil {
		return nil, err
	}
	out := &mixture{}
	if x.Importance != "noise" {
		original := ir.CloneModel(m)
		var err error
		if out.known, err = learnImportance(ctx, m, env, x.Importance, x.Samples); err != nil {
			return nil, err
		}
		out.known.m = original
	}
	known := newEnergies(m, env)
	weights, plans, err := x.weightOffers(ctx, m, env, known, out.known)
	if err != nil {
		return nil, err
	}
	w, err := x.allocated(ctx, m, env, weights)
	if err != nil {
		return nil, err
	}
	for _, c := range weights {
		for _, o := range c.offers {
			if o.bits == w[c.nodes[0]] {
				out.predicted += o.noise
				break
			}
		}
	}
	var data []*choice
	if x.ABudget != 0 {
		if data, err = x.dataOffers(ctx, m, env, known, plans, w); err != nil {
			return nil, err
		}
	}
	a := allocate(data, x.ABudget)
	out.env = x.env(env, func(l *compress.Layer) int { return w[l.Node] }, func(l *compress.Layer) int { return a[l.Node] })
	return out, nil
}

// allocated spends the budget on the weights.
func (x *Mixed) allocated(ctx context.Context, m *ir.Model, env *compress.Env, weights []*choice) (map[*ir.Node]int, error) {
	if x.Importance == "noise" && x.Cost == "size" {
		return allocate(weights, x.Budget), nil
	}
	if err := x.price(ctx, m, env, weights); err != nil {
		return nil, err
	}
	budget := 0.0
	for _, c := range weights {
		if x.Cost == "time" {
			budget += x.Budget * c.cost(len(c.offers)-1)
		} else {
			budget += x.Budget * c.size
		}
	}
	w, ok := allocateExact(weights, budget)
	if !ok {
		env.Warn("the narrowest widths cost more than the budget=%v: all layers have them", x.Budget)
	}
	return w, nil
}

// price says what offers cost.
func (x *Mixed) price(ctx context.Context, m *ir.Model, env *compress.Env, weights []*choice) error {
	if x.Cost == "size" {
		return nil
	}
	layers := map[*ir.Node]*compress.Layer{}
	list := env.Layers(m)
	for i := range list {
		layers[list[i].Node] = &list[i]
	}
	a := dataBits(x.Base.Method)
	if x.Cost == "bops" {
		for _, c := range weights {
			c.size = work(layers[c.nodes[0]]) * float64(cmp.Or(a, compress.FloatBits))
		}
		return nil
	}
	return x.priceTime(ctx, m, env, weights, layers, a)
}

// priceTime measures. Layers that are not timed cost nothing.
func (x *Mixed) priceTime(ctx context.Context, m *ir.Model, env *compress.Env, weights []*choice, layers map[*ir.Node]*compress.Layer, a int) error {
	if env.Times == nil {
		return fmt.Errorf("cost=time: there is no means to measure times")
	}
	name := func(bits int) string {
		if a == 0 {
			return fmt.Sprintf("uniform(w=%d)", bits)
		}
		return fmt.Sprintf("w%da%d", bits, a)
	}
	widths, seen := []string{}, map[int]bool{}
	for _, c := range weights {
		for _, o := range c.offers {
			if !seen[o.bits] {
				seen[o.bits], widths = true, append(widths, name(o.bits))
			}
		}
	}
	times, err := env.Times(ctx, m, widths)
	if err != nil {
		return err
	}
	for _, c := range weights {
		for k := range c.offers {
			c.offers[k].cost = max(math.SmallestNonzeroFloat64, times[layers[c.nodes[0]].Name][name(c.offers[k].bits)])
		}
	}
	return nil
}

// check says how the growth of the loss that was predicted, layers being taken as
// independent, compares with what the network now shows.
func (c *mixture) check(ctx context.Context, m *ir.Model) error {
	if c.known == nil || c.known.labels == nil {
		return nil
	}
	grown, err := c.known.grown(ctx, m)
	if err != nil {
		return err
	}
	c.known.env.Step().Loss = &compress.Loss{Before: c.known.loss, Predicted: c.predicted, Measured: grown, Samples: c.known.samples}
	return nil
}
