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
	list, err := q.sites(ctx, m, env, layers)
	if err != nil {
		return err
	}
	errs := make([]error, len(list))
	par.Each(len(list), env.Threads, func(i int) {
		if errs[i] = context.Cause(ctx); errs[i] == nil {
			q.find(list[i], options)
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
func (q *Settings) sites(ctx context.Context, m *ir.Model, env *compress.Env, layers []compress.Layer) ([]*choice, error) {
	known, err := newStatistics(ctx, m, env, q.Needs(m, env))
	if err != nil {
		return nil, err
	}
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
		s.metric = q.metric(s, known.seen[l.Node.In[0]])
		list = append(list, &choice{site: s})
	}
	return list, nil
}

// find lists the options of a layer, the layer as it is first.
func (q *Settings) find(c *choice, options func(s *site) []option) {
	c.options = append([]option{newOption("whole", 0, []work{c.site.work()})}, options(c.site)...)
	if len(c.options) == 1 {
		c.why = "no rank saves " + q.savings()
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
		BytesBefore: before, BytesAfter: before * o.params / c.site.params(), ErrorBefore: rootOf(o.lost), ErrorAfter: rootOf(ch.lost),
		Reason: fmt.Sprintf("%.0f %% of its multiply-accumulates and %.0f %% of its parameters are left", 100*float64(o.macs)/float64(c.site.macs), 100*float64(o.params)/float64(c.site.params())),
	})
	return nil
}

func rootOf(x float64) float64 { return math.Sqrt(max(0, x)) }
