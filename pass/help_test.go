package pass_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// parse reads a model in the text form.
func parse(t testing.TB, src string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return m
}

// fillRandom replaces constants that consist of zeros alone ("{*0.0}" in the
// text form) by random ones.
func fillRandom(m *ir.Model, seed uint64) *ir.Model {
	r := rand.New(rand.NewPCG(seed, 1))
	for _, v := range m.Graph.Consts {
		if !v.Const.Type.IsFloat() {
			continue
		}
		x := tensor.Float64s(v.Const)
		zero := true
		for _, e := range x {
			zero = zero && e == 0
		}
		if !zero || len(x) < 2 || strings.HasPrefix(v.Name, "zero") {
			continue
		}
		for i := range x {
			x[i] = r.NormFloat64()
			if strings.HasPrefix(v.Name, "var") {
				x[i] = 0.2 + r.Float64()
			}
			if strings.HasPrefix(v.Name, "pos") {
				x[i] = 0.2 + math.Abs(x[i])
			}
		}
		v.Const, _ = tensor.FromFloat64s(v.Const.Type, v.Const.Shape, x)
	}
	return m
}

// inputs makes random values for the inputs of m; symbolic dimensions are size.
func inputs(m *ir.Model, size int) []op.Val {
	r := rand.New(rand.NewPCG(7, uint64(size)))
	var out []op.Val
	for _, v := range m.Graph.Inputs {
		if v.Const != nil {
			out = append(out, nil)
			continue
		}
		shape := make([]int, len(v.Type.Shape))
		for i, d := range v.Type.Shape {
			if shape[i] = d.N; !d.IsKnown() {
				shape[i] = size
			}
		}
		x := make([]float64, tensor.Len(shape))
		for i := range x {
			if x[i] = r.NormFloat64(); v.Type.DType.IsInt() {
				x[i] = float64(r.IntN(3))
			}
		}
		t, err := tensor.FromFloat64s(v.Type.DType, shape, x)
		if err != nil {
			panic(err)
		}
		out = append(out, t)
	}
	return out
}

// run evaluates m by reference.
func run(t testing.TB, m *ir.Model, in []op.Val) []op.Val {
	t.Helper()
	out, err := op.RunList(context.Background(), m, in)
	if err != nil {
		t.Fatalf("%v\n%v", err, m)
	}
	return out
}

// difference is the largest difference of two lists of results, relative to the
// largest magnitude of the wanted one, or to a hundredth where all are smaller.
func difference(t testing.TB, got, want []op.Val) float64 {
	t.Helper()
	worst := 0.0
	for i := range want {
		a, b := got[i].(*tensor.Tensor), want[i].(*tensor.Tensor)
		x, y := tensor.Float64s(a), tensor.Float64s(b)
		if a.Type != b.Type || len(x) != len(y) {
			t.Fatalf("result %d is %v, want %v", i, a, b)
		}
		top, diff := 1e-2, 0.0
		for k := range y {
			top, diff = max(top, math.Abs(y[k])), max(diff, math.Abs(x[k]-y[k]))
			if math.IsNaN(x[k]) != math.IsNaN(y[k]) {
				t.Fatalf("result %d has %v at %d, want %v", i, x[k], k, y[k])
			}
		}
		worst = max(worst, diff/top)
	}
	return worst
}

// simplify simplifies a copy of m, checks it after every pass, and compares
// results for two batch sizes.
func simplify(t testing.TB, m *ir.Model) (*ir.Model, pass.SimplifyReport) {
	t.Helper()
	out := ir.CloneModel(m)
	rep, err := pass.SimplifyWith(context.Background(), out, pass.Options{After: func(p pass.Pass, _ int) error {
		if err := ir.Check(out.Graph); err != nil {
			t.Errorf("after pass %s: %v", p.Name, err)
		}
		if d := difference(t, run(t, out, inputs(out, 2)), run(t, m, inputs(m, 2))); d != 0 {
			t.Errorf("pass %s changes results by %g\n%v", p.Name, d, out)
		}
		return nil
	}})
	if err != nil {
		t.Fatalf("%v\n%v", err, out)
	}
	if d := difference(t, run(t, out, inputs(out, 3)), run(t, m, inputs(m, 3))); d != 0 {
		t.Errorf("results differ by %g\n%v", d, out)
	}
	return out, rep
}

// ops lists the operators of the nodes of m in order.
func ops(m *ir.Model) string {
	var list []string
	for _, n := range m.Graph.Nodes {
		list = append(list, n.Op)
	}
	return strings.Join(list, " ")
}
