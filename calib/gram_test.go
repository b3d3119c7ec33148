package calib

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// convGrams are convolutions with attributes of all sorts.
var convGrams = []struct {
	attrs string
	w, x  []int
}{
	{"", []int{4, 3, 3, 3}, []int{2, 3, 7, 6}},
	{"pads=[1, 1, 1, 1]", []int{3, 20, 3, 3}, []int{2, 20, 5, 6}},
	{"pads=[0, 2, 1, 1], strides=[2, 3], dilations=[2, 1]", []int{3, 2, 3, 2}, []int{3, 2, 9, 8}},
	{"auto_pad=\"SAME_UPPER\", strides=[2, 2]", []int{3, 2, 3, 3}, []int{2, 2, 8, 7}},
	{"auto_pad=\"SAME_LOWER\", strides=[2, 2]", []int{3, 2, 3, 3}, []int{2, 2, 8, 7}},
	{"auto_pad=\"VALID\"", []int{3, 2, 2, 3}, []int{2, 2, 5, 5}},
	{"pads=[1, 1, 1, 1], group=6", []int{12, 1, 3, 3}, []int{2, 6, 6, 6}},
	{"group=2", []int{4, 3, 1, 1}, []int{2, 6, 3, 3}},
	{"pads=[1, 2]", []int{4, 3, 5}, []int{2, 3, 11}},
	{"pads=[1, 0, 1, 0, 1, 1]", []int{2, 2, 2, 3, 2}, []int{1, 2, 4, 5, 4}},
}

// TestConvGram: the error that changed weights make in the results of a convolution,
// as the operator computes it, is that which the products tell.
func TestConvGram(t *testing.T) {
	for _, c := range convGrams {
		r := rand.New(rand.NewPCG(1, 7))
		w, x := normal(r, c.w), normal(r, c.x)
		text := fmt.Sprintf("opset 17\ngraph g(x f32[%s], w f32[%s]) -> (y) {\n  y = Conv(x, w) {%s}\n}\n", list(c.x), list(c.w), c.attrs)
		m, err := ir.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := op.Run(t.Context(), m, map[string]op.Val{"x": x, "w": w})
		if err != nil {
			t.Fatal(err)
		}
		y := got[0].(*tensor.Tensor)
		g, err := NewConvGram(m.Graph.Nodes[0], c.w, 0, 3)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Add(x); err != nil {
			t.Fatal(err)
		}
		g.Finish()
		want := energies(y, 1)
		for o, row := range energyOf(g, w, 0) {
			if math.Abs(row-want[o]) > 1e-4*want[o] {
				t.Errorf("%s: channel %d has energy %v, want %v", c.attrs, o, row, want[o])
			}
		}
		if err := g.Add(normal(r, []int{1, 1, 1, 1, 1, 1})); err == nil {
			t.Errorf("%s: data of another shape are taken", c.attrs)
		}
	}
}

// TestDenseGram sums along each axis.
func TestDenseGram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	x := normal(r, []int{30, 25, 20})
	for axis, k := range x.Shape {
		g := NewDenseGram(k, axis, 0, 2)
		for range 2 {
			if err := g.Add(x); err != nil {
				t.Fatal(err)
			}
		}
		g.Finish()
		inner := tensor.Len(x.Shape[axis+1:])
		for i := range k {
			for j := range k {
				want := 0.0
				for p := range x.Len() / k {
					at := p/inner*k*inner + p%inner
					want += 2 * float64(tensor.Data[float32](x)[at+i*inner]) * float64(tensor.Data[float32](x)[at+j*inner])
				}
				if got := g.Sums[0][i*k+j]; math.Abs(got-want) > 1e-3 {
					t.Fatalf("axis %d, [%d, %d]: %v, want %v", axis, i, j, got, want)
				}
			}
		}
		if g.Rows != 2*x.Len()/k {
			t.Errorf("%d rows", g.Rows)
		}
	}
}

// TestGramPlaces: of many places some are taken, over samples all alike.
func TestGramPlaces(t *testing.T) {
	seen := make([]int, 50)
	g := NewDenseGram(1, 1, 8, 1)
	for range 100 {
		g.chosen(len(seen), func(p int) { seen[p]++ })
	}
	for p, n := range seen {
		if n < 12 || n > 20 {
			t.Errorf("place %d was seen %d times, want 16", p, n)
		}
	}
}

func normal(r *rand.Rand, shape []int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, shape...)
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = float32(r.NormFloat64())
	}
	return x
}

func list(dims []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(dims)), ","), "[]")
}

// energies sums squares along an axis.
func energies(x *tensor.Tensor, axis int) []float64 {
	dim, inner := x.Shape[axis], tensor.Len(x.Shape[axis+1:])
	out := make([]float64, dim)
	for i, v := range tensor.Data[float32](x) {
		out[i/inner%dim] += float64(v) * float64(v)
	}
	return out
}

// energyOf is w·H·wᵀ of every row.
func energyOf(g *Gram, w *tensor.Tensor, axis int) []float64 {
	rows := w.Shape[axis]
	out := make([]float64, rows)
	for o := range rows {
		h, row := g.Sums[o*g.Groups/rows], tensor.Data[float32](w)[o*g.K:]
		for i := range g.K {
			for j := range g.K {
				out[o] += float64(row[i]) * h[i*g.K+j] * float64(row[j])
			}
		}
	}
	return out
}
