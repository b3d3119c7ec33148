package prune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/cost"
	"pare/dataset"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// chained is a network of three convolutions, 16, 32 and 16 channels wide, and a
// product: weights are pseudo-random, as edit leaves them.
func chained(t *testing.T, edit func(w map[string][]float32)) *ir.Model {
	t.Helper()
	shapes := []struct {
		name  string
		shape string
		n     int
	}{{"a", "16,3,3,3", 432}, {"b", "32,16,3,3", 4608}, {"c", "16,32,1,1", 512}, {"d", "16,10", 160}}
	w, seed := map[string][]float32{}, uint32(7)
	for _, s := range shapes {
		for range s.n {
			seed = seed*1664525 + 1013904223
			w[s.name] = append(w[s.name], float32(int32(seed))/(1<<33))
		}
	}
	if edit != nil {
		edit(w)
	}
	var text strings.Builder
	text.WriteString("ir_version 8\nopset 18\ngraph g(x f32[N,3,12,12]) -> (y) {\n")
	for _, s := range shapes {
		fmt.Fprintf(&text, "  const %s = f32[%s]{%s}\n", s.name, s.shape, strings.ReplaceAll(strings.Trim(fmt.Sprint(w[s.name]), "[]"), " ", ", "))
	}
	text.WriteString("  p = Conv(x, a) {pads=[1, 1, 1, 1]}\n  q = Relu(p)\n  r = Conv(q, b) {pads=[1, 1, 1, 1]}\n  s = Conv(r, c)\n  u = Relu(s)\n  v = GlobalAveragePool(u)\n  f = Flatten(v)\n  y = MatMul(f, d)\n}\n")
	m, err := ir.Parse(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run applies a recipe with the engine and an input within -1 to 1 at hand.
func run(t *testing.T, m *ir.Model, recipe string) (*compress.Report, error) {
	t.Helper()
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	return r.Run(context.Background(), m, compress.Options{
		Threads: 2, Run: newEngineRunner, Input: compress.InputRange{Lo: []float64{-1}, Hi: []float64{1}},
		Data: &calib.Data{Set: pictured(t, m, 1), Run: newEngineRunner},
	})
}

// pictured are made-up pictures for m.
func pictured(t *testing.T, m *ir.Model, seed uint64) dataset.Set {
	t.Helper()
	set, err := calib.Noise(m, []float64{-1}, []float64{1}, 64, seed)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// results are the outputs for other pictures.
func results(t *testing.T, m *ir.Model) []float32 {
	t.Helper()
	b, err := pictured(t, m, 2).Batch(context.Background(), 0, 16)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newEngineRunner(m, m.Graph.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Run(context.Background(), map[string]*tensor.Tensor{"x": b.Inputs[""]})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(tensor.Float32s(got[0]))
}

// TestAmountsAreMet: from below, to the last unit, in every scope.
func TestAmountsAreMet(t *testing.T) {
	whole, _ := cost.Stored(chained(t, nil))
	for _, scope := range []string{"layer", "global", "model"} {
		for _, c := range []struct {
			amount string
			got    func(m *ir.Model, r *compress.Report) float64
			want   float64
		}{
			{"macs=0.6", func(_ *ir.Model, r *compress.Report) float64 { return float64(r.After.MACs) / float64(r.Before.MACs) }, 0.6},
			{"params=0.7", func(m *ir.Model, _ *compress.Report) float64 {
				n, _ := cost.Stored(m)
				return float64(n) / float64(whole)
			}, 0.7},
		} {
			m := chained(t, nil)
			rep, err := run(t, m, fmt.Sprintf("magnitude(%s,scope=%s,compensate=none,keep=2)", c.amount, scope))
			if err != nil {
				t.Fatal(err)
			}
			if x := c.got(m, rep); x > c.want || x < c.want-0.05 {
				t.Errorf("%s, scope %s: %.4f is left", c.amount, scope, x)
			}
		}
	}
}

// TestRate: so many of the 64 channels go, and every group keeps what it must.
func TestRate(t *testing.T) {
	for _, scope := range []string{"layer", "global", "model"} {
		m := chained(t, nil)
		if _, err := run(t, m, "random(rate=0.5,keep=6,compensate=none,scope="+scope+")"); err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, name := range []string{"a", "b", "c"} {
			n := m.Graph.Value(name).Const.Shape[0]
			if left += n; n < 6 {
				t.Errorf("scope %s: %s keeps %d channels", scope, name, n)
			}
		}
		if left != 32 {
			t.Errorf("scope %s: %d of 64 channels are left", scope, left)
		}
	}
}

// TestAlign: groups of at least four times as many keep multiples, within the budget.
func TestAlign(t *testing.T) {
	m := chained(t, nil)
	rep, err := run(t, m, "magnitude(macs=0.6,align=4,keep=2,compensate=none)")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if n := m.Graph.Value(name).Const.Shape[0]; n%4 != 0 {
			t.Errorf("%s keeps %d channels", name, n)
		}
	}
	if float64(rep.After.MACs) > 0.6*float64(rep.Before.MACs) {
		t.Errorf("%d multiply-accumulates of %d", rep.After.MACs, rep.Before.MACs)
	}
}

// TestUnreachable: one error says what can be reached.
func TestUnreachable(t *testing.T) {
	for recipe, want := range map[string]string{
		"magnitude(macs=0.01,compensate=none)":     "macs=0.01 cannot be reached: at least 0.1",
		"random(params=0.02,compensate=none)":      "of the parameters stay",
		"magnitude(rate=0.9,compensate=none)":      "at most 0.625 of the removable channels may go",
		"bn-scale(rate=0.1)":                       "no batch-norm tells",
		"magnitude(macs=0.5);p:skip;r:skip;s:skip": "no channels of this network can be removed",
	} {
		_, err := run(t, chained(t, nil), recipe)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", recipe, err, want)
		}
		var out *Unreachable
		if strings.Contains(want, "reached") && !errors.As(err, &out) {
			t.Errorf("%s: %T is no Unreachable", recipe, err)
		}
	}
}

// TestNotFinite: a number that is none has an error that names node and parameter,
// whatever the method.
func TestNotFinite(t *testing.T) {
	for _, recipe := range []string{"magnitude(rate=0.1)", "random(granularity=weight,rate=0.1)", "red(hash=false)", "red++"} {
		m := chained(t, nil)
		tensor.Data[float32](m.Graph.Value("b").Const)[5] = float32(math.NaN())
		_, err := run(t, m, recipe)
		_, node, hint := fault.Describe(err)
		if err == nil || !strings.Contains(err.Error(), `"b": element 5 is NaN`) || node != `Conv "r"` || hint == "" {
			t.Errorf("%s: %v, node %s, hint %q", recipe, err, node, hint)
		}
	}
	m, err := ir.Parse(strings.NewReader("\nopset 17\ngraph g(x f32[1,2,4,4]) -> (z) {\n  const w = f32[2,2,1,1]{1, 2, 3, 4}\n  const s = f32[2]{1, 2}\n  const b = f32[2]{0, 0}\n  y = Conv(x, w)\n  z = BatchNormalization(y, s, b, b, s)\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	tensor.Data[float32](m.Graph.Value("s").Const)[1] = float32(math.Inf(1))
	if _, err := run(t, m, "magnitude"); err == nil || !strings.Contains(err.Error(), `BatchNormalization "z": its parameter "s": element 1 is +Inf`) {
		t.Errorf("an infinite scale: %v", err)
	}
}

// TestOpenOperations: a share of operations that are not known cannot be kept.
func TestOpenOperations(t *testing.T) {
	m := chained(t, nil)
	m.Graph.Inputs[0].Type.Shape[2] = ir.Dim{N: -1, Sym: "H"}
	r, err := compress.Parse("magnitude(macs=0.5,compensate=none)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.Run(context.Background(), m, compress.Options{}); err == nil || !strings.Contains(err.Error(), "layers are left open") {
		t.Errorf("%v", err)
	}
}

// TestDeadUnitsGo: without an amount, what nothing reads, what is zero, and nothing
// else, goes, and no output changes.
func TestDeadUnitsGo(t *testing.T) {
	m := chained(t, func(w map[string][]float32) {
		clear(w["a"][3*27 : 5*27]) // two rows of zeros
		for o := range 16 {
			w["c"][o*32+7] = 0 // a column of zeros
		}
		clear(w["d"][2*10 : 3*10]) // likewise
	})
	want := results(t, m)
	if _, err := run(t, m, "magnitude"); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"a": 14, "b": 31, "c": 15} {
		if got := m.Graph.Value(name).Const.Shape[0]; got != n {
			t.Errorf("%s keeps %d channels, want %d", name, got, n)
		}
	}
	if d := distance2(results(t, m), want); d > 1e-5 {
		t.Errorf("outputs differ by %.2g", d)
	}
}

// TestFitMakesUp: channels that are sums of others can be done without: surgeon finds
// them and fits the layer that reads them, which makes up for all but the ridge.
func TestFitMakesUp(t *testing.T) {
	build := func() *ir.Model {
		return chained(t, func(w map[string][]float32) {
			for k := range 8 { // r has no activation behind it: 8 of 32 rows are sums
				for i := range 144 {
					w["b"][(24+k)*144+i] = w["b"][k*144+i] + w["b"][(k+9)*144+i]
				}
			}
		})
	}
	want := results(t, build())
	var errs []float64
	for _, recipe := range []string{"magnitude(rate=0.12,compensate=none)", "magnitude(rate=0.12,compensate=mean)", "magnitude(rate=0.12)", "surgeon(rate=0.12)"} {
		m := build()
		if _, err := run(t, m, recipe); err != nil {
			t.Fatal(err)
		}
		errs = append(errs, distance2(results(t, m), want))
	}
	t.Logf("outputs differ by %.3g", errs)
	if errs[1] > 0.8*errs[0] || errs[2] > 0.8*errs[1] || errs[2] > 0.1 || errs[3] > 0.1 {
		t.Errorf("outputs differ by %.3g with means and fits made up for, and the surgeon's choice", errs)
	}
}
