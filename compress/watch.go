package compress

import (
	"context"
	"fmt"

	"pare/cost"
	"pare/ir"
)

// watch follows a run from step to step: what the network costs, and what became
// of its outputs.
type watch struct {
	counter  *cost.Counter
	threads  int
	reduces  bool // the recipe has steps that reduce: all is counted after each
	report   *Report
	cost     *cost.Count // of the network as it is
	layers   int         // of the report that are seen to
	probe    *probe      // nil for recipes without steps that reduce, and where outputs cannot be had
	reducing bool        // a step that reduces was run
}

func (r *Recipe) newWatch(ctx context.Context, m *ir.Model, o Options, rep *Report) (*watch, error) {
	w := &watch{counter: o.Counter, threads: o.Threads, reduces: r.reduces(), report: rep}
	if w.counter == nil {
		w.counter = new(cost.Counter)
	}
	w.cost = w.counter.Of(m, o.Threads)
	rep.Before = w.cost.Totals
	if !w.reduces {
		return w, nil
	}
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
	was, is := byName(before), byName(w.cost)
	for ; w.layers < len(w.report.Layers); w.layers++ {
		l := &w.report.Layers[w.layers]
		l.Before, l.After = was[l.Name], parts(l, is)
	}
	w.reducing = w.reducing || kindOf(method).reduces()
	if w.probe != nil && w.reducing {
		step.Output, err = w.probe.compare(ctx, m)
	}
	return err
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

// parts is the cost of what a layer became.
func parts(l *LayerReport, is map[string]*LayerCost) *LayerCost {
	if l.Parts == nil {
		return is[l.Name]
	}
	var sum *LayerCost
	for _, name := range l.Parts {
		if c := is[name]; c != nil && sum == nil {
			first := *c
			sum = &first
		} else if c != nil {
			sum.add(c)
		}
	}
	return sum
}

// add adds what a layer behind costs.
func (c *LayerCost) add(o *LayerCost) {
	c.Channels = o.Channels
	c.Totals.Add(o.Totals)
	c.Reuse.Add(o.Reuse)
}
