package quant

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"pare/calib"
	"pare/compress"
	"pare/format"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "powerquant",
		Kind: compress.Quantising,
		Doc:  "store weights, and activations when a is given, on levels that are powers of evenly spaced numbers, finer near zero",
		Ref:  "[yvinec23] PowerQuant: Automorphism Search for Non-Uniform Quantization, arXiv:2301.09858",
		New:  func() compress.Method { return newPowerQuant(4) },
	})
}

// newPowerQuant is the method with w bits and defaults for the rest.
func newPowerQuant(w int) *PowerQuant {
	return &PowerQuant{
		W: w, Exponent: "network", Solver: "golden", Norm: 2, Objective: "squared", Rounding: "nearest", Granularity: "channel",
		Range: "max", AExponent: "weights", ARange: "mse", APercentile: 99.99, Regions: true, Store: packed,
	}
}

// PowerQuant quantises weights, and activations, to power grids [yvinec23].
type PowerQuant struct {
	W           int     `json:"w" doc:"bits of the weights, 2 to 8"`
	A           int     `json:"a" doc:"bits of the data that layers read, 2 to 8; 0 leaves it in float"`
	Exponent    string  `json:"exponent" doc:"one searched exponent for the network or per layer, or a number" values:"network|layer|number"`
	Solver      string  `json:"solver" doc:"how the exponent is searched: on a grid, then by golden section, or from 0.5 by Nelder and Mead's simplex" values:"golden|simplex"`
	Norm        float64 `json:"norm" doc:"norm of the weight error that the exponent minimises"`
	Objective   string  `json:"objective" doc:"what is summed over channels: squared errors, or errors relative to the channel" values:"squared|relative"`
	Rounding    string  `json:"rounding" doc:"code of the nearest level, rounded in the power domain, or the nearest but for some, so that errors of a kernel and a channel add up to less (SQuant, arXiv:2202.07471)" values:"nearest|power|squant"`
	Granularity string  `json:"granularity" doc:"which weights share a scale" values:"channel|tensor"`
	Range       string  `json:"range" doc:"largest level: the largest weight, or clipped by least squares" values:"max|mse"`
	Top         int     `json:"top" doc:"largest level, an integer as all of them: up to 127 lets integer kernels take weights and activations of up to 7 bits, whose levels then reach 127, or 255 where none is negative; 0 for 48 for weights and 127 for activations of up to 5 bits, 32767 above"`
	AExponent   string  `json:"aexponent" doc:"exponent of activations: that of the weights that read them, or a number; 1 for evenly spaced" values:"weights|number"`
	ARange      string  `json:"arange" doc:"range of activations, with data: all seen, or clipped by least squares or percentile" values:"max|mse|percentile"`
	APercentile float64 `json:"apercentile" doc:"per cent of magnitudes within arange=percentile"`
	K           float64 `json:"k" doc:"standard deviations within the range of activations, without data; 0 for 6 at 8 bits down to 3 at 4"`
	Regions     bool    `json:"regions" doc:"quantise sums, products, concatenations and pools between layers as well"`
	Edges       int     `json:"edges" doc:"bits of the first and last layers and of their data, 0 for the same as the others"`
	Store       string  `json:"store" doc:"codes of 4 bits and fewer packed (opset 21) or in bytes (opset 13)" values:"packed|int8"`
}

// Validate implements compress.Method.
func (q *PowerQuant) Validate() error {
	switch {
	case q.W < 2 || q.W > 8:
		return fmt.Errorf("w=%d is not in 2..8", q.W)
	case q.Edges != 0 && (q.Edges < 2 || q.Edges > 8):
		return fmt.Errorf("edges=%d is neither 0 nor in 2..8", q.Edges)
	case q.Top != 0 && (q.Top < 1<<(max(q.W, q.A, q.Edges)-1) || q.Top > 32767):
		return fmt.Errorf("top=%d: the levels of %d bits need %d to 32767", q.Top, max(q.W, q.A, q.Edges), 1<<(max(q.W, q.A, q.Edges)-1))
	case q.Norm < 0.5 || q.Norm > 8:
		return fmt.Errorf("norm=%v is not in 0.5..8", q.Norm)
	}
	if a, fixed := q.fixed(); fixed && (a < 0.1 || a > 2) {
		return fmt.Errorf("exponent=%v is not in 0.1..2", a)
	}
	if a, err := strconv.ParseFloat(q.AExponent, 64); err == nil && (a < 0.1 || a > 2) {
		return fmt.Errorf("aexponent=%v is not in 0.1..2", a)
	}
	return q.data(nil).validate()
}

var solvers = map[string]format.Solver{"golden": format.Golden, "simplex": format.NelderMead}

// fixed is the exponent given as a number.
func (q *PowerQuant) fixed() (float64, bool) {
	a, err := strconv.ParseFloat(q.Exponent, 64)
	return a, err == nil
}

func (q *PowerQuant) rounding() format.Rounding {
	if q.Rounding == "power" {
		return format.PowerDomain
	}
	return format.NearestLevel
}

func (q *PowerQuant) weights(m *ir.Model, env *compress.Env) *weights {
	return &weights{
		env: env, m: m, opts: format.Options{Range: ranges[q.Range], Rounding: q.rounding()},
		choose: q.spec, flip: q.Rounding == "squant",
	}
}

// data describes the activations of layers with the given plans.
func (q *PowerQuant) data(plans []plan) *activations {
	exponents, shared := map[*ir.Node]float64{}, 0.0 // layers with even weights want the exponent of the network
	for _, p := range plans {
		if q.Exponent != "layer" {
			shared = max(shared, p.spec.Exponent)
		}
	}
	for _, p := range plans {
		exponents[p.layer.Node] = cmp.Or(p.spec.Exponent, shared)
	}
	fixed, err := strconv.ParseFloat(q.AExponent, 64)
	return &activations{
		bits: q.A, edges: q.Edges, clip: q.ARange, percentile: q.APercentile, deviations: q.K, regions: q.Regions, rounding: q.rounding(), top: q.Top,
		exponent: func(l *compress.Layer) float64 {
			switch {
			case err != nil:
				return exponents[l.Node]
			case fixed == 1:
				return 0
			}
			return fixed
		},
	}
}

// Prepare implements compress.Prepared.
func (q *PowerQuant) Prepare(m *ir.Model, env *compress.Env) error { return q.weights(m, env).raise() }

// Needs implements compress.Calibrated: all values that could be quantised.
func (q *PowerQuant) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	return q.data(nil).needs(m, env)
}

// Apply implements compress.Method.
func (q *PowerQuant) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	w := q.weights(m, env)
	plans, err := w.plans()
	if err != nil {
		return err
	}
	if err := q.exponents(ctx, w, plans); err != nil {
		return err
	}
	acts, err := q.activations(ctx, m, env, plans)
	if err != nil {
		return err
	}
	for _, p := range plans {
		if _, err := w.encode(ctx, p); err != nil {
			return err
		}
	}
	if acts == nil {
		return nil
	}
	return acts.emit()
}

// activations places the grids of activations and notes their widths in the
// plans; nil when activations stay float.
func (q *PowerQuant) activations(ctx context.Context, m *ir.Model, env *compress.Env, plans []plan) (*placement, error) {
	acts, err := q.data(plans).place(ctx, m, env, plans)
	if acts == nil || err != nil {
		return nil, err
	}
	for i := range plans {
		a, _ := acts.read(plans[i].layer)
		plans[i].acts = a.Bits
	}
	return acts, nil
}

// spec gives layers that are widened to 8 bits evenly spaced levels: they lose
// little, and integer kernels want them.
func (q *PowerQuant) spec(l *compress.Layer, shape []int) (s format.Spec, note, skip string) {
	s = format.Spec{Kind: format.Power, Bits: bits(l, q.W, q.Edges), Exponent: 1, Wide: q.Store == int8s}
	s.Top = cmp.Or(q.Top, smallTop(s.Bits))
	if l.Bits == wide && q.W < wide {
		s.Kind, s.Exponent, s.Top, s.Bits = format.Uniform, 0, 0, fewer(l, wide, q.A)
	}
	note = grain{granularity: q.Granularity}.place(&s, l, shape)
	return s, note, ""
}

// smallTop is the largest level of weights that costs no accuracy, 0 for that of
// the format.
func smallTop(bits int) int {
	if bits <= 5 {
		return 48
	}
	return 0
}
