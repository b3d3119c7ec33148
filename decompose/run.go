package decompose

import (
	"context"
	"fmt"
	"math"

	"pare/compress"
	"pare/internal/fault"
	"pare/internal/par"
	"pare/ir"
	"pare/op"
)

// run decomposes the layers of a model: options lists the ways to write one.
func run(ctx context.Context, m *ir.Model, env *compress.Env, q *Settings, options func(s *site) []option) error {
	if _, err := op.Infer(m); err != nil {
		return err
	}
	layers := env.Layers(m)
	list, err := q.sites(m, env, layers)
	if err != nil {
		return err
	}
	errs := make([]error, len(list))
	par.Each(len(list), env.Threads, func(i int) {
		if errs[i] = context.Cause(ctx); errs[i] == nil {
			list[i].find(options)
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if err := q.choose(m, list); err != nil {
		return err
	}
	chains := make([]*chain, len(list))
	par.Each(len(list), env.Threads, func(i int) {
		if c := list[i]; c.chosen > 0 && context.Cause(ctx) == nil {
			chains[i] = c.options[c.chosen].make()
		}
	})
	if err := context.Cause(ctx); err != nil {
		return err
	}
	for i, c := range list {
		if err := q.write(m, env, c, chains[i]); err != nil {
			return fault.AtNode(c.site.layer.Node, err)
		}
	}
	_, err = op.Infer(m)
	return err
}

// sites lists the layers that may have a chain and reports the others.
func (q *Settings) sites(m *ir.Model, env *compress.Env, layers []compress.Layer) ([]*choice, error) {
	known := newStatistics(m, env)
	var list []*choice
	for i := range layers {
		l := &layers[i]
		s, why, err := siteOf(l)
		if err != nil {
			return nil, err
		}
		if why != "" {
			env.Skip(l, why)
			continue
		}
		s.input = known.of(l.Node.In[0], dataAxis(l), s.in)
		s.metric = q.metric(s)
		list = append(list, &choice{site: s})
	}
	return list, nil
}

// find lists the options of a layer that save multiply-accumulates and parameters.
func (c *choice) find(options func(s *site) []option) {
	whole := option{name: "whole", macs: c.site.macs, params: c.site.params()}
	c.options = []option{whole}
	for _, o := range options(c.site) {
		if o.macs < whole.macs && o.params < whole.params {
			c.options = append(c.options, o)
		}
	}
	if len(c.options) == 1 {
		c.why = "no rank saves multiply-accumulates and parameters"
	}
}

// write puts the chain in the layer's place and reports it.
func (q *Settings) write(m *ir.Model, env *compress.Env, c *choice, ch *chain) error {
	l := c.site.layer
	if ch == nil {
		env.Skip(l, c.why)
		return nil
	}
	o := c.options[c.chosen]
	before := int64(len(l.Weight.Const.Bytes()))
	p := ir.NewPatch(m.Graph, "decompose "+l.Node.String())
	if ch.missing != nil && q.Correct && biasOf(l) != nil {
		if err := c.site.correct(p, m.Graph, ch.missing); err != nil {
			return err
		}
	}
	if err := c.site.write(p, m.Graph, ch.links, ch.between); err != nil {
		return err
	}
	if err := p.Apply(); err != nil {
		return err
	}
	env.Done(compress.LayerReport{
		Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: o.name, Bits: l.Weight.Const.Type.Bits(), Params: int(o.params),
		BytesBefore: before, BytesAfter: before * o.params / c.site.params(), ErrorAfter: rootOf(o.lost),
		Reason: fmt.Sprintf("%.0f %% of its multiply-accumulates and %.0f %% of its parameters are left", 100*float64(o.macs)/float64(c.site.macs), 100*float64(o.params)/float64(c.site.params())),
	})
	return nil
}

func rootOf(x float64) float64 { return math.Sqrt(max(0, x)) }
