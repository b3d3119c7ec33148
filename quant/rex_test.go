package quant_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"pare/compress"
	"pare/compress/compresstest"
	"pare/engine"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// shrink applies a recipe to the test network of convolutions.
func shrink(t *testing.T, recipe string) (*ir.Model, *compress.Report) {
	t.Helper()
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	m := compresstest.Models[0].Build()
	rep, err := r.Run(context.Background(), m, compress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m, rep
}

// expansion is the report of the step that expanded, and its layers by name.
func expansion(t *testing.T, rep *compress.Report) (compress.Expansion, map[string]compress.LayerReport) {
	t.Helper()
	layers := map[string]compress.LayerReport{}
	for _, l := range rep.Layers {
		if strings.HasPrefix(l.Step, "rex") {
			layers[l.Name] = l
		}
	}
	for _, s := range rep.Steps {
		if s.Expansion != nil {
			return *s.Expansion, layers
		}
	}
	t.Fatal("no step expanded")
	return compress.Expansion{}, nil
}

// TestBudget: no spread spends more than the budget, all spend most of it, and
// more of it never makes a layer worse.
func TestBudget(t *testing.T) {
	for _, spread := range []string{"constant", "linear", "sensitivity"} {
		for _, count := range []string{"bitops", "bytes"} {
			before := math.Inf(1)
			for _, budget := range []string{"1.25", "1.5", "1.75"} {
				_, rep := shrink(t, "rex(base=uniform(w=4),order=3,bits=2,budget="+budget+",spread="+spread+",count="+count+")")
				x, layers := expansion(t, rep)
				spent, want := x.BitOperations, map[string]float64{"1.25": 1.25, "1.5": 1.5, "1.75": 1.75}[budget]
				if count == "bytes" {
					spent = x.Bytes
				}
				// A row of these small layers takes bytes, a layer's scales some more.
				if spent > want+.02 || (spent < want-.15 && count == "bitops") {
					t.Errorf("%s, %s: spent %.3f of %v", spread, count, spent, want)
				}
				left := 0.0
				for _, l := range layers {
					if l.ErrorAfter > l.ErrorBefore*1.000001 {
						t.Errorf("%s %s: the terms of %s raise its error from %v to %v", spread, budget, l.Name, l.ErrorBefore, l.ErrorAfter)
					}
					left += float64(l.Params) * l.ErrorAfter
				}
				if left > before {
					t.Errorf("%s, %s: a budget of %s leaves more error than a smaller one", spread, count, budget)
				}
				before = left
			}
		}
	}
}

// TestOrders: every order divides the error of dense expansions by 2^bits and
// more, whatever the first one is.
func TestOrders(t *testing.T) {
	for _, base := range []string{"uniform(w=3)", "powerquant(w=3)", "ternary(edges=0)", "codebook(w=3)"} {
		before := map[string]float64{}
		for _, order := range []string{"1", "2", "3", "4"} {
			_, rep := shrink(t, "rex(base="+base+",bits=2,budget=0,order="+order+")")
			_, layers := expansion(t, rep)
			for name, l := range layers {
				// The range of the first rest is not that of evenly spread numbers.
				factor := 3.5
				if order == "2" {
					factor = 1.5
				}
				if b, ok := before[name]; ok && l.ErrorAfter > b/factor {
					t.Errorf("%s, %s, order %s: error %v after %v", base, name, order, l.ErrorAfter, b)
				}
				if want := int(order[0] - '0'); l.Orders != want && l.Reason == "" {
					t.Errorf("%s: %d orders, not %d, and no reason", name, l.Orders, want)
				}
				before[name] = l.ErrorAfter
			}
		}
	}
}

// TestManyOrders: with enough orders of two bits every layer returns to its
// weights, depthwise ones whose rows are short among them.
func TestManyOrders(t *testing.T) {
	_, rep := shrink(t, "rex(base=uniform(w=2),order=6,budget=0)")
	x, layers := expansion(t, rep)
	short := false
	for name, l := range layers {
		if l.Orders != 6 || l.ErrorAfter > 1e-3 {
			t.Errorf("%s (%s) has %d orders and an error of %v: %s", name, l.Kind, l.Orders, l.ErrorAfter, l.Reason)
		}
		short = short || l.Kind == string(compress.Depthwise)
	}
	if !short {
		t.Error("no depthwise layer in the test network")
	}
	if math.Abs(x.BitOperations-6) > 1e-9 {
		t.Errorf("%v times the bit-operations of one order, not 6", x.BitOperations)
	}
}

// TestRepeated: an expanded network is listed as compressed, with its terms, and
// left alone by the next step.
func TestRepeated(t *testing.T) {
	for _, recipe := range []string{"rex(base=uniform(w=4),bits=2)", "rex(base=powerquant(w=4),steps=max)", "codebook", "ternary"} {
		m, rep := shrink(t, recipe)
		for _, l := range rep.Layers {
			if l.Skipped {
				t.Errorf("%s leaves %s: %s", recipe, l.Name, l.Reason)
			}
		}
		formats := map[string]string{}
		for _, l := range rep.Layers {
			formats[l.Name] = l.Format
		}
		for _, l := range compress.Layers(m) {
			if want := "already compressed: " + strings.TrimPrefix(formats[l.Name], "?"); l.Reason != want && l.Bits == 0 {
				t.Errorf("%s: %s is %q, reported as %q", recipe, l.Name, l.Reason, formats[l.Name])
			}
		}
	}
}

// TestEngine: the engine takes all terms into account, where data are integers as
// well: what it computes is what the operators' references compute.
func TestEngine(t *testing.T) {
	declared := compress.InputRange{Lo: []float64{-4}, Hi: []float64{4}}
	for _, recipe := range []string{
		"fold+rex(base=uniform(w=4,a=8))", "fold+rex(base=uniform(w=2,a=8),order=4,budget=0,steps=max)",
		"fold+rex(base=uniform(w=4,a=8),order=2,bits=4,steps=fused)", "fold+rex(base=uniform(w=4,a=8),order=2,bits=4,steps=shift)",
		"fold+rex(base=uniform(w=4,a=8),order=2,steps=shift)", "fold+rex(base=uniform(w=3,a=8),steps=shift,budget=0)",
		"fold+rex(base=uniform(w=4,a=4),inputs=2)", "fold+codebook(w=4,top=0)",
	} {
		r, err := compress.Parse(recipe)
		if err != nil {
			t.Fatal(err)
		}
		model := compresstest.Models[0]
		m := model.Build()
		if _, err := r.Run(t.Context(), m, compress.Options{Input: declared}); err != nil {
			t.Fatal(err)
		}
		var out [2]*tensor.Tensor
		for i := range out {
			p, err := engine.Compile(t.Context(), m, engine.Options{Reference: i == 1})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.NewSession().Run(t.Context(), model.Input())
			if err != nil {
				t.Fatal(err)
			}
			out[i] = got[m.Graph.Outputs[0].Name]
		}
		d := format.Difference(tensor.Float32s(out[1]), tensor.Float32s(out[0]))
		// A sum between two codes may fall to either side.
		if d.SNR() < 35 {
			t.Errorf("%s: %.1f dB", recipe, d.SNR())
		}
	}
}

// TestEdges: layers that the base keeps wide get no further terms.
func TestEdges(t *testing.T) {
	_, rep := shrink(t, "rex(base=uniform(w=4,edges=8),budget=0)")
	_, layers := expansion(t, rep)
	for name, l := range layers {
		edge := name == "conv1" || name == "fc"
		if (l.Orders == 1) != edge || edge != (l.Reason != "") {
			t.Errorf("%s has %d orders: %s", name, l.Orders, l.Reason)
		}
	}
}

func TestRexRefuses(t *testing.T) {
	for recipe, want := range map[string]string{
		"rex(base=fold)":              "choose uniform",
		"rex(base=rex)":               "choose uniform",
		"rex(order=9)":                "1..8",
		"rex(inputs=2)":               "quantises data",
		"rex(bits=9)":                 "0..8",
		"rex(budget=0.5)":             "at least 1",
		"rex(base=uniform(w=9))":      "2..8",
		"rex(spread=log)":             "constant, linear, sensitivity",
		"codebook(w=7)":               "2..6",
		"codebook(w=6,top=16)":        "need 32",
		"powerquant(w=6,top=16)":      "need 32",
		"ternary(edges=9)":            "2..8",
		"ternary(equal=nothing)":      "support, mass, error",
		"codebook(importance=always)": "none, input",
	} {
		if _, err := compress.Parse(recipe); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q in it", recipe, err, want)
		}
	}
}
