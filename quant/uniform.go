package quant

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/format"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "uniform",
		Kind: compress.Quantising,
		Doc:  "store weights, and activations when a is given, on evenly spaced levels",
		Ref:  "[nagel19] Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv:1906.04721",
		New:  func() compress.Method { return newUniform(8) },
	})
}

// newUniform is the method with w bits and defaults for the rest.
func newUniform(w int) *Uniform {
	return &Uniform{
		W: w, Granularity: "channel", Block: 32, Symmetric: true, Range: "max", Percentile: 99.9, Rounding: "nearest", Store: packed,
		ARange: "mse", APercentile: 99.99, Regions: true, Bias: "int32",
	}
}

// Uniform quantises weights, and activations, to evenly spaced levels.
type Uniform struct {
	W           int     `json:"w" doc:"bits of the weights, 2 to 8"`
	A           int     `json:"a" doc:"bits of the data that layers read, 2 to 8; 0 leaves it in float"`
	Granularity string  `json:"granularity" doc:"which weights share a scale" values:"channel|tensor|block"`
	Block       int     `json:"block" doc:"weights per block, with granularity=block"`
	Symmetric   bool    `json:"symmetric" doc:"levels symmetric about zero; false adds a zero point"`
	Range       string  `json:"range" doc:"largest level: the largest weight, or clipped by least squares or percentile" values:"max|mse|percentile"`
	Percentile  float64 `json:"percentile" doc:"per cent of magnitudes within range=percentile"`
	Rounding    string  `json:"rounding" doc:"each weight to the nearest level, or some the other way so that errors of a kernel and a channel add up to less (SQuant, arXiv:2202.07471)" values:"nearest|squant"`
	ARange      string  `json:"arange" doc:"range of activations, with data: all seen, or clipped by least squares or percentile" values:"max|mse|percentile"`
	APercentile float64 `json:"apercentile" doc:"per cent of magnitudes within arange=percentile"`
	K           float64 `json:"k" doc:"standard deviations within the range of activations, without data; 0 for 6 at 8 bits down to 3 at 4"`
	Regions     bool    `json:"regions" doc:"quantise sums, products, concatenations and pools between layers as well"`
	Bias        string  `json:"bias" doc:"bias of layers with quantised data: integers in units of the sums, or as it is" values:"int32|float"`
	Edges       int     `json:"edges" doc:"bits of the first and last layers and of their data, 0 for the same as the others"`
	Store       string  `json:"store" doc:"codes of 4 bits and fewer packed (opset 21) or in bytes (opset 13)" values:"packed|int8"`
}

// Validate implements compress.Method.
func (u *Uniform) Validate() error {
	switch {
	case u.W < 2 || u.W > 8:
		return fmt.Errorf("w=%d is not in 2..8", u.W)
	case u.Edges != 0 && (u.Edges < 2 || u.Edges > 8):
		return fmt.Errorf("edges=%d is neither 0 nor in 2..8", u.Edges)
	case u.Block < 2:
		return fmt.Errorf("block=%d is less than 2", u.Block)
	case u.Percentile <= 50 || u.Percentile > 100:
		return fmt.Errorf("percentile=%v is not in (50, 100]", u.Percentile)
	case !u.Symmetric && u.Range != "max":
		return fmt.Errorf("range=%s needs symmetric=true", u.Range)
	}
	return u.data(nil).validate()
}

var ranges = map[string]format.Range{"max": format.MaxRange, "mse": format.MSERange, "percentile": format.PercentileRange}

func (u *Uniform) weights(m *ir.Model, env *compress.Env) *weights {
	return &weights{
		env: env, m: m, opts: format.Options{Range: ranges[u.Range], Percentile: u.Percentile},
		choose: u.spec, flip: u.Rounding == "squant",
	}
}

// Prepare implements compress.Prepared.
func (u *Uniform) Prepare(m *ir.Model, env *compress.Env) error { return u.weights(m, env).raise() }

// Needs implements compress.Calibrated: all values that could be quantised.
func (u *Uniform) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	return u.data(nil).needs(m, env)
}

// Apply implements compress.Method.
func (u *Uniform) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	w := u.weights(m, env)
	plans, err := w.plans()
	if err != nil {
		return err
	}
	acts, err := u.activations(ctx, m, env, plans)
	if err != nil {
		return err
	}
	hint := &advice{}
	for _, p := range plans {
		cost, err := w.encode(ctx, p)
		if err != nil {
			return err
		}
		if err := hint.look(p, cost, env.Threads); err != nil {
			return err
		}
	}
	hint.tell(env, u.W)
	if acts == nil {
		return nil
	}
	return acts.emit()
}

func (u *Uniform) spec(l *compress.Layer, shape []int) (s format.Spec, note, skip string) {
	s = format.Spec{Bits: fewer(l, bits(l, u.W, u.Edges), u.A), Asymmetric: !u.Symmetric, Wide: u.Store == int8s}
	note = grain{u.Granularity, u.Block}.place(&s, l, shape)
	return s, note, ""
}

func (u *Uniform) data([]plan) *activations {
	return &activations{
		bits: u.A, edges: u.Edges, clip: u.ARange, percentile: u.APercentile, deviations: u.K, regions: u.Regions,
	}
}

// activations places the grids of activations and completes the plans with
// them; nil when activations stay float.
func (u *Uniform) activations(ctx context.Context, m *ir.Model, env *compress.Env, plans []plan) (*placement, error) {
	acts, err := u.data(nil).place(ctx, m, env, plans)
	if acts == nil || err != nil {
		return nil, err
	}
	for i := range plans {
		u.complete(&plans[i], acts)
	}
	return acts, nil
}

// complete notes the grid of a layer's data and gives it an integer bias.
func (u *Uniform) complete(p *plan, acts *placement) {
	a, ok := acts.read(p.layer)
	if !ok {
		return
	}
	p.acts = a.Bits
	if u.Bias == "int32" {
		var why string
		if p.bias, why = newBias(p.layer, p.spec, a.Scale); why != "" && p.note == "" {
			p.note = "bias in float: " + why
		}
	}
}
