package main

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPeersAreOnTheSameSamples holds what is committed of other tools against
// the networks, widths and samples of the comparison.
func TestPeersAreOnTheSameSamples(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	p, err := readPeers()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[3]string]bool{}
	for _, n := range datafreeNetworks() {
		count := map[string]int{}
		for _, r := range p.Rows {
			if r.Network != n.name {
				continue
			}
			key := [3]string{r.Network, r.Recipe, r.Widths}
			if seen[key] {
				t.Errorf("two rows for %v", key)
			}
			seen[key] = true
			tool, _, _ := strings.Cut(r.Tool, " ")
			count[tool]++
			r.check(t, n)
		}
		for _, tool := range []string{"onnxruntime", "nncf"} {
			if count[tool] == 0 {
				t.Errorf("%s: no row of %s; see x/peers", n.name, tool)
			}
		}
	}
	if len(seen) != len(p.Rows) {
		t.Errorf("%d of %d rows are of networks of the comparison", len(seen), len(p.Rows))
	}
}

func (r peerRow) check(t *testing.T, n network) {
	t.Helper()
	known := slices.ContainsFunc(pairs, func(p pair) bool { return p.String() == r.Widths })
	_, version, ok := strings.Cut(r.Tool, " ")
	switch c := calibrationSets[n.kind]; {
	case !known || !ok || version == "":
		t.Errorf("%s, %s: widths %q, tool %q", r.Network, r.Recipe, r.Widths, r.Tool)
	case !strings.HasSuffix(r.Recipe, "("+r.Data+")"):
		t.Errorf("%s, %s: the column does not name its data, %s", r.Network, r.Recipe, r.Data)
	case r.Calibration != 0 && (r.Calibration != c.hi-c.lo || r.Data != c.String()):
		t.Errorf("%s, %s: calibrated with %d of %s", r.Network, r.Recipe, r.Calibration, r.Data)
	case r.Samples != n.samples:
		t.Errorf("%s, %s: %d samples, pare's are %d", r.Network, r.Recipe, r.Samples, n.samples)
	case r.Error == "" && (r.Bytes <= 0 || r.PeakBytes <= 0 || r.Seconds <= 0 || r.Measured == "" || r.Top1 == nil && (r.Spearman == nil || r.Cosine == nil)):
		t.Errorf("incomplete row %+v", r)
	}
}

// TestCalibrationSamplesAreNotTested keeps the samples of other tools apart from
// those that they are measured on.
func TestCalibrationSamplesAreNotTested(t *testing.T) {
	for _, n := range datafreeNetworks() {
		c, ok := calibrationSets[n.kind]
		if !ok || c.path == n.data && c.lo < n.samples {
			t.Errorf("%s: measured on the first %d of %s, calibrated with %+v", n.name, n.samples, n.data, c)
		}
	}
}

func TestTimesAreComparedTurnByTurn(t *testing.T) {
	p := peers{Rows: []peerRow{{Tool: "x 1"}}, Times: []peerTime{
		{Network: "net", Tool: "pare", Seconds: []float64{1, 2, 4}, CPU: []float64{1, 1, 1}},
		{Network: "net", Tool: "x 1", Seconds: []float64{3, 8, 8}, CPU: []float64{2, 2, 2}},
	}}
	var b strings.Builder
	p.write(&b)
	if want := "| 8.0 | 3.0 | 2.0 | 2.0 |"; !strings.Contains(b.String(), want) {
		t.Errorf("want %q in\n%s", want, b.String())
	}
}

// TestPeersRanTheSameNetworks compares what pare and ONNX Runtime make of the
// float networks: other samples or another metric would show.
func TestPeersRanTheSameNetworks(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	p, err := readPeers()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, golden := range []string{quality.golden, datafree.golden} {
		ours, err := readRows(golden)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Floats {
			theirs := &p.Floats[i]
			r := find(ours, theirs.Network, floatColumn)
			if r == nil || r.Samples != theirs.Samples {
				continue // not in this file, or of earlier samples, which its page marks
			}
			compared++
			if d := r.merit() - theirs.merit(); math.Abs(d) > 0.001 {
				t.Errorf("%s in float: pare %s, ONNX Runtime %s", theirs.Network, short(r), short(theirs))
			}
		}
	}
	if compared == 0 {
		t.Error("no figure of a float network to compare")
	}
}

// TestLessonsAreOnTheSameTerms: what other tools learned was learned by pare too, from
// as many samples in as many steps, and measured on the samples of the tables.
func TestLessonsAreOnTheSameTerms(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	p, err := readPeers()
	if err != nil || len(p.Learned) == 0 {
		t.Fatalf("%d rows, %v", len(p.Learned), err)
	}
	for _, r := range p.Learned {
		n := networkOf(t, r.Network)
		ours := p.lesson("pare", r)
		if ours == nil || ours.Iterations != r.Iterations || ours.Data != r.Data || r.Data != (sees{samples: everySample}).text(n) {
			t.Errorf("%s of %s: %+v and pare's %+v", r.Method, r.Tool, r, ours)
		}
		if r.Samples != cifarSamples || r.Top1 == nil || r.Seconds <= 0 || r.CPUSeconds <= 0 || r.PeakBytes <= 0 {
			t.Errorf("%s of %s: incomplete row %+v", r.Method, r.Tool, r)
		}
		if text := againstPeers(nil); r.tool() != "pare" && r.Method != nearest && !strings.Contains(text, r.Tool) {
			t.Errorf("the page is silent about %s: %s", r.Tool, text)
		}
	}
}
