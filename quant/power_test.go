package quant_test

import (
	"math"
	"testing"

	"pare/format"
	"pare/tensor"
)

// TestPowerTables computes a layer with weights and data on power grids as an
// integer kernel does, from the value tables of both sides: sums of products of
// integers of at most 127, times one factor per channel. The graph's operators
// must agree.
func TestPowerTables(t *testing.T) {
	for _, recipe := range []string{"powerquant(w=4,a=4)", "powerquant(w=5,a=5,aexponent=0.8)", "powerquant(w=6,a=6,top=127,rounding=squant)"} {
		const rows, in, out = 3, 40, 8
		m, x := gemm(t, rows, in, out)
		compressed(t, m, recipe)
		got := outputs(t, m, x)
		fc := m.Graph.Outputs[0].Producer()
		a, _, ok := format.MatchPowerActivation(m, fc.In[0])
		if !ok {
			t.Fatalf("%s: the data are on no power grid", recipe)
		}
		w, ok := format.MatchWeight(m, fc.In[1])
		if !ok || w.Spec.Kind != format.Power {
			t.Fatalf("%s: the weights are on no power grid", recipe)
		}
		codes, scales, levels := w.Codes.Clone(), tensor.Data[float32](w.Scale), a.Levels()
		bias := tensor.Data[float32](fc.In[2].Const)
		for r := range rows {
			for o := range out {
				acc := int32(0)
				for i := range in {
					code := tensor.Ints8(codes)[o*in+i]
					u, v := levels[a.Code(tensor.Data[float32](x)[r*in+i])], w.Levels[code]
					if max(u, -u, v, -v) > 127 {
						t.Fatalf("%s: levels %v and %v", recipe, u, v)
					}
					acc += int32(u) * int32(v)
				}
				want := float64(acc)*float64(a.Scale)*float64(scales[o]) + float64(bias[o])
				if d := math.Abs(want - float64(got[r*out+o])); d > 1e-5 {
					t.Errorf("%s: row %d, channel %d: %v, in integers %v", recipe, r, o, got[r*out+o], want)
				}
			}
		}
	}
}

// TestPowerPlacement: what layers read is on a power grid, what lies between on
// evenly spaced ones, and aexponent=1 asks for evenly spaced ones everywhere.
func TestPowerPlacement(t *testing.T) {
	body := w3 +
		"  c1" + stats + " = Conv(x, w, b)" + same + "  r1 = Relu(c1)\n" +
		"  c2" + stats + " = Conv(r1, w, b)" + same + "  s = Add(c2, r1)\n  r2 = Relu(s)\n" +
		"  y" + stats + " = Conv(r2, w, b)" + same
	for recipe, want := range map[string][2]int{"powerquant(w=4,a=4)": {3, 1}, "powerquant(w=4,a=4,aexponent=1)": {0, 4}, "powerquant(w=4,a=4,regions=false)": {3, 0}} {
		m := parse(t, "x f32[1,4,8,8]", body)
		rep := compressed(t, m, recipe)
		got := [2]int{}
		for v := range m.Graph.Values {
			if a, _, ok := format.MatchPowerActivation(m, v); ok {
				got[0]++
				if a.Bits != 4 || a.Exponent != rep.Steps[0].Exponent {
					t.Errorf("%s: grid %+v", recipe, a)
				}
			} else if _, _, ok := format.MatchActivation(v); ok {
				got[1]++
			}
		}
		if got != want {
			t.Errorf("%s: %v power and even grids, want %v:\n%s", recipe, got, want, flow(m))
		}
	}
}
