package quant

import (
	"context"
	"errors"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "mixed",
		Doc:  "store the weights of each layer in 2, 4 or 8 bits: wherever bytes take most noise out of the network",
		Ref:  "[dong19] HAWQ: Hessian AWare Quantization of Neural Networks with Mixed-Precision, arXiv:1905.03696",
		New: func() compress.Method {
			return &Mixed{Base: compress.Nested{Method: newCodebook()}, Least: 2, Budget: 4}
		},
	})
}

// Mixed chooses the widths of layers. Where [dong19] ranks layers by second
// derivatives, which need data, it takes the energy of the errors of a layer's
// results relative to the variance of those, both known from statistics.
type Mixed struct {
	Base   compress.Nested `json:"base" doc:"method that encodes the weights: uniform, powerquant or codebook; its width counts for nothing"`
	Least  int             `json:"least" doc:"fewest bits that a layer gets, 2 or 4; 2 are stored in opset 25"`
	Budget float64         `json:"budget" doc:"bits of a weight on average over the network; scales and tables come on top"`
}

// Validate implements compress.Method.
func (x *Mixed) Validate() error {
	b, ok := x.Base.Method.(base)
	_, ternary := x.Base.Method.(*Ternary)
	switch {
	case x.Base.Method == nil:
		return errors.New("base is missing")
	case !ok || ternary:
		return fmt.Errorf("base=%s: choose uniform, powerquant or codebook", compress.StepString(x.Base.Method))
	case quantisesData(x.Base.Method):
		return fmt.Errorf("base=%s: leave a out, data stay in float", compress.StepString(x.Base.Method))
	case x.Least != 2 && x.Least != 4:
		return fmt.Errorf("least=%d is neither 2 nor 4", x.Least)
	case x.Budget < float64(x.Least) || x.Budget > 8:
		return fmt.Errorf("budget=%v is not in %d..8", x.Budget, x.Least)
	}
	return b.Validate()
}

// quantisesData reports whether a step gives data a grid, too.
func quantisesData(m compress.Method) bool {
	switch m := m.(type) {
	case *Uniform:
		return m.A != 0
	case *PowerQuant:
		return m.A != 0
	}
	return false
}

// Needs implements compress.Calibrated: the data of layers and their results.
func (x *Mixed) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	out := energyRequests(m, env)
	asked := map[*ir.Value]bool{}
	for _, r := range out {
		asked[r.Value] = true
	}
	for _, l := range env.Layers(m) {
		if v := resultOf(&l); l.Reason == "" && v != nil && !asked[v] && v.Type.Rank() > 1 {
			asked[v] = true
			out = append(out, calib.Request{Value: v, Axis: resultAxis(&l, v)})
		}
	}
	return out
}

// Prepare implements compress.Prepared.
func (x *Mixed) Prepare(m *ir.Model, env *compress.Env) error {
	return x.weights(m, env, func(*compress.Layer) int { return x.Least }).raise()
}

// weights are those of the base, with widths of their own for layers that the
// recipe does not single out.
func (x *Mixed) weights(m *ir.Model, env *compress.Env, width func(l *compress.Layer) int) *weights {
	b := x.Base.Method.(base)
	w := b.weights(m, env)
	choose := w.choose
	w.choose = func(l *compress.Layer, shape []int) (format.Spec, string, string) {
		own := *l
		if own.Bits == 0 && !(b.edges() != 0 && l.Edge) {
			own.Bits = width(l)
		}
		return choose(&own, shape)
	}
	return w
}

// Apply implements compress.Method.
func (x *Mixed) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if err := complete(ctx, m, env); err != nil {
		return err
	}
	if _, err := op.Infer(m); err != nil {
		return err
	}
	a, err := x.offers(ctx, m, env)
	if err != nil {
		return err
	}
	chosen := a.spend(x.Budget)
	w := x.weights(m, env, func(l *compress.Layer) int { return chosen[l.Node] })
	return w.apply(ctx, x.Base.Method.(base))
}

// offers tries codes of 2 and 4 bits, which are stored packed, on every layer, and
// adds those of 8: four more bits leave a 16th of the errors.
func (x *Mixed) offers(ctx context.Context, m *ir.Model, env *compress.Env) (*allocation, error) {
	a, known := newAllocation(), newEnergies(m, env)
	for bits := x.Least; bits <= 4; bits += 2 {
		w := x.weights(m, env, func(*compress.Layer) int { return bits })
		w.flip, w.finish = false, nil // they change what noise is like, not which layers have most
		var plans []plan
		for p, skip := range w.each() {
			if skip == "" {
				plans = append(plans, p)
			}
		}
		if err := x.Base.Method.(base).tune(ctx, w, plans); err != nil {
			return nil, err
		}
		for i := range plans {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			l := plans[i].layer
			e, _, err := w.codes(&plans[i])
			if err != nil {
				return nil, err
			}
			noise, err := known.noise(l, e, env.Threads)
			if err != nil {
				return nil, layerError(l, err)
			}
			a.add(l, offer{bits, noise, len(e.Codes.Bytes())})
			if fixed := l.Bits != 0 || x.Base.Method.(base).edges() != 0 && l.Edge; bits == 4 && !fixed {
				a.add(l, offer{8, noise / 256, l.Params()})
			}
		}
	}
	return a, nil
}

// noise is the expected energy of the errors of a layer's results relative to
// the variance of the results. Means count for nothing, since biases can make up
// for them; data are taken as independent.
func (e *energies) noise(l *compress.Layer, x *format.Encoded, threads int) (float64, error) {
	now, err := x.Decode(threads)
	if err != nil {
		return 0, err
	}
	w := float32s(l.Weight.Const)
	counts := e.variances(l, w.Shape)
	rest := tensor.Data[float32](now)
	for i, v := range tensor.Data[float32](w) {
		rest[i] = v - rest[i]
	}
	signal := total(channelEnergies(w, l.Out, counts))
	if s := e.stats(resultOf(l)); counts != nil && s != nil && len(s.Std) == w.Shape[l.Out] {
		signal = 0
		for _, d := range s.Std {
			signal += d * d
		}
	}
	if !(signal > 0) {
		return 0, nil
	}
	return multiplied(l) * total(channelEnergies(now, l.Out, counts)) / signal, nil
}

// multiplied is how many values a table is multiplied with, at least 1: cosines of
// positions that turn the queries and keys of all layers spoil all of them.
func multiplied(l *compress.Layer) float64 {
	if l.Kind != compress.Embedding {
		return 1
	}
	n, seen := 0.0, map[*ir.Node]bool{}
	var walk func(v *ir.Value)
	walk = func(v *ir.Value) {
		for _, u := range v.Uses() {
			switch {
			case u.Node == nil || seen[u.Node]:
				continue
			case u.Node.Op == "Mul" && floatOperands(u.Node) == 2:
				n++
			case floatOperands(u.Node) == 1 && len(u.Node.Out) == 1:
				walk(u.Node.Out[0])
			}
			seen[u.Node] = true
		}
	}
	walk(resultOf(l))
	return max(1, n)
}

// floatOperands counts the operands of n that are floats and no constants.
func floatOperands(n *ir.Node) (count int) {
	for _, v := range n.In {
		if v != nil && v.Const == nil && v.Type.DType.IsFloat() {
			count++
		}
	}
	return count
}

// resultOf is the value that a layer computes, nil for none.
func resultOf(l *compress.Layer) *ir.Value {
	if len(l.Node.Out) == 0 {
		return nil
	}
	return l.Node.Out[0]
}

// resultAxis is the axis of a layer's result along which its channels lie.
func resultAxis(l *compress.Layer, v *ir.Value) int {
	if l.Kind == compress.Dense || l.Kind == compress.Embedding {
		return v.Type.Rank() - 1
	}
	return 1
}
