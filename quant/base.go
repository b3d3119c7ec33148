package quant

import (
	"context"

	"pare/calib"
	"pare/compress"
	"pare/ir"
)

// base is a method that encodes the weights of layers one by one, and so can
// make the first order of an expansion.
type base interface {
	compress.Method
	// weights chooses the formats of layers and encodes them.
	weights(m *ir.Model, env *compress.Env) *weights
	// tune completes the plans with what they have in common.
	tune(ctx context.Context, w *weights, plans []plan) error
	// edges is the width of the first and last layers, 0 for that of the others.
	edges() int
}

func (u *Uniform) tune(context.Context, *weights, []plan) error { return nil }

func (u *Uniform) edges() int { return u.Edges }

func (q *PowerQuant) tune(ctx context.Context, w *weights, plans []plan) error {
	return q.exponents(ctx, w, plans)
}

func (q *PowerQuant) edges() int { return q.Edges }

// apply encodes all layers as b wants it.
func (w *weights) apply(ctx context.Context, b base) error {
	if err := w.raise(); err != nil {
		return err
	}
	plans, err := w.plans()
	if err != nil {
		return err
	}
	if err := b.tune(ctx, w, plans); err != nil {
		return err
	}
	for _, p := range plans {
		if _, err := w.encode(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// quantiser is a base that quantises data, too.
type quantiser interface {
	// data describes the activations of layers with the given plans.
	data(plans []plan) *activations
	// activations places their grids and notes their widths in the plans; nil when
	// activations stay float.
	activations(ctx context.Context, m *ir.Model, env *compress.Env, plans []plan) (*placement, error)
}

// baseNeeds are the requests of a base.
func baseNeeds(b base, m *ir.Model, env *compress.Env) []calib.Request {
	if c, ok := b.(compress.Calibrated); ok {
		return c.Needs(m, env)
	}
	return nil
}

// perChannel adds requests to others; values in both are observed by channel.
func perChannel(out, more []calib.Request) []calib.Request {
	asked := map[*ir.Value]int{}
	for i, q := range out {
		asked[q.Value] = i
	}
	for _, q := range more {
		if i, ok := asked[q.Value]; ok {
			out[i].Axis = q.Axis
			continue
		}
		asked[q.Value] = len(out)
		out = append(out, q)
	}
	return out
}
