package main

import (
	"strings"
	"testing"

	"pare/compress"
	"pare/cost"
)

// TestPrunedLayers: layers whose channels went have no error of weights, and those
// of open sizes no counts of operations.
func TestPrunedLayers(t *testing.T) {
	cut := func(params, channels int, macs int64) *compress.LayerCost {
		return &compress.LayerCost{Inputs: 3, Channels: channels, Totals: cost.Totals{Params: params, MACs: macs}}
	}
	pruned := compress.LayerReport{Name: "pruned", Op: "Conv", Before: cut(80, 8, 800), After: cut(60, 6, 600)}
	open := compress.LayerReport{Name: "open", Op: "Conv", Before: cut(50, 5, 0), After: cut(40, 4, 0)}
	hashed := compress.LayerReport{Name: "hashed", Op: "Conv", ErrorAfter: 0.002, Before: cut(7, 7, 70), After: cut(7, 7, 70)}
	for _, c := range []struct {
		layers []compress.LayerReport
		error  bool
	}{{[]compress.LayerReport{pruned, open}, false}, {[]compress.LayerReport{pruned, open, hashed}, true}} {
		var b strings.Builder
		printReduced(&b, c.layers)
		text := b.String()
		if strings.Contains(text, "ERROR") != c.error || strings.Contains(text, "0.20 %") != c.error || strings.Contains(text, "0.00 %") {
			t.Errorf("errors of %d layers:\n%s", len(c.layers), text)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "pruned") && !strings.Contains(line, "800 -> 600") ||
				strings.HasPrefix(line, "open") && !(strings.Contains(line, "50 -> 40") && strings.Contains(line, " - ")) {
				t.Errorf("operations: %s", line)
			}
		}
	}
}

// TestVerdict: savings are denied where times are close, not where they are unsure.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		ratio [2]float64
		want  string
	}{{[2]float64{1.02, 1.1}, ""}, {[2]float64{0.8, 0.9}, "save no time"}, {[2]float64{0.99, 1.01}, "save no time"}, {[2]float64{0.95, 1.7}, "vary too much"}} {
		if got := verdict(c.ratio); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%v: %q", c.ratio, got)
		}
	}
}

// TestSkipped: of many layers the reason stands in front, and all are named.
func TestSkipped(t *testing.T) {
	layer := func(name, why string) compress.LayerReport {
		return compress.LayerReport{Name: name, Op: "Conv", Params: 7, Step: "s", Skipped: true, Reason: why}
	}
	var b strings.Builder
	printSkipped(&b, "s", []compress.LayerReport{layer("a", "x"), layer("b", "y"), layer("c", "x"), layer("d", "x")})
	want := "  skipped 3 layers: x: a (Conv, 7 parameters), c (Conv, 7 parameters), d (Conv, 7 parameters)\n  skipped b (Conv, 7 parameters): y\n"
	if b.String() != want {
		t.Errorf("%s, want\n%s", b.String(), want)
	}
}
