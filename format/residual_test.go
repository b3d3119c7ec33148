package format_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// expand adds dense orders to a uniform first one and returns the largest error
// after each.
func expand(t *testing.T, w *tensor.Tensor, bits, orders, axis int, max bool) (e *format.Encoded, worst []float64) {
	t.Helper()
	e, cost := encode(t, w, format.Spec{Bits: bits, Grain: format.PerChannel, Axis: axis}, format.Options{})
	worst = append(worst, cost.Max)
	for len(worst) < orders {
		e = e.Extend(order(t, w, e, axis, nil, format.OrderOptions{Bits: bits, Max: max}))
		worst = append(worst, format.Difference(tensor.Data[float32](w), decode(t, e)).Max)
	}
	return e, worst
}

// order encodes what e leaves of w.
func order(t *testing.T, w *tensor.Tensor, e *format.Encoded, axis int, rows []int, o format.OrderOptions) format.Order {
	t.Helper()
	rest := slices.Clone(tensor.Data[float32](w))
	for i, v := range decode(t, e) {
		rest[i] -= v
	}
	next, err := format.NewOrder(tensor.Of(w.Shape, rest), axis, rows, o)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// TestBound holds dense expansions to the bound of REx: half the first step,
// divided by 2n for every further order, n = 2^(bits-1) - 1; and by 2^bits where
// levels cut the range evenly. On twenty thousand numbers it is nearly reached.
func TestBound(t *testing.T) {
	w := normal(12, 1, 20_000)
	for _, bits := range []int{2, 3, 4, 8} {
		for _, max := range []bool{true, false} {
			e, worst := expand(t, w, bits, 5, 0, max)
			factor := float64(2 * (int(1)<<(bits-1) - 1))
			if !max {
				factor += 2
			}
			bound := float64(tensor.Data[float32](e.Scale)[0]) / 2
			for k, got := range worst {
				if got > bound*1.01 || got < .9*bound {
					t.Errorf("%d bits, %d orders: largest error %.4g, bound %.4g", bits, k+1, got, bound)
				}
				// Sums in float32 cannot be better than their last place.
				if bound /= factor; bound < 1e-5 {
					break
				}
			}
		}
	}
}

// TestShift compares scales of the second order that are the first's over a
// power of two: 2^bits has the smaller error although it clips the outermost
// half code, in units of the first scale 0.0212 against 0.0360 at 4 bits.
func TestShift(t *testing.T) {
	w := normal(26, 1, 50_000)
	for bits, want := range map[int][2]float64{4: {.0212, .0360}} {
		e, _ := encode(t, w, format.Spec{Bits: bits, Grain: format.PerChannel}, format.Options{})
		step := tensor.Data[float32](e.Scale)[0]
		for i, shift := range []int{bits, bits - 1} {
			steps := []float32{step / float32(int(1)<<shift)}
			sum := e.Extend(order(t, w, e, 0, nil, format.OrderOptions{Bits: bits, Max: true, Steps: steps}))
			d := format.Difference(tensor.Data[float32](w), decode(t, sum))
			if rms := math.Sqrt(d.MSE()) / float64(step); math.Abs(rms-want[i]) > .0005 {
				t.Errorf("%d bits over 2^%d: %.4f, want %.4f", bits, shift, rms, want[i])
			}
			if top := d.Max / float64(step) * float64(int(1)<<bits); top > 1.001 || top < .98 {
				t.Errorf("%d bits over 2^%d: largest error %.3f steps of the second order", bits, shift, top)
			}
		}
	}
}

// TestFused checks the one integer matrix that two orders with scales a power
// of two apart are.
func TestFused(t *testing.T) {
	w := normal(27, 24, 60)
	e, _ := encode(t, w, format.Spec{Bits: 4, Grain: format.PerChannel}, format.Options{})
	rows := []int{1, 2, 5, 8, 13, 21}
	steps := slices.Clone(tensor.Data[float32](e.Scale))
	for i := range steps {
		steps[i] /= 16
	}
	sum := e.Extend(order(t, w, e, 0, rows, format.OrderOptions{Bits: 4, Max: true, Steps: steps}))
	fused, ok := sum.Fused()
	if !ok {
		t.Fatal("it does not fuse")
	}
	if d := format.Difference(decode(t, sum), decode(t, fused)); d.Relative() > 1e-7 {
		t.Errorf("fused codes differ by %v", d.Relative())
	}
	for i, s := range tensor.Data[float32](fused.Scale) {
		want := tensor.Data[float32](e.Scale)[i]
		if slices.Contains(rows, i) {
			want /= 16
		}
		if s != want {
			t.Errorf("row %d has scale %v, not %v", i, s, want)
		}
	}
	if _, ok := e.Extend(order(t, w, e, 0, rows, format.OrderOptions{Bits: 4, Max: true})).Fused(); ok {
		t.Error("orders with scales of any ratio fuse")
	}
}

// TestFusedMiddles: terms with steps a power of two apart fuse as far as their
// integers fit into 8 bits, however many they are and whichever rows they have.
func TestFusedMiddles(t *testing.T) {
	w := normal(28, 16, 50)
	for _, c := range []struct {
		first, bits, orders int
		fits                bool
	}{{4, 2, 2, true}, {4, 3, 2, true}, {4, 4, 2, false}, {3, 2, 3, true}, {2, 1, 4, true}, {4, 2, 3, false}} {
		e, _ := encode(t, w, format.Spec{Bits: c.first, Grain: format.PerChannel}, format.Options{})
		steps := slices.Clone(tensor.Data[float32](e.Scale))
		for k := 1; k < c.orders; k++ {
			var rows []int
			for i := range steps {
				if i%k == 0 {
					steps[i] /= float32(int(1) << c.bits)
					rows = append(rows, i)
				}
			}
			e = e.Extend(order(t, w, e, 0, rows, format.OrderOptions{Bits: c.bits, Steps: steps}))
		}
		fused, ok := e.Fused()
		if ok != c.fits {
			t.Errorf("%v: fits %v, want %v", e, ok, c.fits)
		}
		if !ok {
			continue
		}
		if d := format.Difference(decode(t, e), decode(t, fused)); d.Relative() > 1e-7 {
			t.Errorf("%v: fused codes differ by %v", e, d.Relative())
		}
	}
}

// TestSigns checks the order of one bit: the residual's sign times its mean
// magnitude.
func TestSigns(t *testing.T) {
	r := tensor.Of([]int{2, 4}, []float32{1, -2, 3, -2, .5, .5, .5, .5})
	o, err := format.NewOrder(r, 0, nil, format.OrderOptions{Bits: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{2, -2, 2, -2, .5, .5, .5, .5}
	zeros, _ := encode(t, tensor.New(tensor.Float32, 2, 4), format.Spec{Bits: 4}, format.Options{})
	if got := decode(t, zeros.Extend(o)); !slices.Equal(got, want) {
		t.Errorf("signs decode to %v, want %v", got, want)
	}
}

// TestMatchResidual writes expansions into a graph and finds them again, called
// and inlined, with the very numbers that the graph computes.
func TestMatchResidual(t *testing.T) {
	w := normal(14, 12, 10, 3)
	for _, first := range []format.Spec{
		{Bits: 4, Grain: format.PerChannel, Axis: 1}, {Bits: 3}, {Kind: format.Power, Bits: 4, Exponent: .6},
		{Kind: format.Codebook, Bits: 3}, {Bits: 4, Grain: format.PerBlock, Axis: 0, Block: 4, Asymmetric: true},
	} {
		for axis := range 3 {
			for i, rows := range [][][]int{{nil}, {nil}, {{0, 2}}, {{0, 2}}, {nil, {1}, nil}, {{2}, {0, 1}, {0, 2}, nil}} {
				e, _ := encode(t, w, first, format.Options{})
				for k, r := range rows {
					e = e.Extend(order(t, w, e, axis, r, format.OrderOptions{Bits: 4 - k, Max: (i+k)%2 == 0 && k < 3}))
				}
				same(t, fmt.Sprintf("%v on axis %d", e, axis), e)
			}
		}
	}
}

// same holds that a graph with e computes e and is recognised as e.
func same(t *testing.T, what string, e *format.Encoded) {
	t.Helper()
	m := &ir.Model{Graph: &ir.Graph{}, Opsets: []ir.Opset{{Version: 25}}, IRVersion: 10}
	p := ir.NewPatch(m.Graph, "test")
	m.Graph.Outputs = []*ir.Value{p.Node("y", "Identity", []*ir.Value{format.Emit(p, m, "w", e, tensor.Float32)})}
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	want := decode(t, e)
	for _, form := range []string{"called", "inlined"} {
		if form == "inlined" {
			if err := op.Inline(m); err != nil {
				t.Fatal(err)
			}
		}
		got, ok := format.MatchWeight(m, m.Graph.Outputs[0].Producer().In[0])
		if !ok {
			t.Errorf("%s, %s: not recognised", what, form)
			continue
		}
		for v := range m.Graph.Values {
			if _, ok := format.MatchWeight(m, v); ok && format.IsTerm(m, v) == (v == m.Graph.Outputs[0].Producer().In[0]) {
				t.Errorf("%s, %s: %s is taken for what it is not", what, form, v.Name)
			}
		}
		if got.String() != e.String() && form == "called" {
			t.Errorf("%s is recognised as %v", what, got)
		}
		if got.Bytes() > e.Bytes() {
			t.Errorf("%s, %s: %d bytes are recognised as %d", what, form, e.Bytes(), got.Bytes())
		}
		y, err := op.Run(t.Context(), m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want, decode(t, got)) || !slices.Equal(want, tensor.Data[float32](y[0].(*tensor.Tensor))) {
			t.Errorf("%s, %s: the graph computes other numbers", what, form)
		}
	}
}

// TestForeignSums checks that what only looks like an expansion is none: other
// shapes, other steps on the way, places out of order.
func TestForeignSums(t *testing.T) {
	w := normal(15, 6, 5)
	e, _ := encode(t, w, format.Spec{Bits: 4, Grain: format.PerChannel}, format.Options{})
	e = e.Extend(order(t, w, e, 0, []int{1, 4}, format.OrderOptions{Bits: 4, Max: true}))
	for what, spoil := range map[string]func(n *ir.Node){
		"places":      func(n *ir.Node) { n.In[3].Const = tensor.Of([]int{6}, []uint8{0, 1, 0, 0, 0, 0}) },
		"an axis":     func(n *ir.Node) { n.Attrs = ir.WithAttr(n.Attrs, "axis", int64(1)) },
		"a scale":     func(n *ir.Node) { n.In[2].Const = tensor.Of([]int{6, 1}, []float32{0, 1, 0, 0, -1, 0}) },
		"code shapes": func(n *ir.Node) { n.In[1].Const = tensor.New(tensor.Int8, 2, 1) },
		"an offset":   func(n *ir.Node) { n.In[4].Const = tensor.Scalar(float32(.25)) },
		"a sum":       func(n *ir.Node) { n.In[0].Producer().Op = "Neg" },
	} {
		m := &ir.Model{Graph: &ir.Graph{}, Opsets: []ir.Opset{{Version: 25}}}
		p := ir.NewPatch(m.Graph, "test")
		v := format.Emit(p, m, "w", e, tensor.Float32)
		if err := p.Apply(); err != nil {
			t.Fatal(err)
		}
		if _, ok := format.MatchWeight(m, v); !ok {
			t.Fatal("not recognised to begin with")
		}
		spoil(v.Producer())
		if got, ok := format.MatchWeight(m, v); ok {
			t.Errorf("%s of its own: recognised as %v", what, got)
		}
	}
}
