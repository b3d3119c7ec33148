package quant

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/op"
)

// activations is the part of methods that quantises what layers read: which
// width, which range, where.
type activations struct {
	bits, edges int     // widths of the data, of the first and last layers
	clip        string  // how ranges are taken from data: max, mse, percentile
	percentile  float64 // with clip=percentile
	deviations  float64 // within ranges without data, 0 for the usual
	regions     bool    // quantise what lies between layers as well
	// exponent is that of the power grid that a layer wants its data on, 0 for an
	// evenly spaced one; nil for all of them evenly spaced.
	exponent func(l *compress.Layer) float64
	rounding format.Rounding // on power grids
	top      int             // their largest level, 0 for the usual
}

func (u *activations) validate() error {
	switch {
	case u.bits != 0 && (u.bits < 2 || u.bits > 8):
		return fmt.Errorf("a=%d is neither 0 nor in 2..8", u.bits)
	case u.percentile <= 50 || u.percentile > 100:
		return fmt.Errorf("apercentile=%v is not in (50, 100]", u.percentile)
	case u.deviations != 0 && (u.deviations < 1 || u.deviations > 20):
		return fmt.Errorf("k=%v is neither 0 nor in 1..20", u.deviations)
	}
	return nil
}

// needs lists all values that could be quantised.
func (u *activations) needs(m *ir.Model, env *compress.Env) []calib.Request {
	layers := map[*ir.Node]reader{}
	for _, l := range env.Layers(m) {
		if l.Reason == "" || l.SharesWith != "" {
			readers(layers, &l, u.width(&l))
		}
	}
	if len(layers) == 0 {
		return nil
	}
	if _, err := op.Infer(m); err != nil {
		return nil // Apply reports it
	}
	var out []calib.Request
	for _, v := range place(m, layers, u.regions, anyRange).order {
		out = append(out, calib.Request{Value: v, Axis: -1})
	}
	return out
}

// place finds the grids of the data of planned layers, and of what lies between
// them; nil when all stay float.
func (u *activations) place(ctx context.Context, m *ir.Model, env *compress.Env, plans []plan) (*placement, error) {
	acts, err := u.grids(ctx, m, env, plans)
	if acts == nil || err != nil {
		return nil, err
	}
	step := env.Step()
	step.Activations, step.Floats = len(acts.order), acts.floats
	if n := len(acts.floats); n > 0 && env.Observed == nil {
		env.Warn("%d activations stay in float (the report says why); data to calibrate on would give their ranges", n)
	}
	return acts, nil
}

// grids is place without a word in the report.
func (u *activations) grids(ctx context.Context, m *ir.Model, env *compress.Env, plans []plan) (*placement, error) {
	layers := u.readers(m, env, plans)
	if len(layers) == 0 {
		return nil, nil
	}
	if err := complete(ctx, m, env); err != nil {
		return nil, err
	}
	acts := place(m, layers, u.regions, u.ranges(m, env))
	acts.rounding, acts.top = u.rounding, u.top
	return acts, nil
}

// widened: a layer whose data are given 8 bits where others have fewer. These lose
// little to even spacing, which integer kernels want.
func (u *activations) widened(l *compress.Layer) bool {
	return l.ActivationBits == wide && u.bits < wide
}

// readers lists the layers whose data are to be quantised: those with plans, and
// those that share weights with them.
func (u *activations) readers(m *ir.Model, env *compress.Env, plans []plan) map[*ir.Node]reader {
	out, planned := map[*ir.Node]reader{}, map[string]*compress.Layer{}
	add := func(l, weights *compress.Layer) {
		readers(out, l, u.width(l))
		if r, ok := out[l.Node]; ok && u.exponent != nil && !u.widened(l) {
			r.exponent = u.exponent(weights)
			out[l.Node] = r
		}
	}
	for _, p := range plans {
		add(p.layer, p.layer)
		planned[p.layer.Name] = p.layer
	}
	for _, l := range env.Layers(m) {
		if other := planned[l.SharesWith]; other != nil {
			add(&l, other)
		}
	}
	return out
}

// width is the width of what a layer reads, 0 for float.
func (u *activations) width(l *compress.Layer) int {
	switch {
	case l.ActivationBits == compress.FloatBits:
		return 0
	case l.ActivationBits != 0:
		return l.ActivationBits
	case u.bits != 0 && u.edges != 0 && l.Edge:
		return u.edges
	}
	return u.bits
}
