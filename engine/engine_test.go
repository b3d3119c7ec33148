package engine_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pare/engine"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// model parses a model of the newest operator set that rows know. body is the
// graph from its inputs on.
func model(t testing.TB, body string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader("ir_version 8\nopset 18\ngraph g" + body))
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return m
}

// fill gives every element of a tensor a normal number that depends on the name
// alone; integers are small.
func fill(name string, x *tensor.Tensor) *tensor.Tensor {
	h := fnv.New64a()
	h.Write([]byte(name))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	values := make([]float64, x.Len())
	for i := range values {
		values[i] = r.NormFloat64()
		if x.Type.IsInt() {
			values[i] = float64(r.IntN(2))
		}
	}
	y, err := tensor.FromFloat64s(x.Type, x.Shape, values)
	if err != nil {
		panic(err)
	}
	return y
}

// fillConsts makes random weights of the constants whose names begin with w.
func fillConsts(m *ir.Model) {
	for _, v := range m.Graph.Consts {
		if strings.HasPrefix(v.Name, "w") {
			v.Const = fill(v.Name, v.Const)
		}
	}
}

// inputsOf makes inputs for a model; size stands for every symbol.
func inputsOf(m *ir.Model, size int) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for _, v := range m.Graph.Inputs {
		shape := make([]int, len(v.Type.Shape))
		for i, d := range v.Type.Shape {
			if shape[i] = d.N; d.N < 0 {
				shape[i] = size
			}
		}
		in[v.Name] = fill(v.Name, tensor.New(v.Type.DType, shape...))
	}
	return in
}

// byReference is what package op computes.
func byReference(t testing.TB, m *ir.Model, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	vals := map[string]op.Val{}
	for k, v := range in {
		vals[k] = v
	}
	out, err := op.Run(context.Background(), m, vals)
	if err != nil {
		t.Fatal(err)
	}
	res := map[string]*tensor.Tensor{}
	for i, v := range m.Graph.Outputs {
		res[v.Name] = out[i].(*tensor.Tensor)
	}
	return res
}

// distance is the largest error, relative to the largest value.
func distance(got, want *tensor.Tensor) error {
	if got == nil || got.Type != want.Type || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	g, w := tensor.Float64s(got), tensor.Float64s(want)
	scale, worst, at := 1e-6, 0.0, 0
	for i := range w {
		if w[i] != w[i] && g[i] != g[i] {
			continue
		}
		scale = max(scale, math.Abs(w[i]))
		if e := math.Abs(g[i] - w[i]); e > worst || e != e {
			worst, at = e, i
		}
	}
	tol := 2e-5
	if want.Type == tensor.Float16 || want.Type == tensor.BFloat16 {
		tol = 0.02
	}
	if !(worst <= tol*scale) {
		return fmt.Errorf("%v: element %d is %v, want %v (values up to %.3g)", want, at, g[at], w[at], scale)
	}
	return nil
}

// compare runs a model by the engine and by reference and returns the kernels
// used.
func compare(t testing.TB, m *ir.Model, in map[string]*tensor.Tensor) []string {
	t.Helper()
	ctx := context.Background()
	p, err := engine.Compile(ctx, m, engine.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	s := p.NewSession()
	got, err := s.Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range byReference(t, m, in) {
		if err := distance(got[name], want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	steps, err := s.Profile(ctx, in, 1)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, st := range steps {
		names = append(names, st.Kernel)
	}
	return names
}

// rowCase is a graph and the kernels that must compute it, in order; nil leaves
// that open but excludes the reference.
type rowCase struct {
	name, body string
	kernels    []string
}

// check runs cases with symbols of sizes 1 to 3.
func check(t *testing.T, cases []rowCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= 3; size++ {
				m := model(t, c.body)
				fillConsts(m)
				kernels := compare(t, m, inputsOf(m, size))
				if c.kernels != nil && !slices.Equal(kernels, c.kernels) {
					t.Errorf("computed by %q, want %q", kernels, c.kernels)
				}
				if c.kernels == nil && slices.Contains(kernels, "reference") {
					t.Errorf("computed by %q", kernels)
				}
			}
		})
	}
}
