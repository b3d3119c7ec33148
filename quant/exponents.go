package quant

import (
	"context"

	"pare/format"
)

// exponents sets the exponent of every plan on a power grid.
func (q *PowerQuant) exponents(ctx context.Context, w *weights, plans []plan) error {
	var powers []*plan
	for i := range plans {
		if plans[i].spec.Kind == format.Power {
			powers = append(powers, &plans[i])
		}
	}
	if len(powers) == 0 {
		return nil
	}
	if q.Exponent == "layer" {
		return q.exponentsByLayer(ctx, w, powers)
	}
	a, fixed := q.fixed()
	if !fixed {
		var err error
		if a, err = q.search(ctx, w, powers); err != nil {
			return err
		}
	}
	for _, p := range powers {
		p.spec.Exponent = a
	}
	w.env.Step().Exponent = a
	return nil
}

func (q *PowerQuant) exponentsByLayer(ctx context.Context, w *weights, plans []*plan) error {
	for _, p := range plans {
		h, err := q.histogram(ctx, p, w.env.Threads)
		if err != nil {
			return err
		}
		var border bool
		part := []format.Part{{Histogram: h, Bits: p.spec.Bits}}
		if p.spec.Exponent, border = format.Search(part, q.Norm, q.rounding(), solvers[q.Solver]); border && !w.trial {
			w.env.Warn("%s: the exponent %v is at the border of the search: its weights are not bell-shaped", p.layer.Name, p.spec.Exponent)
		}
	}
	return nil
}

func (q *PowerQuant) histogram(ctx context.Context, p *plan, threads int) (*format.Histogram, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	by := format.Squared
	if q.Objective == "relative" {
		by = format.Normalised
	}
	h, err := format.NewHistogram(float32s(p.layer.Weight.Const), p.spec, by, threads)
	if err != nil {
		return nil, layerError(p.layer, err)
	}
	return h, nil
}

// search finds the exponent of the network from the weights of each width.
func (q *PowerQuant) search(ctx context.Context, w *weights, plans []*plan) (float64, error) {
	merged := map[int]*format.Histogram{}
	for _, p := range plans {
		h, err := q.histogram(ctx, p, w.env.Threads)
		if err != nil {
			return 0, err
		}
		if b := p.spec.Bits; merged[b] == nil {
			merged[b] = h
		} else {
			merged[b].Merge(h, 1)
		}
	}
	var parts []format.Part
	for b := 2; b <= 8; b++ {
		if merged[b] != nil {
			parts = append(parts, format.Part{Histogram: merged[b], Bits: b})
		}
	}
	a, border := format.Search(parts, q.Norm, q.rounding(), solvers[q.Solver])
	if border && !w.trial {
		w.env.Warn("the exponent %v is at the border of the search: the weights are not bell-shaped", a)
	}
	return a, nil
}
