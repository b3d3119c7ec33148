package decompose_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// parse reads a network whose weights have yet to be filled.
func parse(t *testing.T, input, body string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader("ir_version 8\nopset 13\ngraph g(x " + input + ") -> (y) {\n" + body + "\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 9))
	for _, v := range m.Graph.Consts {
		if v.Const.Type == tensor.Float32 {
			fill(r, v.Const, func([]int) float64 { return r.NormFloat64() })
		}
	}
	return m
}

// fill sets the elements of a tensor by their indices.
func fill(r *rand.Rand, w *tensor.Tensor, f func(at []int) float64) {
	at := make([]int, len(w.Shape))
	for i := range w.Len() {
		k := i
		for d := len(at) - 1; d >= 0; d-- {
			at[d], k = k%w.Shape[d], k/w.Shape[d]
		}
		tensor.Data[float32](w)[i] = float32(f(at))
	}
}

// product fills w with a product of rank r: rows is the row of an element in the
// matrix, cols its column.
func product(w *tensor.Tensor, rank int, row, col func(at []int) int) {
	r := rand.New(rand.NewPCG(7, 7))
	a, b := make([]float64, w.Len()*rank), make([]float64, w.Len()*rank)
	for i := range a {
		a[i], b[i] = r.NormFloat64(), r.NormFloat64()
	}
	fill(r, w, func(at []int) float64 {
		sum := 0.0
		for k := range rank {
			sum += a[row(at)*rank+k] * b[col(at)*rank+k]
		}
		return sum / math.Sqrt(float64(rank*w.Len()/w.Shape[0]))
	})
}

// constant finds a constant by name.
func constant(t *testing.T, m *ir.Model, name string) *tensor.Tensor {
	t.Helper()
	v := m.Graph.Value(name)
	if v == nil || v.Const == nil {
		t.Fatalf("no constant %q", name)
	}
	return v.Const
}

func compressed(t *testing.T, m *ir.Model, recipe string) *compress.Report {
	t.Helper()
	rep, err := run(m, recipe)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// run compresses m, whose input lies in [-2, 3].
func run(m *ir.Model, recipe string) (*compress.Report, error) {
	r, err := compress.Parse(recipe)
	if err != nil {
		return nil, err
	}
	return r.Run(context.Background(), m, compress.Options{Threads: 2, Input: compress.InputRange{Lo: []float64{-2}, Hi: []float64{3}}})
}

func computed(t *testing.T, m *ir.Model) []float32 {
	t.Helper()
	shape, _ := m.Graph.Inputs[0].Type.Sizes()
	x, r := tensor.New(tensor.Float32, shape...), rand.New(rand.NewPCG(2, 3))
	fill(r, x, func([]int) float64 { return r.NormFloat64() })
	vals, err := op.Run(context.Background(), m, map[string]op.Val{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float32s(vals[0].(*tensor.Tensor))
}

// distance is the largest difference relative to the largest number.
func distance(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var d, top float64
	for i := range want {
		d, top = max(d, math.Abs(float64(got[i]-want[i]))), max(top, math.Abs(float64(want[i])))
	}
	return d / top
}
