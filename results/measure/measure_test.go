package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pare"
	"pare/eval"
	"pare/internal/assets"
)

// TestTablesFollowFromFigures keeps the committed pages those of the committed
// figures.
func TestTablesFollowFromFigures(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	for _, s := range sets {
		rows, err := readRows(s.golden)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(s.page)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.render(got, rows)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the tables of %s are not made from %s; run go run ./results/measure -set %s", s.page, s.golden, s.name)
		}
		checkComplete(t, s, rows)
	}
}

// checkComplete wants a row for every network and column, and figures in each
// that did not fail.
func checkComplete(t *testing.T, s *set, rows []row) {
	for _, n := range s.networks {
		for _, c := range s.columns {
			r := find(rows, n.name, c)
			switch {
			case r == nil:
				t.Errorf("%s: no row for %s, %s %s", s.golden, n.name, c.name, c.widths)
			case r.Error == "" && (r.Bytes <= 0 || r.Samples <= 0 || r.Top1 == nil && r.NLL == nil && r.Spearman == nil):
				t.Errorf("%s: incomplete row %+v", s.golden, *r)
			case c.widths != "" && r.Steps != c.recipe:
				t.Errorf("%s: %s, %s %s was measured with %q, the recipe is %q", s.golden, n.name, c.name, c.widths, r.Steps, c.recipe)
			}
		}
	}
	if want := len(s.networks) * len(s.columns); len(rows) != want {
		t.Errorf("%s: %d rows, want %d", s.golden, len(rows), want)
	}
}

func TestMergeKeepsWhatWasNotMeasuredAgain(t *testing.T) {
	x, y := 0.5, 0.75
	old := []row{{Network: "ResNet-20", Recipe: "w8", Top1: &x}, {Network: "ResNet-56", Recipe: "w8", Top1: &x}}
	fresh := []row{{Network: "ResNet-56", Recipe: "w8", Top1: &y, Seconds: 3}}
	got := quality.merged(old, fresh)
	if len(got) != 2 || *got[0].Top1 != x || *got[1].Top1 != y {
		t.Errorf("merged %v", got)
	}
	again := fresh[0]
	again.Seconds = 9
	if !again.same(fresh[0]) || again.same(old[1]) {
		t.Error("rows are told apart by time, or not by accuracy")
	}
}

// TestRepairedLanguageModel holds the repair against the likelihood that the
// network's origin states for its first 64 sequences.
func TestRepairedLanguageModel(t *testing.T) {
	n := networks[len(networks)-1]
	m, err := pare.Load(assets.Path(t, n.file))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	n.repair(m.IR())
	set, err := m.OpenData(n.spec(assets.Dir()))
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(context.Background(), pare.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	reference := &memo{Network: s}
	for range 2 { // the second time from memory
		r, err := eval.Run(context.Background(), reference.rewind(), set, eval.Options{Samples: n.samples, Batch: n.batch})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(*r.NLL-1.4389) > 1e-3 {
			t.Errorf("mean negative log-likelihood %.4f, want 1.4389", *r.NLL)
		}
	}
}
