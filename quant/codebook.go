package quant

import (
	"context"
	"fmt"
	"sync"

	"pare/calib"
	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "codebook",
		Kind: compress.Quantising,
		Doc:  "store weights by the few levels per layer that fit them best (k-means)",
		Ref:  "[yvinec24] JLCM: Network Memory Footprint Compression Through Jointly Learnable Codebooks and Mappings, arXiv:2309.17361",
		New:  func() compress.Method { return newCodebook() },
	})
}

func newCodebook() *Codebook {
	return &Codebook{W: 4, Granularity: "channel", Importance: "input", Rounding: "nearest", Gain: true, Top: 48, Store: packed}
}

// Codebook quantises weights to levels found by k-means, without the learning
// of [yvinec24].
type Codebook struct {
	W           int    `json:"w" doc:"bits of the weights, 2 to 6"`
	Granularity string `json:"granularity" doc:"which weights share a scale; the layer shares the levels" values:"channel|tensor"`
	Importance  string `json:"importance" doc:"what an error of a weight counts: the same for all, or the mean square of the data that it multiplies" values:"none|input"`
	Rounding    string `json:"rounding" doc:"each weight to the nearest level, or, in convolutions, some the other way so that errors of a kernel and a channel add up to less (SQuant, arXiv:2202.07471)" values:"nearest|squant"`
	Gain        bool   `json:"gain" doc:"scale channels so that what they compute varies as much as before, with granularity=channel"`
	Top         int    `json:"top" doc:"largest of the integers that levels are multiples of, 0 for levels without a grid"`
	Edges       int    `json:"edges" doc:"bits of the first and last layers, 0 for the same as the others"`
	Store       string `json:"store" doc:"codes of 4 bits and fewer packed (opset 21) or in bytes (opset 13)" values:"packed|int8"`
}

// Validate implements compress.Method.
func (q *Codebook) Validate() error {
	most := max(q.W, q.Edges)
	if q.Edges > 6 {
		most = q.W // evenly spaced
	}
	switch {
	case q.W < 2 || q.W > 6:
		return fmt.Errorf("w=%d is not in 2..6", q.W)
	case q.Edges != 0 && (q.Edges < 2 || q.Edges > 8):
		return fmt.Errorf("edges=%d is neither 0 nor in 2..8", q.Edges)
	case q.Top != 0 && (q.Top < 1<<(most-1) || q.Top > 127):
		return fmt.Errorf("top=%d: the levels of %d bits need %d to 127", q.Top, most, 1<<(most-1))
	}
	return nil
}

func (q *Codebook) weights(m *ir.Model, env *compress.Env) *weights {
	w := &weights{env: env, m: m, choose: q.spec, flip: q.Rounding == "squant", conv: true}
	if q.Importance == "none" && !q.Gain {
		return w
	}
	// Choosing formats needs no energies. Encoding asks for them before the first
	// layer is edited.
	known := sync.OnceValue(func() *energies { return newEnergies(m, env) })
	encode := func(p *plan, t *tensor.Tensor, o format.Options) (*format.Encoded, format.Error, error) {
		if q.Importance == "input" {
			o.Importance = known().perWeight(p.layer, t.Shape)
		}
		return format.Encode(t, p.spec, o)
	}
	w.code = func(p *plan, t *tensor.Tensor, o format.Options) (*format.Encoded, format.Error, error) {
		return firstCodes(env, p, func() (*format.Encoded, format.Error, error) { return encode(p, t, o) })
	}
	if q.Gain {
		w.finish = func(l *compress.Layer, x *format.Encoded, t *tensor.Tensor) (format.Error, error) {
			return known().gain(l, x, t, env.Threads)
		}
	}
	return w
}

// firstCodes are the codes of a layer before others round or scale them, found once
// in a step for every format: trying widths and storing one share them.
func firstCodes(env *compress.Env, p *plan, encode func() (*format.Encoded, format.Error, error)) (*format.Encoded, format.Error, error) {
	type key struct {
		weights *tensor.Tensor
		node    *ir.Node // which says what weights count
		spec    format.Spec
	}
	type codes struct {
		x    *format.Encoded
		cost format.Error
		err  error
	}
	c := env.Shared(key{p.layer.Weight.Const, p.layer.Node, p.spec}, func() any {
		x, cost, err := encode()
		return codes{x, cost, err}
	}).(codes)
	if c.err != nil {
		return nil, c.cost, c.err
	}
	own := *c.x
	own.Scale = c.x.Scale.Clone()
	return &own, c.cost, nil
}

func (q *Codebook) tune(context.Context, *weights, []plan) error { return nil }

func (q *Codebook) edges() int { return q.Edges }

// spec gives layers wider than codebooks go evenly spaced levels.
func (q *Codebook) spec(l *compress.Layer, shape []int) (s format.Spec, note, skip string) {
	s = format.Spec{Kind: format.Codebook, Bits: bits(l, q.W, q.Edges), Top: q.Top, Wide: q.Store == int8s}
	note = grain{granularity: q.Granularity}.place(&s, l, shape)
	if s.Bits > 6 {
		s.Kind, s.Top, note = format.Uniform, 0, fmt.Sprintf("evenly spaced levels of %d bits", s.Bits)
	}
	return s, note, ""
}

// Needs implements compress.Calibrated.
func (q *Codebook) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	if q.Importance == "none" && !q.Gain {
		return nil
	}
	return energyRequests(m, env)
}

// Prepare implements compress.Prepared.
func (q *Codebook) Prepare(m *ir.Model, env *compress.Env) error { return q.weights(m, env).raise() }

// Apply implements compress.Method.
func (q *Codebook) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.weights(m, env).apply(ctx, q)
}
