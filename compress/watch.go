package compress

import (
	"context"
	"fmt"
	"strings"

	"pare/cost"
	"pare/ir"
)

// watch follows a run from step to step: what the network costs, and what became
// of its outputs.
type watch struct {
	counter  cost.Counter
	threads  int
	reduces  bool // the recipe has steps that reduce: all is counted after each
	report   *Report
	cost     *cost.Count      // of the network as it is
	first    chan cost.Totals // before the first step, counted beside the steps; nil where it is known
	layers   int              // of the report that are seen to
	probe    *probe           // nil for recipes without steps that reduce, and where outputs cannot be had
	reducing bool             // a step that reduces was run
}

func (r *Recipe) newWatch(ctx context.Context, m *ir.Model, o Options, rep *Report) (*watch, error) {
	w := &watch{threads: o.Threads, reduces: r.reduces(), report: rep}
	if !w.reduces {
		w.cost = cost.Quick(m)
		w.first = later(m)
		return w, nil
	}
	w.cost = w.counter.Of(m, o.Threads)
	var err error
	if w.probe, err = newProbe(ctx, m, o); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("what the steps do to the outputs is not measured: %v", err))
	}
	return w, nil
}

// after takes in what a step did; last says that none follows.
func (w *watch) after(ctx context.Context, m *ir.Model, method Method, step *StepReport, last bool) (err error) {
	before := w.cost
	if w.reduces || last {
		w.cost = w.counter.Of(m, w.threads)
	} else {
		w.cost = cost.Quick(m)
	}
	step.Before, step.After = before.Totals, w.cost.Totals
	step.BytesBefore, step.BytesAfter = before.Bytes, w.cost.Bytes
	if !w.reduces {
		return nil
	}
	w.attribute(before)
	w.reducing = w.reducing || kindOf(method).Reduces()
	if w.probe != nil && w.reducing {
		step.Output, err = w.probe.compare(ctx, m)
	}
	return err
}

// attribute says of every layer of the step what it cost before and costs now.
func (w *watch) attribute(before *cost.Count) {
	was, is := byName(before), byName(w.cost)
	layers := w.report.Layers[w.layers:]
	w.layers += len(layers)
	own := partsOf(layers, was, w.cost)
	for i := range layers {
		l := &layers[i]
		l.Before, l.After = was[l.Name], is[l.Name]
		if l.Parts == nil && len(own[l.Name]) > 1 {
			l.Parts = own[l.Name]
		}
		if l.Parts != nil {
			l.After = sum(l.Parts, is)
		}
	}
}

// partsOf finds what layers became: themselves and nodes that are new and named
// after them, in the order in which they compute.
func partsOf(layers []LayerReport, was map[string]*LayerCost, now *cost.Count) map[string][]string {
	out := map[string][]string{}
	for _, n := range now.Layers {
		owner := ""
		for _, l := range layers {
			named := n.Name == l.Name || was[n.Name] == nil && strings.HasPrefix(n.Name, l.Name)
			if named && len(l.Name) > len(owner) {
				owner = l.Name
			}
		}
		out[owner] = append(out[owner], n.Name)
	}
	delete(out, "")
	return out
}

// later counts a network while it is changed: constants stay what they are.
func later(m *ir.Model) chan cost.Totals {
	out, own := make(chan cost.Totals, 1), ir.CloneModel(m)
	go func() { out <- new(cost.Counter).Of(own, 1).Totals }()
	return out
}

// finish fills in what the recipe as a whole did. It must be called whatever
// happened, as constants may go when a run has ended.
func (w *watch) finish() {
	steps := w.report.Steps
	if w.first != nil {
		first := <-w.first
		if len(steps) > 0 {
			steps[0].Before = first
		}
	}
	if len(steps) > 0 {
		w.report.Before, w.report.After = steps[0].Before, steps[len(steps)-1].After
	}
}

// byName are the costs of layers; of layers of one name it is the sum.
func byName(c *cost.Count) map[string]*LayerCost {
	out := map[string]*LayerCost{}
	for _, l := range c.Layers {
		own := &LayerCost{l.Inputs, l.Channels, l.Totals, l.Reuse}
		if other := out[l.Name]; other != nil {
			other.add(own)
			continue
		}
		out[l.Name] = own
	}
	return out
}

// sum is the cost of several nodes, nil where none is known.
func sum(names []string, is map[string]*LayerCost) (out *LayerCost) {
	for _, name := range names {
		if c := is[name]; c != nil && out == nil {
			first := *c
			out = &first
		} else if c != nil {
			out.add(c)
		}
	}
	return out
}

// add adds what a layer behind costs.
func (c *LayerCost) add(o *LayerCost) {
	c.Channels = o.Channels
	c.Totals.Add(o.Totals)
	c.Reuse.Add(o.Reuse)
}

// SizeOf is what the constants of a model amount to; nothing else is counted.
func SizeOf(m *ir.Model) (t cost.Totals) {
	t.Params, t.Bytes = cost.Stored(m)
	return t
}
