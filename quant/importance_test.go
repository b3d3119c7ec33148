package quant_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"pare/compress"
	"pare/internal/fault"
	"pare/ir"
)

// TestMixedByLoss: every importance gives widths within the budget, and those in units
// of the loss say what they expected and what came of it.
func TestMixedByLoss(t *testing.T) {
	for _, kind := range []string{"fisher", "gradient", "measured", "singe", "output"} {
		m := gptqNet(t)
		rep, err := runRecipe(t.Context(), t, m, "mixed(base=uniform,budget=5,samples=20,importance="+kind+")", compress.Options{Data: alikeData(40), Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		bits, params := 0, 0
		for _, l := range rep.Layers {
			if !l.Skipped {
				bits, params = bits+l.Bits*l.Params, params+l.Params
			}
		}
		if float64(bits) > 5*float64(params) || float64(bits) < 3.5*float64(params) {
			t.Errorf("%s: %d bits for %d weights", kind, bits, params)
		}
		loss := rep.Steps[0].Loss
		if told := kind != "singe" && kind != "output"; told != (loss != nil) {
			t.Errorf("%s: %+v", kind, loss)
		}
		if loss != nil && (loss.Samples != 20 || !(loss.Predicted > 0) || math.IsNaN(loss.Measured)) {
			t.Errorf("%s: %+v", kind, loss)
		}
	}
}

// TestFisherPredicts: errors of 8 bits are small enough for squared gradients to tell, on
// average over directions, what measuring tells.
func TestFisherPredicts(t *testing.T) {
	var predicted [2]float64
	for i, kind := range []string{"fisher", "measured"} {
		rep, err := runRecipe(t.Context(), t, gptqNet(t), "mixed(base=uniform,least=6,budget=6,samples=40,importance="+kind+")", compress.Options{Data: alikeData(40)})
		if err != nil {
			t.Fatal(err)
		}
		predicted[i] = rep.Steps[0].Loss.Predicted
	}
	if r := predicted[0] / predicted[1]; !(r > 0.2 && r < 5) {
		t.Errorf("Fisher expects %v, measured layer by layer it is %v", predicted[0], predicted[1])
	}
}

func TestMixedByLossWithoutData(t *testing.T) {
	_, err := runRecipe(t.Context(), t, gptqNet(t), "mixed(base=uniform,importance=fisher)", compress.Options{})
	if _, _, hint := fault.Describe(err); err == nil || !strings.Contains(hint, "--data") {
		t.Errorf("%v, hint %q", err, hint)
	}
}

// TestMixedByTime: what is measured decides, whatever weights cost in bits.
func TestMixedByTime(t *testing.T) {
	o := compress.Options{Data: alikeData(20), Times: func(_ context.Context, m *ir.Model, formats []string) (map[string]map[string]float64, error) {
		out := map[string]map[string]float64{}
		for _, l := range compress.Layers(m) {
			out[l.Name] = map[string]float64{}
			for _, f := range formats {
				out[l.Name][f] = 1
				if l.Name == "conv1" && strings.Contains(f, "w8") {
					out[l.Name][f] = 10
				}
			}
		}
		return out, nil
	}}
	rep, err := runRecipe(t.Context(), t, gptqNet(t), "mixed(base=uniform(a=8),least=4,cost=time,budget=0.5,importance=measured,samples=8)", o)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range rep.Layers {
		if want := map[bool]int{true: 4, false: 8}[l.Name == "conv1"]; !l.Skipped && l.Bits != want {
			t.Errorf("%s has %d bits, want %d", l.Name, l.Bits, want)
		}
	}
	if _, err := runRecipe(t.Context(), t, gptqNet(t), "mixed(base=uniform(a=8),least=4,cost=bops,budget=5)", compress.Options{Data: alikeData(20)}); err != nil {
		t.Error(err)
	}
}
