package quant

import (
	"context"
	"errors"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "gptq",
		Kind: compress.Quantising,
		Data: true,
		Doc:  "round weights on the grids of another method so that each makes up for the errors of those before it, by the data that they meet",
		Ref:  "[frantar23] OPTQ: Accurate Quantization for Generative Pre-trained Transformers, arXiv:2210.17323",
		New:  func() compress.Method { return newGPTQ() },
	})
}

func newGPTQ() *GPTQ {
	return &GPTQ{Base: compress.Nested{Method: newUniform(4)}, Inputs: "quantised", Order: "data", Damp: 0.01}
}

// GPTQ rounds layer by layer [frantar23]: the data that a layer meets are those of the
// network whose layers before it are rounded already.
type GPTQ struct {
	Base   compress.Nested `json:"base" doc:"method that makes the grids, and quantises data when its a is given: uniform, powerquant, codebook, or mixed of these"`
	W      int             `json:"w" doc:"bits of the weights, in place of those of base; 0 for those"`
	A      int             `json:"a" doc:"bits of the data that layers read, in place of those of base; 0 for those"`
	Inputs string          `json:"inputs" doc:"data that layers meet: those of the network as it is quantised so far, or as it was" values:"quantised|float"`
	Order  string          `json:"order" doc:"weights of large data first, or as they stand, where blocks then get their scales one after the other" values:"data|memory"`
	Damp   float64         `json:"damp" doc:"what is added to the mean square of the data, relative to its mean over a layer; ten times as much, up to four times, where data are too alike"`
	Places int             `json:"places" doc:"places of a sample that a layer is looked at, 0 for as many as its weights need"`
	Stages int             `json:"stages" doc:"how often the network is run on the data, layers that follow each other sharing runs; 0 for one run for each layer on the way"`
}

// Validate implements compress.Method.
func (g *GPTQ) Validate() error {
	if g.Base.Method == nil {
		return errors.New("base is missing")
	}
	b, err := override(g.Base.Method, g.W, g.A)
	if err != nil {
		return err
	}
	_, widths := b.(chooser)
	_, plain := b.(resizable)
	switch {
	case !plain && !widths:
		return fmt.Errorf("base=%s: choose uniform, powerquant, codebook, or mixed of these", compress.StepString(g.Base.Method))
	case g.W < 0 || g.A < 0:
		return fmt.Errorf("w=%d, a=%d: widths are 2 to 8, 0 for those of base", g.W, g.A)
	case !(g.Damp >= 0 && g.Damp <= 1):
		return fmt.Errorf("damp=%v is not in 0..1", g.Damp)
	case g.Places < 0:
		return fmt.Errorf("places=%d is negative", g.Places)
	case g.Stages < 0:
		return fmt.Errorf("stages=%d is negative", g.Stages)
	}
	return b.Validate()
}

// method is the base with the widths that it is asked for.
func (g *GPTQ) method() compress.Method {
	b, _ := override(g.Base.Method, g.W, g.A) // validated
	return b
}

// chooser is a base that gives layers widths of their own.
type chooser interface {
	// chosen is what encodes the layers, in an environment that tells their widths.
	chosen(ctx context.Context, m *ir.Model, env *compress.Env) (base, *compress.Env, error)
}

// Prepare implements compress.Prepared.
func (g *GPTQ) Prepare(m *ir.Model, env *compress.Env) error {
	return g.method().(compress.Prepared).Prepare(m, env)
}

// Needs implements compress.Calibrated.
func (g *GPTQ) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	return g.method().(compress.Calibrated).Needs(m, env)
}

// Apply implements compress.Method.
func (g *GPTQ) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	method := g.method()
	if c, ok := method.(chooser); ok {
		b, chosen, err := c.chosen(ctx, m, env)
		if err != nil {
			return err
		}
		return g.round(ctx, m, chosen, b)
	}
	return g.round(ctx, m, env, method.(base))
}

// round encodes all layers as b wants it, and rounds them by their data.
func (g *GPTQ) round(ctx context.Context, m *ir.Model, env *compress.Env, b base) error {
	w := b.weights(m, env)
	plans, err := w.plans()
	if err != nil {
		return err
	}
	if err := b.tune(ctx, w, plans); err != nil {
		return err
	}
	var acts *placement
	if q, ok := b.(quantiser); ok {
		if acts, err = q.activations(ctx, m, env, plans); err != nil {
			return err
		}
	}
	r := &rounding{GPTQ: g, m: m, env: env, w: w, at: &frontier{m: m, env: env}, late: map[*ir.Node]bool{}}
	if g.Inputs == "float" {
		r.original = ir.CloneModel(m)
		r.at.m = r.original
	}
	defer r.at.close()
	stages := r.plan(plans)
	if acts != nil {
		if err := acts.emit(); err != nil {
			return err
		}
	}
	for i, jobs := range stages {
		if err := r.stage(ctx, i, jobs); err != nil {
			return err
		}
	}
	r.warn()
	return nil
}

// GPTQ is itself a base: of mixed.
func (g *GPTQ) weights(m *ir.Model, env *compress.Env) *weights {
	return g.inner().weights(m, env)
}

func (g *GPTQ) tune(ctx context.Context, w *weights, plans []plan) error {
	return g.inner().tune(ctx, w, plans)
}

func (g *GPTQ) edges() int { return g.inner().edges() }

func (g *GPTQ) inner() base { return g.method().(base) }

func (g *GPTQ) data(plans []plan) *activations {
	if q, ok := g.method().(quantiser); ok {
		return q.data(plans)
	}
	return &activations{}
}

func (g *GPTQ) activations(ctx context.Context, m *ir.Model, env *compress.Env, plans []plan) (*placement, error) {
	if q, ok := g.method().(quantiser); ok {
		return q.activations(ctx, m, env, plans)
	}
	return nil, nil
}
