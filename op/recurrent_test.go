package op_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// cells are the recurrent operators with their numbers of gates and results.
var cells = []struct {
	name           string
	gates, results int
}{{"RNN", 1, 2}, {"GRU", 3, 2}, {"LSTM", 4, 3}}

func transpose(t *testing.T, x *tensor.Tensor, perm ...int) *tensor.Tensor {
	return must(t, 13, &ir.Node{Op: "Transpose", Attrs: attrs("perm", perm)}, 1, x)[0]
}

func TestRecurrenceDirectionsAndLayouts(t *testing.T) {
	const length, batch, in, hidden = 4, 2, 3, 5
	for _, cell := range cells {
		r := rand.New(rand.NewPCG(1, 4))
		x, g := noise(r, length, batch, in), cell.gates*hidden
		w, rec, b := noise(r, 2, g, in), noise(r, 2, g, hidden), noise(r, 2, 2*g)
		half := func(v *tensor.Tensor, d int) *tensor.Tensor {
			return must(t, 13, &ir.Node{Op: "Gather"}, 1, v, vector(int64(d)))[0]
		}
		run := func(direction string, x, w, rec, b op.Val, more ...any) []*tensor.Tensor {
			return must(t, 22, &ir.Node{Op: cell.name, Attrs: attrs(append(more, "hidden_size", hidden, "direction", direction)...)},
				cell.results, x, w, rec, b)
		}
		both := run("bidirectional", x, w, rec, b)
		forward := run("forward", x, half(w, 0), half(rec, 0), half(b, 0))
		reverse := run("reverse", x, half(w, 1), half(rec, 1), half(b, 1))
		for i := range both {
			axis := 1 - min(i, 1) // Y has the directions behind the time
			joined := must(t, 13, &ir.Node{Op: "Concat", Attrs: attrs("axis", axis)}, 1, forward[i], reverse[i])[0]
			near(t, cell.name+": both directions", both[i], joined, 0)
		}
		// Backwards over x is forwards over x turned around.
		turned := must(t, 13, &ir.Node{Op: "Gather"}, 1, x, vector[int64](3, 2, 1, 0))[0]
		near(t, cell.name+": last state", reverse[1], run("forward", turned, half(w, 1), half(rec, 1), half(b, 1))[1], 0)
		byBatch := run("bidirectional", transpose(t, x, 1, 0, 2), w, rec, b, "layout", 1)
		near(t, cell.name+": layout", byBatch[0], transpose(t, both[0], 2, 0, 1, 3), 0)
		near(t, cell.name+": layout of the state", byBatch[1], transpose(t, both[1], 1, 0, 2), 0)
	}
}

func TestRecurrenceStopsAtTheLength(t *testing.T) {
	const hidden = 3
	for _, cell := range cells {
		r := rand.New(rand.NewPCG(2, 4))
		x, g := noise(r, 4, 1, 2), cell.gates*hidden
		w, rec := noise(r, 1, g, 2), noise(r, 1, g, hidden)
		node := func() *ir.Node { return &ir.Node{Op: cell.name, Attrs: attrs("direction", "reverse")} }
		cut := must(t, 22, node(), cell.results, x, w, rec, nil, vector(int32(2)))
		short := must(t, 13, &ir.Node{Op: "Gather"}, 1, x, vector[int64](0, 1))[0]
		want := must(t, 22, node(), cell.results, short, w, rec)
		near(t, cell.name, cut[1], want[1], 0)
		for i, v := range tensor.Float64s(cut[0]) {
			if i < want[0].Len() && v != tensor.Float64s(want[0])[i] || i >= want[0].Len() && v != 0 {
				t.Fatalf("%s: element %d of Y is %v", cell.name, i, v)
			}
		}
	}
}

// TestLSTMStep follows the equations of the operator with numbers of one unit.
func TestLSTMStep(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	one := func(v ...float64) *tensor.Tensor { return tensor.Of([]int{1, len(v), 1}, v) }
	x, h, c := 0.5, -0.25, 0.75
	w, r := []float64{0.1, -0.2, 0.3, 0.4}, []float64{-0.5, 0.6, 0.7, -0.8}
	b := tensor.Of([]int{1, 8}, []float64{0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08})
	p := []float64{0.9, -1, 1.1}
	gate := func(g int) float64 {
		return w[g]*x + r[g]*h + tensor.Float64s(b)[g] + tensor.Float64s(b)[4+g]
	}
	in, forget := sigmoid(gate(0)+p[0]*c), sigmoid(gate(2)+p[2]*c)
	cell := forget*c + in*math.Tanh(gate(3))
	out := sigmoid(gate(1) + p[1]*cell)
	got := must(t, 22, &ir.Node{Op: "LSTM"}, 3, one(x), one(w...), one(r...), b, nil, one(h), one(c), tensor.Of([]int{1, 3}, p))
	near(t, "cell", got[2], one(cell), 1e-12)
	near(t, "hidden", got[1], one(out*math.Tanh(cell)), 1e-12)
}

func TestGRUResetsBeforeOrAfter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x, w, rec, h := noise(r, 1, 1, 2), noise(r, 1, 3, 2), noise(r, 1, 3, 1), noise(r, 1, 1, 1)
	b := noise(r, 1, 6)
	run := func(after int) float64 {
		return at(must(t, 22, &ir.Node{Op: "GRU", Attrs: attrs("linear_before_reset", after)}, 2, x, w, rec, b, nil, h)[1], 0, 0, 0)
	}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	hv := at(h, 0, 0, 0)
	wx := func(g int) float64 {
		return at(w, 0, g, 0)*at(x, 0, 0, 0) + at(w, 0, g, 1)*at(x, 0, 0, 1) + at(b, 0, g)
	}
	z := sigmoid(wx(0) + at(rec, 0, 0, 0)*hv + at(b, 0, 3))
	reset := sigmoid(wx(1) + at(rec, 0, 1, 0)*hv + at(b, 0, 4))
	before := math.Tanh(wx(2) + at(rec, 0, 2, 0)*(reset*hv) + at(b, 0, 5))
	after := math.Tanh(wx(2) + reset*(at(rec, 0, 2, 0)*hv+at(b, 0, 5)))
	for i, fresh := range []float64{before, after} {
		if got, want := run(i), (1-z)*fresh+z*hv; math.Abs(got-want) > 1e-12 {
			t.Errorf("linear_before_reset %d: %v, want %v", i, got, want)
		}
	}
}
