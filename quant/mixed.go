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
		Name: "mixed",
		Kind: compress.Quantising,
		Doc:  "give the weights of each layer 2, 4, 6 or 8 bits, and its data their own or 8: wherever cost takes most noise out of the network",
		Ref:  "[dong19] HAWQ: Hessian AWare Quantization of Neural Networks with Mixed-Precision, arXiv:1905.03696",
		New: func() compress.Method {
			return &Mixed{Base: compress.Nested{Method: newCodebook()}, Least: 2, Budget: 4, Importance: "noise", Samples: 64, Cost: "size"}
		},
	})
}

// Mixed chooses the widths of layers. Where [dong19] ranks layers by second
// derivatives, which need data, it takes the energy of the errors of a layer's
// results relative to the variance of those, both known from statistics: errors that
// its weights make, and those that its data make.
type Mixed struct {
	Base       compress.Nested `json:"base" doc:"method that encodes the weights, and data when its a is given: uniform, powerquant or codebook; its w counts for nothing"`
	Least      int             `json:"least" doc:"fewest bits of the weights of a layer, 2, 4 or 6; 2 are stored in opset 25, 6 in bytes"`
	Budget     float64         `json:"budget" doc:"bits of a weight on average over the network; scales and tables come on top"`
	Importance string          `json:"importance" doc:"what errors of weights count: the noise that they make in the results of their layer, or, with data, what they add to the loss: by squared gradients of single samples, by the mean gradient, by gradients times weights, or as measured layer by layer" values:"noise|fisher|gradient|singe|measured"`
	Samples    int             `json:"samples" doc:"samples that gradients and losses are taken from, with another importance than noise"`
	Cost       string          `json:"cost" doc:"what the budget counts: bits of weights, bits times multiply-accumulates, or the time that is measured on this machine, the budget then being a share of that of 8 bits" values:"size|bops|time"`
	ABudget    float64         `json:"abudget" doc:"bits of the data that layers read on average, counting multiply-accumulates times bits of weights: what is beyond a of the base goes to 8 bits; 0 for none"`
}

// Validate implements compress.Method.
func (x *Mixed) Validate() error {
	b, ok := x.Base.Method.(base)
	_, ternary := x.Base.Method.(*Ternary)
	a := dataBits(x.Base.Method)
	switch {
	case x.Base.Method == nil:
		return errors.New("base is missing")
	case !ok || ternary:
		return fmt.Errorf("base=%s: choose uniform, powerquant or codebook", compress.StepString(x.Base.Method))
	case chooses(x.Base.Method):
		return fmt.Errorf("base=%s: widths are chosen once", compress.StepString(x.Base.Method))
	case x.Least != 2 && x.Least != 4 && x.Least != 6:
		return fmt.Errorf("least=%d is neither 2, 4 nor 6", x.Least)
	case x.Samples < 1:
		return fmt.Errorf("samples=%d is less than 1", x.Samples)
	case x.Cost == "time" && !(x.Budget > 0 && x.Budget <= 1):
		return fmt.Errorf("budget=%v: with cost=time it is a share of the time of 8 bits, in 0..1", x.Budget)
	case x.Cost != "time" && !(x.Budget >= float64(x.Least) && x.Budget <= wide):
		return fmt.Errorf("budget=%v is not in %d..%d", x.Budget, x.Least, wide)
	case x.ABudget != 0 && a == 0:
		return fmt.Errorf("abudget=%v needs a base that quantises data, such as uniform(a=4)", x.ABudget)
	case x.ABudget != 0 && !(x.ABudget >= float64(a) && x.ABudget <= wide):
		return fmt.Errorf("abudget=%v is not in %d..%d", x.ABudget, a, wide)
	}
	return b.Validate()
}

// chooses reports a base that has one that chooses widths itself.
func chooses(m compress.Method) bool {
	g, ok := m.(*GPTQ)
	if ok {
		_, ok = g.Base.Method.(chooser)
	}
	return ok
}

func (x *Mixed) base() base { return x.Base.Method.(base) }

// dataBits is the width that a step gives data, 0 for float.
func dataBits(m compress.Method) int {
	if q, ok := m.(quantiser); ok {
		return q.data(nil).bits
	}
	return 0
}

// Needs implements compress.Calibrated: what the base needs, and moments of the
// data of layers and of their results.
func (x *Mixed) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	out := perChannel(baseNeeds(x.base(), m, env), energyRequests(m, env))
	var results []calib.Request
	for _, l := range env.Layers(m) {
		if v := resultOf(&l); l.Reason == "" && v != nil && v.Type.Rank() > 1 {
			results = append(results, calib.Request{Value: v, Axis: resultAxis(&l, v)})
		}
	}
	return perChannel(out, results)
}

// Prepare implements compress.Prepared.
func (x *Mixed) Prepare(m *ir.Model, env *compress.Env) error {
	return x.base().weights(m, x.env(env, always(x.Least), nil)).raise()
}

func always(bits int) func(*compress.Layer) int { return func(*compress.Layer) int { return bits } }

// env gives layers widths of their own, as if the recipe had, but for those that
// the recipe or the base singles out. Functions may be nil.
func (x *Mixed) env(env *compress.Env, weights, data func(*compress.Layer) int) *compress.Env {
	return env.With(func(l *compress.Layer) {
		if x.isEdge(l) {
			return
		}
		if l.Bits == 0 && weights != nil {
			l.Bits = weights(l)
		}
		if l.ActivationBits == 0 && data != nil {
			l.ActivationBits = data(l)
		}
	})
}

// isEdge: the base has a width for the first and last layers, of which l is one.
func (x *Mixed) isEdge(l *compress.Layer) bool { return x.base().edges() != 0 && l.Edge }

// Apply implements compress.Method.
func (x *Mixed) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	c, err := x.choose(ctx, m, env)
	if err != nil {
		return err
	}
	if err := x.base().Apply(ctx, m, c.env); err != nil {
		return err
	}
	return c.check(ctx, m)
}

// chosen implements chooser.
func (x *Mixed) chosen(ctx context.Context, m *ir.Model, env *compress.Env) (base, *compress.Env, error) {
	c, err := x.choose(ctx, m, env)
	if err != nil {
		return nil, nil, err
	}
	return x.base(), c.env, nil
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

// isGiven reports whether v is what the network is given, at most moved.
func isGiven(v *ir.Value) bool {
	for n := v.Producer(); n != nil; n = v.Producer() {
		if roleOf(n) != carrier {
			return false
		}
		v = n.In[0]
	}
	return v.Const == nil
}
