package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"pare/internal/assets"
)

var update = flag.Bool("update", false, "write the measured figures into testdata/prune.txt")

const pruneGolden = "testdata/prune.txt"

// pinned are the recipes whose figures are held, on pictures that no accuracy is
// reported on.
var pinned = []struct {
	network string
	samples int
	recipes []string
}{
	{resnet20, 200, []string{
		"fold", "fold+red(hash=false)", "fold+red++", "fold+uniform(w=4)", "fold+uniform(w=4)+red++",
		"fold+red(alpha=0.002," + paper + ")", byParams("red"), byParams("magnitude", "scope=global", "compensate=none"),
		byParams("magnitude", "scope=layer", "compensate=none"), byParams("random", "scope=layer", "compensate=none"),
		"fold+svd(macs=0.9)",
	}},
	{mobile2, 16, []string{"fold+red(hash=false)", "fold+red++"}},
}

// byParams removes channels until so many parameters are left.
func byParams(method string, more ...string) string {
	return "fold+" + method + "(" + strings.Join(append([]string{"params=0.85"}, more...), ",") + ")"
}

// pinnedRows measures the recipes of a network.
func pinnedRows(t *testing.T, name string, samples int, recipes []string) []row {
	t.Helper()
	n := networkOf(t, name)
	assets.Path(t, n.file)
	trial, err := newTrial(t.Context(), n, wishes{samples: samples, heldOut: true})
	if err != nil {
		t.Fatal(err)
	}
	defer trial.close()
	var out []row
	for _, recipe := range recipes {
		r, err := trial.try(t.Context(), column{name: recipe, point: "pinned", recipe: recipe})
		if err != nil || r.Error != "" {
			t.Fatalf("%s, %s: %v %s", name, recipe, err, r.Error)
		}
		out = append(out, r)
	}
	return out
}

// TestPruneGolden holds agreement, error and costs of a few recipes, and what must
// hold of them whatever the figures are. Processors add up in different orders, so
// a few samples or a fraction of a decibel may differ.
func TestPruneGolden(t *testing.T) {
	if testing.Short() {
		t.Skip("measures real networks")
	}
	want, err := readPinned()
	if err != nil && !*update {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range pinned {
		rows := pinnedRows(t, p.network, p.samples, p.recipes)
		for _, r := range rows {
			got := pinnedRow{r.Agreement, r.SNR, *r.Costs}
			key := r.Network + " " + r.Recipe
			lines = append(lines, key+": "+got.String())
			if w, ok := want[key]; !*update && (!ok || !got.near(w, p.samples)) {
				t.Errorf("measured %s; recorded %v (-update records it)", lines[len(lines)-1], w)
			}
		}
		checkLossless(t, rows)
		checkRed(t, rows)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(pruneGolden, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkLossless: what is free changes no prediction, and computing equal products
// of codes once changes nothing at all.
func checkLossless(t *testing.T, rows []row) {
	var plain *row
	for i := range rows {
		switch r := &rows[i]; r.Recipe {
		case "fold+red(hash=false)", "fold+red++":
			free := r.Recipe == "fold+red(hash=false)" || r.Network == resnet20 // hashing costs depthwise networks something
			if free && r.Agreement != 1 {
				t.Errorf("%s, %s: %.4f of the predictions are the same", r.Network, r.Recipe, r.Agreement)
			}
		case "fold+uniform(w=4)":
			plain = r
		case "fold+uniform(w=4)+red++":
			if math.Abs(r.SNR-plain.SNR) > 0.01 || r.Costs.Multiplications > plain.Costs.Multiplications {
				t.Errorf("%s: splitting makes %v and %v of %v and %v", r.Network, r.SNR, *r.Costs, plain.SNR, *plain.Costs)
			}
		}
	}
}

// checkRed: at equal parameters merging is better than removing the smallest
// channels or any.
func checkRed(t *testing.T, rows []row) {
	for _, r := range rows {
		if r.Recipe != byParams("red") {
			continue
		}
		for _, o := range rows {
			if strings.Contains(o.Recipe, "params=") && (o.Agreement > r.Agreement || float64(o.Costs.Params) < 0.97*float64(r.Costs.Params)) {
				t.Errorf("%s: %s agrees in %.3f with %d parameters, %s in %.3f with %d", r.Network, o.Recipe, o.Agreement, o.Costs.Params,
					r.Recipe, r.Agreement, r.Costs.Params)
			}
		}
	}
}

// pinnedRow is what is held of a row.
type pinnedRow struct {
	agreement, snr float64
	costs          costs
}

const pinnedFormat = "agreement %.4f snr %.1f params %d bytes %d macs %d multiplications %d additions %d"

func (p pinnedRow) String() string {
	return fmt.Sprintf(pinnedFormat, p.agreement, p.snr, p.costs.Params, p.costs.Bytes, p.costs.MACs, p.costs.Multiplications, p.costs.Additions)
}

// near allows for two samples, half a decibel, and a hundredth of the costs.
func (p pinnedRow) near(o pinnedRow, samples int) bool {
	same := func(a, b int64) bool { return math.Abs(float64(a-b)) <= 1e-2*float64(b) }
	return math.Abs(p.agreement-o.agreement) <= 2.1/float64(samples) && math.Abs(p.snr-o.snr) <= 0.5 &&
		same(p.costs.Params, o.costs.Params) && same(p.costs.Bytes, o.costs.Bytes) && same(p.costs.MACs, o.costs.MACs) &&
		same(p.costs.Multiplications, o.costs.Multiplications) && same(p.costs.Additions, o.costs.Additions)
}

func readPinned() (map[string]pinnedRow, error) {
	text, err := os.ReadFile(pruneGolden)
	if err != nil {
		return nil, err
	}
	out := map[string]pinnedRow{}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(line, ": agreement")
		var p pinnedRow
		format := strings.NewReplacer("%.4f", "%f", "%.1f", "%f").Replace(pinnedFormat)
		if _, err := fmt.Sscanf("agreement"+rest, format, &p.agreement, &p.snr, &p.costs.Params, &p.costs.Bytes, &p.costs.MACs, &p.costs.Multiplications, &p.costs.Additions); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", pruneGolden, line, err)
		}
		out[key] = p
	}
	return out, nil
}
