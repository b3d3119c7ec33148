package quant

import (
	"context"
	"fmt"

	"pare/compress"
	"pare/format"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "uniform",
		Doc:  "store weights, and activations when a is given, on evenly spaced levels",
		Ref:  "[nagel19] Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv:1906.04721",
		New: func() compress.Method {
			return &Uniform{W: 8, Granularity: "channel", Block: 32, Symmetric: true, Range: "max", Percentile: 99.9, Store: packed}
		},
	})
}

// Uniform quantises weights to evenly spaced levels.
type Uniform struct {
	W           int     `json:"w" doc:"bits of the weights, 2 to 8"`
	Granularity string  `json:"granularity" doc:"which weights share a scale" values:"channel|tensor|block"`
	Block       int     `json:"block" doc:"weights per block, with granularity=block"`
	Symmetric   bool    `json:"symmetric" doc:"levels symmetric about zero; false adds a zero point"`
	Range       string  `json:"range" doc:"largest level: the largest weight, or clipped by least squares or percentile" values:"max|mse|percentile"`
	Percentile  float64 `json:"percentile" doc:"per cent of magnitudes within range=percentile"`
	Edges       int     `json:"edges" doc:"bits of the first and last layers, 0 for the same as the others"`
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
	return nil
}

var ranges = map[string]format.Range{"max": format.MaxRange, "mse": format.MSERange, "percentile": format.PercentileRange}

// Apply implements compress.Method.
func (u *Uniform) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	w := &weights{
		env: env, m: m, opts: format.Options{Range: ranges[u.Range], Percentile: u.Percentile},
		choose: u.spec,
	}
	plans, err := w.plans()
	if err != nil {
		return err
	}
	for _, p := range plans {
		if _, err := w.encode(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (u *Uniform) spec(l *compress.Layer, shape []int) (s format.Spec, note, skip string) {
	s = format.Spec{Bits: bits(l, u.W, u.Edges), Asymmetric: !u.Symmetric, Wide: u.Store == int8s}
	note = grain{u.Granularity, u.Block}.place(&s, l, shape)
	return s, note, ""
}
