package cost_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/cost"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

const (
	outs, ins, rows = 24, 7, 3
)

// dense is y = a w', [3][7] by [24][7], whose weights are replaced by an encoding.
func dense(t *testing.T, e *format.Encoded) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader("\nopset 21\ngraph g(a f32[3,7], w f32[24,7]) -> (y) {\n  y = Gemm(a, w, _) {transB=1} @y\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := ir.NewPatch(m.Graph, "encode")
	w := m.Graph.Value("w")
	p.Replace(w, format.Emit(p, m, "w", e, tensor.Float32))
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	return m
}

// plain are the numbers before the scale, by definition: levels, or codes less the
// zero point of their row.
func plain(e *format.Encoded) []float64 {
	codes := tensor.Ints8(e.Codes)
	out := make([]float64, len(codes))
	for i, c := range codes {
		zero := int16(0)
		if e.Zero != nil {
			zero = tensor.Ints8(e.Zero)[i/ins%e.Zero.Len()]
		}
		if out[i] = float64(c - zero); e.Levels != nil {
			out[i] = float64(e.Levels[c])
		}
	}
	return out
}

// counted are the multiplications and additions of a row of data.
func counted(w []float64) (multiplications, additions int64) {
	for i := range ins {
		seen := map[float64]bool{0: true, 1: true}
		for o := range outs {
			x := math.Abs(w[o*ins+i])
			if !seen[x] {
				multiplications++
			}
			seen[x] = true
			if x != 0 {
				additions++
			}
		}
	}
	return multiplications, additions
}

// TestFormats counts products of codes in every format by definition.
func TestFormats(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	w := tensor.New(tensor.Float32, outs, ins)
	for i := range tensor.Data[float32](w) {
		tensor.Data[float32](w)[i] = float32(r.NormFloat64()) + 0.2
	}
	for _, s := range []format.Spec{
		{Bits: 8, Grain: format.PerChannel}, {Bits: 4, Grain: format.PerChannel}, {Bits: 3, Grain: format.PerTensor},
		{Bits: 4, Grain: format.PerChannel, Asymmetric: true}, {Bits: 8, Grain: format.PerTensor, Asymmetric: true},
		{Kind: format.Power, Bits: 4, Exponent: 0.5, Grain: format.PerChannel}, {Kind: format.Power, Bits: 6, Exponent: 0.7, Top: 127, Grain: format.PerChannel},
		{Kind: format.Codebook, Bits: 3, Grain: format.PerChannel}, {Kind: format.Codebook, Bits: 4, Top: 48, Grain: format.PerChannel},
	} {
		e, _, err := format.Encode(w, s, format.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m := dense(t, e)
		if found, ok := format.MatchWeight(m, m.Graph.Nodes[len(m.Graph.Nodes)-1].In[1]); ok {
			e = found
		} else {
			t.Fatalf("%v is not recognised", s)
		}
		multiplications, additions := counted(plain(e))
		c := cost.Of(m)
		if l := c.Layers[0]; l.Multiplications != rows*multiplications || l.Additions != rows*additions || l.MACs != rows*outs*ins || l.Params != outs*ins {
			t.Errorf("%v: %+v, want %d and %d", s, l.Totals, rows*multiplications, rows*additions)
		}
	}
}

// TestTerms: an expansion costs what its terms cost, those on some rows there alone.
func TestTerms(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 2))
	w, rest := tensor.New(tensor.Float32, outs, ins), tensor.New(tensor.Float32, outs, ins)
	for i := range tensor.Data[float32](w) {
		tensor.Data[float32](w)[i], tensor.Data[float32](rest)[i] = float32(r.NormFloat64()), float32(0.05*r.NormFloat64())
	}
	e, _, err := format.Encode(w, format.Spec{Bits: 4, Grain: format.PerChannel}, format.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	multiplications, additions := counted(plain(e))
	for _, some := range [][]int{nil, {1, 5, 23}} {
		o, err := format.NewOrder(rest, 0, some, format.OrderOptions{Bits: 4})
		if err != nil {
			t.Fatal(err)
		}
		term := make([]float64, outs*ins)
		codes := tensor.Ints8(o.Codes)
		for k := range len(codes) / ins {
			at := k
			if some != nil {
				at = some[k]
			}
			for i := range ins {
				term[at*ins+i] = float64(codes[k*ins+i]) + float64(o.Offset)
				if o.Offset != 0 {
					term[at*ins+i] *= 2
				}
			}
		}
		more, added := counted(term)
		l := cost.Of(dense(t, e.Extend(o))).Layers[0]
		if l.Multiplications != rows*(multiplications+more) || l.Additions != rows*(additions+added) {
			t.Errorf("rows %v: %+v, want %d and %d", some, l.Totals, rows*(multiplications+more), rows*(additions+added))
		}
	}
}
