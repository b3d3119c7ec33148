package quant

import (
	"context"
	"errors"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/format"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "rex",
		Kind: compress.Expanding,
		Doc:  "store weights as a sum of terms, each encoding what those before it leave, on the rows where it counts most",
		Ref:  "[yvinec23r] REx: Data-Free Residual Quantization Error Expansion, arXiv:2203.14645",
		New: func() compress.Method {
			return &Rex{Base: compress.Nested{Method: newUniform(4)}, Order: 3, Budget: 1.5, Count: "bitops", Spread: "constant", Rows: "output", Inputs: 1, Steps: "shift"}
		},
	})
}

// Rex expands weights into orders [yvinec23r]: the first is that of a base
// method, every further one encodes the rest evenly with a scale per output
// channel (row).
type Rex struct {
	Base   compress.Nested `json:"base" doc:"method of the first order: uniform, powerquant, ternary or codebook"`
	Order  int             `json:"order" doc:"number of terms, 1 to 8"`
	Bits   int             `json:"bits" doc:"bits of the further terms, 1 to 8; 1 for signs; 2 are stored in opset 25; 0 for what costs least time: 2 behind up to 4 bits, with which they make one integer, and those of the first behind more"`
	Budget float64         `json:"budget" doc:"cost of all terms relative to the first alone; 0 for all rows of all terms"`
	Count  string          `json:"count" doc:"what the budget counts: bit-operations, or bytes stored" values:"bitops|bytes"`
	Spread string          `json:"spread" doc:"share of rows that layers get: the same, growing with depth, or by what the network gains" values:"constant|linear|sensitivity"`
	Rows   string          `json:"rows" doc:"what makes a row count: the norm of its rest, or of the rest times its data" values:"norm|output"`
	Inputs int             `json:"inputs" doc:"number of terms of the data that layers read, 1 to 4, where the base quantises them"`
	Steps  string          `json:"steps" doc:"levels of a further term: cut the range of a row evenly; reach its largest weight; the last step over 2^bits, so that terms of a row compute as one integer where 8 bits hold them (even where the last term leaves more than half its step); or this, written as such integers" values:"even|max|shift|fused"`
}

// Validate implements compress.Method.
func (r *Rex) Validate() error {
	b, ok := r.Base.Method.(base)
	switch {
	case r.Base.Method == nil:
		return errors.New("base is missing")
	case !ok || compress.NeedsData(r.Base.Method):
		return fmt.Errorf("base=%s: choose uniform, powerquant, ternary or codebook", compress.StepString(r.Base.Method))
	case r.Order < 1 || r.Order > 8:
		return fmt.Errorf("order=%d is not in 1..8", r.Order)
	case r.Bits < 0 || r.Bits > 8:
		return fmt.Errorf("bits=%d is not in 0..8", r.Bits)
	case r.Inputs < 1 || r.Inputs > 4:
		return fmt.Errorf("inputs=%d is not in 1..4", r.Inputs)
	case r.Inputs > 1 && !r.quantises():
		return fmt.Errorf("inputs=%d needs a base that quantises data, such as uniform(w=4,a=4)", r.Inputs)
	case r.Budget != 0 && r.Budget < 1:
		return fmt.Errorf("budget=%v is neither 0 nor at least 1, the cost of the first order", r.Budget)
	}
	return b.Validate()
}

// shifts: terms have steps a power of two apart.
func (r *Rex) shifts() bool { return r.Steps == "shift" || r.Steps == "fused" }

// quantises: the base quantises data.
func (r *Rex) quantises() bool {
	u, ok := r.Base.Method.(*Uniform)
	return ok && u.A != 0
}

// first is the base, without integer biases: sums of terms have no one scale.
func (r *Rex) first() base {
	if u, ok := r.Base.Method.(*Uniform); ok {
		free := *u
		free.Bias = "float"
		return &free
	}
	return r.Base.Method.(base)
}

// Prepare implements compress.Prepared.
func (r *Rex) Prepare(m *ir.Model, env *compress.Env) error { return r.weights(m, env).raise() }

// weights are those of the base, with room for the storage of further terms.
func (r *Rex) weights(m *ir.Model, env *compress.Env) *weights {
	w := r.first().weights(m, env)
	w.opset = func(s format.Spec) int {
		t := format.Spec{Bits: max(2, r.bits(s.Bits)), Wide: s.Wide}
		return t.Row().Opset
	}
	return w
}

// bits is the width of further terms behind a first of the given width. A row of
// any term takes the time of a row of the first, unless the two fuse.
func (r *Rex) bits(first int) int {
	switch {
	case r.Bits != 0:
		return r.Bits
	case first <= 4:
		return 2
	}
	return first
}

// Needs implements compress.Calibrated: what the base needs, and the data of
// layers where rows are chosen by them.
func (r *Rex) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	out := baseNeeds(r.first(), m, env)
	if !r.weighs() {
		return out
	}
	return perChannel(out, energyRequests(m, env))
}

// weighs: what rows and layers get depends on data.
func (r *Rex) weighs() bool { return r.Rows == "output" }

// Apply implements compress.Method.
func (r *Rex) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	b, w := r.first(), r.weights(m, env)
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
	var acts *placement
	if u, ok := b.(quantiser); ok {
		if acts, err = u.activations(ctx, m, env, plans); err != nil {
			return err
		}
	}
	x, err := newExpansion(ctx, r, w, plans)
	if err != nil {
		return err
	}
	for k := 2; k <= r.Order; k++ {
		if err := x.extend(ctx, k); err != nil {
			return err
		}
	}
	if err := x.write(ctx); err != nil || acts == nil {
		return err
	}
	acts.orders = r.Inputs
	return acts.emit()
}
