package pass_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// measure returns the statistics per channel of every image-shaped value.
func measure(t *testing.T, m *ir.Model, in []op.Val) map[*ir.Value]*ir.Stats {
	t.Helper()
	out := map[*ir.Value]*ir.Stats{}
	see := func(v *ir.Value, x *tensor.Tensor) {
		if x.Rank() != 4 {
			return
		}
		c, plane := x.Shape[1], tensor.Len(x.Shape[2:])
		s := &ir.Stats{Axis: 1, Mean: make([]float64, c), Std: make([]float64, c), Lo: slices.Repeat([]float64{math.Inf(1)}, c), Hi: slices.Repeat([]float64{math.Inf(-1)}, c), Source: "measured"}
		n := float64(x.Len() / c)
		for i, e := range tensor.Float64s(x) {
			k := i / plane % c
			s.Mean[k] += e / n
			s.Std[k] += e * e / n
			s.Lo[k], s.Hi[k] = min(s.Lo[k], e), max(s.Hi[k], e)
		}
		for k := range s.Std {
			s.Std[k] = math.Sqrt(max(0, s.Std[k]-s.Mean[k]*s.Mean[k]))
		}
		out[v] = s
	}
	for i, v := range m.Graph.Inputs {
		see(v, in[i].(*tensor.Tensor))
	}
	it := &op.Interp{Model: m, Observe: func(_ *ir.Node, v *ir.Value, x op.Val) { see(v, x.(*tensor.Tensor)) }}
	if _, err := it.RunList(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStatsFollow measures values of random graphs, folds, and measures again:
// recorded statistics must have changed as the values did.
func TestStatsFollow(t *testing.T) {
	checked := 0
	for seed := range uint64(100) {
		m := fillRandom(parse(t, randomGraph(seed)), seed)
		in := inputs(m, 3)
		for v, s := range measure(t, m, in) {
			v.Stats = s
		}
		if _, err := pass.FoldBatchNorms(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		for v, now := range measure(t, m, in) {
			if v.Stats == nil {
				continue
			}
			if v.Stats.Source != "measured" {
				t.Fatalf("seed %d: %q has statistics from %s", seed, v.Name, v.Stats.Source)
			}
			checked++
			for k := range now.Mean {
				near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-3*(1+now.Hi[k]-now.Lo[k]) }
				if s := v.Stats; !near(s.Mean[k], now.Mean[k]) || !near(s.Std[k], now.Std[k]) || !near(s.Lo[k], now.Lo[k]) || !near(s.Hi[k], now.Hi[k]) {
					t.Fatalf("seed %d: channel %d of %q is recorded as %+v, measured as %+v\n%v", seed, k, v.Name, v.Stats, now, m)
				}
			}
		}
	}
	if checked < 500 {
		t.Errorf("only %d values were compared", checked)
	}
}

// TestStatsOfBatchNorms holds where the statistics of a batch-norm are kept.
func TestStatsOfBatchNorms(t *testing.T) {
	const in = "opset 17\ngraph g(x f32[N,4,6,6]) -> (y) {"
	tests := []struct{ name, src, value, norm string }{
		{"on the layer it went into", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + "\n y = Relu(b)\n}", "a", "b"},
		{"behind an addition made for it", "opset 17\ngraph g(x f32[3,4]) -> (y) {\nconst w = f32[4,6]{*0.0}\na = MatMul(x, w)" + bn("b", "a", 6) + "\ny = Relu(b)\n}", "a_bias", "b"},
		{"behind a pooling", in + conv("a", "x", 6, 4, 3, "") + "\n p = GlobalAveragePool(a)" + bn("b", "p", 6) + "\n y = Relu(b)\n}", "p", "b"},
		{"of another batch-norm that compensates", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + bn("c", "a", 6) + "\n d = Relu(b)\n e = Relu(c)\n y = Add(d, e)\n}", "c", "c"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := fillRandom(parse(t, tc.src), 5)
			gamma := tensor.Float64s(m.Graph.Value("g_" + tc.norm).Const)
			beta := slices.Clone(tensor.Float64s(m.Graph.Value("b_" + tc.norm).Const))
			out, rep := fold(t, m, pass.FoldOptions{})
			v := out.Graph.Value(tc.value)
			if rep.Folded != 1 || v == nil || v.Stats == nil {
				t.Fatalf("folded %d, no statistics\n%v", rep.Folded, out)
			}
			s := v.Stats
			if s.Axis != 1 || !strings.HasSuffix(s.Source, "batch-norm "+tc.norm) || !slices.Equal(s.Mean, beta) {
				t.Errorf("statistics are %+v, want mean %v", s, beta)
			}
			for k := range gamma {
				if s.Std[k] != math.Abs(gamma[k]) {
					t.Errorf("deviations are %v, want those of %v", s.Std, gamma)
				}
			}
		})
	}
	m := fillRandom(parse(t, in+"\n r = Relu(x)"+bn("b", "r", 4)+conv("y", "b", 6, 4, 3, "")+"\n}"), 5)
	mean := tensor.Float64s(m.Graph.Value("m_b").Const)
	out, _ := fold(t, m, pass.FoldOptions{})
	if s := out.Graph.Value("r").Stats; s == nil || !slices.Equal(s.Mean, mean) {
		t.Errorf("forward: statistics of the operand are %+v, want mean %v", s, mean)
	}
}
