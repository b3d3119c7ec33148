package quant

import (
	"context"
	"fmt"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "ternary",
		Kind: compress.Quantising,
		Doc:  "store weights as -1, 0 and 1 times a scale, in 2 bits, with thresholds that equalise what the three stand for",
		Ref:  "[yvinec23t] Designing Strong Baselines for Ternary Neural Network Quantization through Support and Mass Equalization, arXiv:2306.17442",
		New: func() compress.Method {
			return &Ternary{Equal: "support", Granularity: "channel", Edges: 8, Store: packed}
		},
	})
}

// Ternary quantises weights to three levels [yvinec23t].
type Ternary struct {
	Equal       string `json:"equal" doc:"what the levels share equally: the range of the weights (TQuant) or their number (MQuant); error: neither, the least squared error" values:"support|mass|error"`
	Granularity string `json:"granularity" doc:"which weights share a scale" values:"channel|tensor"`
	Edges       int    `json:"edges" doc:"bits of the first and last layers, 0 for the same as the others"`
	Store       string `json:"store" doc:"codes packed (opset 25) or in bytes (opset 13)" values:"packed|int8"`
}

var equals = map[string]format.Ternary{"support": format.Support, "mass": format.Mass, "error": format.LeastSquares}

// Validate implements compress.Method.
func (q *Ternary) Validate() error {
	if q.Edges != 0 && (q.Edges < 2 || q.Edges > 8) {
		return fmt.Errorf("edges=%d is neither 0 nor in 2..8", q.Edges)
	}
	return nil
}

func (q *Ternary) weights(m *ir.Model, env *compress.Env) *weights {
	return &weights{env: env, m: m, choose: q.spec, code: q.encode}
}

func (q *Ternary) tune(context.Context, *weights, []plan) error { return nil }

func (q *Ternary) edges() int { return q.Edges }

func (q *Ternary) spec(l *compress.Layer, shape []int) (s format.Spec, note, skip string) {
	s = format.Spec{Bits: bits(l, 2, q.Edges), Wide: q.Store == int8s}
	if note = (grain{granularity: q.Granularity}).place(&s, l, shape); s.Bits != 2 {
		note = fmt.Sprintf("evenly spaced levels of %d bits", s.Bits)
	}
	return s, note, ""
}

// encode stores layers of other widths, the edges, on evenly spaced levels.
func (q *Ternary) encode(p *plan, w *tensor.Tensor, o format.Options) (*format.Encoded, format.Error, error) {
	if p.spec.Bits != 2 {
		return format.Encode(w, p.spec, o)
	}
	return format.EncodeTernary(w, p.spec, equals[q.Equal], o.Threads)
}

// Apply implements compress.Method.
func (q *Ternary) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.weights(m, env).apply(ctx, q)
}
