package calib_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"pare/calib"
	"pare/dataset"
	"pare/ir"
	"pare/tensor"
)

// chain builds input → BatchNormalization(beta, gamma) → the given operators,
// each reading the result before it.
func chain(beta, gamma []float32, nodes ...*ir.Node) *ir.Model {
	g := &ir.Graph{}
	c := func(name string, x ...float32) *ir.Value {
		v := ir.NewConst(name, tensor.Of([]int{len(x)}, x))
		g.Consts = append(g.Consts, v)
		return v
	}
	n := len(beta)
	x := &ir.Value{Name: "x", Type: ir.TensorType(tensor.Float32, ir.Dims([]int{1, n, 4, 4})...)}
	g.Inputs = []*ir.Value{x}
	zero := make([]float32, n)
	last := &ir.Value{Name: "bn", Type: x.Type}
	g.Nodes = append(g.Nodes, &ir.Node{Name: "bn", Op: "BatchNormalization", Out: []*ir.Value{last},
		In: []*ir.Value{x, c("gamma", gamma...), c("beta", beta...), c("mean", zero...), c("var", gamma...)}})
	for _, m := range nodes {
		for i, v := range m.In {
			if v == nil {
				m.In[i] = last
			} else if v.Const != nil {
				g.Consts = append(g.Consts, v)
			}
		}
		last = &ir.Value{Name: m.Name, Type: x.Type}
		m.Out = []*ir.Value{last}
		g.Nodes = append(g.Nodes, m)
	}
	g.Outputs = []*ir.Value{last}
	g.Bind()
	return &ir.Model{Graph: g, Opsets: []ir.Opset{{Version: 20}}}
}

func unary(op string, attrs ...ir.Attr) *ir.Node {
	return &ir.Node{Name: op, Op: op, In: []*ir.Value{nil}, Attrs: attrs}
}

func withConst(op string, x float32) *ir.Node {
	return &ir.Node{Name: op + "_c", Op: op, In: []*ir.Value{nil, ir.NewConst("c_"+op, tensor.Scalar(x))}}
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestElementwise compares moments and ranges with samples of the normal law.
func TestElementwise(t *testing.T) {
	clip6 := []ir.Attr{{Name: "min", Value: float32(0)}, {Name: "max", Value: float32(6)}}
	cases := map[string]struct {
		nodes []*ir.Node
		f     func(float64) float64
	}{
		"Relu":        {[]*ir.Node{unary("Relu")}, func(x float64) float64 { return max(x, 0) }},
		"Relu6":       {[]*ir.Node{unary("Clip", clip6...)}, func(x float64) float64 { return min(max(x, 0), 6) }},
		"LeakyRelu":   {[]*ir.Node{unary("LeakyRelu", ir.Attr{Name: "alpha", Value: float32(.2)})}, func(x float64) float64 { return max(x, .2*x) }},
		"HardSwish":   {[]*ir.Node{unary("HardSwish")}, func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 }},
		"Gelu":        {[]*ir.Node{unary("Gelu")}, func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }},
		"Tanh":        {[]*ir.Node{unary("Tanh")}, math.Tanh},
		"scaled Relu": {[]*ir.Node{unary("Relu"), withConst("Mul", 3), withConst("Add", -1)}, func(x float64) float64 { return 3*max(x, 0) - 1 }},
	}
	beta, gamma := []float32{.3, -1, 4}, []float32{1.2, .5, 2.5}
	r := rand.New(rand.NewPCG(1, 2))
	for name, c := range cases {
		m := chain(beta, gamma, c.nodes...)
		s, why := calib.Propagate(m, calib.Options{K: 5}).Stats(m.Graph.Outputs[0])
		if s == nil {
			t.Errorf("%s: %s", name, why)
			continue
		}
		for ch := range beta {
			b, g := float64(beta[ch]), float64(gamma[ch])
			var s1, s2 float64
			const n = 400_000
			for range n {
				y := c.f(b + g*r.NormFloat64())
				s1 += y
				s2 += y * y
			}
			lo, hi := math.Inf(1), math.Inf(-1)
			for x := b - 5*g; x <= b+5*g; x += g / 1000 {
				lo, hi = min(lo, c.f(x)), max(hi, c.f(x))
			}
			mean := s1 / n
			near(t, name+" mean", s.Mean[ch], mean, .02*g)
			near(t, name+" deviation", s.Std[ch], math.Sqrt(s2/n-mean*mean), .02*g)
			near(t, name+" low", s.Lo[ch], lo, .02*g)
			near(t, name+" high", s.Hi[ch], hi, .02*g)
		}
	}
}

// TestKnownMoments are the figures of the specification.
func TestKnownMoments(t *testing.T) {
	m := chain([]float32{.3}, []float32{1.2}, unary("Relu"))
	s, _ := calib.Propagate(m, calib.Options{}).Stats(m.Graph.Outputs[0])
	near(t, "E relu", s.Mean[0], .64361, 1e-5)
	near(t, "E relu²", s.Std[0]*s.Std[0]+s.Mean[0]*s.Mean[0], 1.05522, 1e-5)
}

// TestSwish: x·sigmoid(x) written with two operators is one function of x.
func TestSwish(t *testing.T) {
	gate := unary("Sigmoid")
	m := chain([]float32{0}, []float32{2}, gate)
	bn, sig := m.Graph.Value("bn"), m.Graph.Value("Sigmoid")
	y := &ir.Value{Name: "y", Type: bn.Type}
	m.Graph.Nodes = append(m.Graph.Nodes, &ir.Node{Name: "y", Op: "Mul", In: []*ir.Value{bn, sig}, Out: []*ir.Value{y}})
	m.Graph.Bind()
	s, why := calib.Propagate(m, calib.Options{}).Stats(y)
	if s == nil {
		t.Fatal(why)
	}
	near(t, "minimum of SiLU", s.Lo[0], -.2785, 1e-3)
	near(t, "maximum of SiLU", s.Hi[0], 12, .01)
}

// TestUnknown: what cannot be derived says why.
func TestUnknown(t *testing.T) {
	m := chain([]float32{0}, []float32{1}, unary("Einsum"), unary("Relu"))
	table := calib.Propagate(m, calib.Options{})
	if s, why := table.Stats(m.Graph.Outputs[0]); s != nil || why != `it follows from "Einsum": there is no rule for Einsum` {
		t.Errorf("%v, %q", s, why)
	}
	if s, why := table.Stats(m.Graph.Inputs[0]); s != nil || why != "the range of the network's input is not declared" {
		t.Errorf("%v, %q", s, why)
	}
}

// ramp yields samples 0, 1, 2, ... of shape [1, 2], the second channel negated.
type ramp int

func (r ramp) Len() int         { return int(r) }
func (ramp) Task() dataset.Task { return dataset.Unlabelled }
func (ramp) Prepared() string   { return "" }
func (ramp) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	x := tensor.New(tensor.Float32, hi-lo, 2)
	for i := range hi - lo {
		v := float32(lo + i)
		tensor.Data[float32](x)[2*i], tensor.Data[float32](x)[2*i+1] = v, -2*v
	}
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": x}}, nil
}

type echo struct{}

func (echo) Run(_ context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	return []*tensor.Tensor{in["x"]}, nil
}

// TestCollect checks measured statistics on a known sequence, in batches.
func TestCollect(t *testing.T) {
	x := &ir.Value{Name: "x"}
	m := &ir.Model{Graph: &ir.Graph{Inputs: []*ir.Value{x}}}
	data := calib.Data{Set: ramp(1001), Batch: 64, Run: func(*ir.Model, []*ir.Value) (calib.Runner, error) { return echo{}, nil }}
	last := 0
	got, err := calib.Collect(context.Background(), m, data, []calib.Request{{Value: x, Axis: 1}, {Value: x, Axis: -1}}, func(n, of int) { last = n * 10000 / of })
	if err != nil || last != 10000 {
		t.Fatal(err, last)
	}
	o := got[x]
	s := o.Stats()
	near(t, "mean", s.Mean[0], 500, 1e-9)
	near(t, "deviation", s.Std[1], 2*math.Sqrt(1001*1001-1)/math.Sqrt(12), 1e-6)
	if lo, hi := o.MinMax(); lo != -2000 || hi != 1000 {
		t.Errorf("range %v to %v", lo, hi)
	}
	// Magnitudes: 0..1000 once and 0..2000 by twos: three quarters lie below 1000.
	near(t, "percentile", o.Percentile(75), 1000, 4)
	near(t, "whole", o.Percentile(100), 2000, 0)
	if b := o.Best(127); b < 1900 || b > 2000 {
		t.Errorf("nothing is to be gained by clipping a flat law at %v", b)
	}
}

// TestCollectFixedBatch: a network that takes three samples at a time gets three.
func TestCollectFixedBatch(t *testing.T) {
	x := &ir.Value{Name: "x", Type: ir.TensorType(tensor.Float32, ir.Known(3), ir.Known(2))}
	m := &ir.Model{Graph: &ir.Graph{Inputs: []*ir.Value{x}}}
	data := calib.Data{Set: ramp(8), Batch: 64, Run: func(*ir.Model, []*ir.Value) (calib.Runner, error) { return echo{}, nil }}
	got, err := calib.Collect(context.Background(), m, data, []calib.Request{{Value: x, Axis: -1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, hi := got[x].MinMax(); got[x].Count != 12 || hi != 5 {
		t.Errorf("%d elements up to %v, want those of the first six samples", got[x].Count, hi)
	}
	data.Set = ramp(2)
	if _, err := calib.Collect(context.Background(), m, data, []calib.Request{{Value: x, Axis: -1}}, nil); err == nil {
		t.Error("two samples were enough for a network that takes three")
	}
}

// TestGuesses: statistics are derived through one layer without normalisation,
// not through two, and not from the declared input; bounds count for nothing
// but themselves.
func TestGuesses(t *testing.T) {
	conv := func(name string) *ir.Node {
		w := tensor.New(tensor.Float32, 2, 2, 1, 1)
		for i := range tensor.Data[float32](w) {
			tensor.Data[float32](w)[i] = 0.5
		}
		return &ir.Node{Name: name, Op: "Conv", In: []*ir.Value{nil, ir.NewConst(name+".w", w)}}
	}
	sigmoid := unary("Sigmoid")
	m := chain([]float32{0, 0}, []float32{1, 1}, conv("one"), unary("Relu"), conv("two"), sigmoid, conv("three"))
	table := calib.Propagate(m, calib.Options{K: 6, InputLo: []float64{0}, InputHi: []float64{1}})
	if s, why := table.Stats(m.Graph.Value("one")); s == nil {
		t.Errorf("one layer behind a batch-norm: %s", why)
	} else {
		near(t, "deviation", s.Std[0], math.Sqrt(0.5), 1e-9)
	}
	for _, name := range []string{"two", "three"} {
		if s, why := table.Stats(m.Graph.Value(name)); s != nil || why != "its layer has no batch-norm, nor has anything near before it" {
			t.Errorf("%s: %v, %q", name, s, why)
		}
	}
	if s, _ := table.Stats(m.Graph.Value("Sigmoid")); s == nil || s.Lo[0] != 0 || s.Hi[0] != 1 {
		t.Errorf("the range of a sigmoid is %v", s)
	}
	bn := m.Graph.Value("bn").Producer()
	bn.Op, bn.In = "Conv", []*ir.Value{bn.In[0], m.Graph.Value("one.w")}
	m.Graph.Bind()
	if s, why := calib.Propagate(m, calib.Options{InputLo: []float64{0}, InputHi: []float64{1}}).Stats(m.Graph.Value("bn")); s != nil || why == "" {
		t.Errorf("a layer that reads the input: %v", s)
	}
}
