package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
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
		checkPictures(t, s, rows)
		checkRows(t, s, rows)
	}
}

// checkPictures wants the pictures of a page to be those of the figures.
func checkPictures(t *testing.T, s *set, rows []row) {
	if s.pictures == nil {
		return
	}
	for _, p := range s.pictures(rows) {
		if got, err := os.ReadFile(p.path); err != nil || !bytes.Equal(got, p.svg) {
			t.Errorf("%s is not made from %s (%v); run go run ./results/measure -set %s -render", p.path, s.golden, err, s.name)
		}
	}
}

// checkRows wants every row to be one of the set, with figures unless it failed.
func checkRows(t *testing.T, s *set, rows []row) {
	if kept := s.merged(rows, nil); len(kept) != len(rows) {
		t.Errorf("%s: %d rows, of which %d are of the set", s.golden, len(rows), len(kept))
	}
	for _, r := range rows {
		if r.Error != "" || r.Point == analysis.point && r.Seconds > 0 {
			continue
		}
		if r.Bytes <= 0 || r.Samples <= 0 || r.SNR == 0 && r.merit() == 0 || r.Point != "" && r.Costs == nil {
			t.Errorf("%s: incomplete row %+v", s.golden, r)
		}
	}
}

// TestEveryCellIsMeasured wants a row for every network and column.
func TestEveryCellIsMeasured(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	for _, s := range sets {
		t.Run(s.name, func(t *testing.T) {
			rows, err := readRows(s.golden)
			if err != nil {
				t.Fatal(err)
			}
			want, have := 0, 0
			for _, n := range s.networks {
				for _, c := range s.columns {
					if !c.suits(n) {
						continue
					}
					want++
					if find(rows, n.name, c) != nil {
						have++
					}
				}
			}
			if have < want {
				t.Skipf("SKIPPED: %d of %d cells have no figures; run go run ./results/measure -set %s", want-have, want, s.name)
			}
		})
	}
}

// TestColumnsAreToldApart: names and widths are what rows of a network are found by.
func TestColumnsAreToldApart(t *testing.T) {
	for _, s := range sets {
		seen := map[[5]string]string{}
		for _, n := range s.networks {
			for _, c := range s.columns {
				key := [5]string{n.name, c.name, c.widths, c.point, c.draw}
				if r, ok := seen[key]; ok && r != c.recipe && c.suits(n) {
					t.Errorf("%s: %s is %q and %q", s.name, key, r, c.recipe)
				} else if c.suits(n) {
					seen[key] = c.recipe
				}
			}
		}
	}
}

// TestDue: figures of another recipe, number of samples or format are due, and
// all of them when asked for again.
func TestDue(t *testing.T) {
	n := network{name: "net", samples: 100}
	s := &set{networks: []network{n}, columns: []column{
		{name: "kept", recipe: "copy"}, {name: "new", recipe: "copy"}, {name: "recipe", recipe: "fold"}, {name: "samples", recipe: "copy"},
		{name: "format", recipe: "copy"}, {name: "failed", recipe: "copy"}, {name: "elsewhere", recipe: "copy", only: []string{"other"}},
	}}
	of := func(name string) row {
		return row{Network: "net", Recipe: name, Steps: "copy", Samples: 100, Format: figuresFormat}
	}
	old := []row{of("kept"), of("recipe"), of("samples"), of("format"), of("failed")}
	old[2].Samples, old[3].Format, old[4].Error = 10, figuresFormat-1, "no"
	for _, c := range []struct {
		w    wishes
		want string
	}{
		{wishes{}, "new recipe samples format failed"},
		{wishes{again: true}, "kept new recipe samples format failed"},
		{wishes{columns: []string{"samp", "KEPT"}}, "samples"},
	} {
		var got []string
		for _, c := range s.due(n, old, c.w) {
			got = append(got, c.name)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%+v: %s are due, want %s", c.w, text, c.want)
		}
	}
}

// TestMeasureGoesOn measures a network twice: the second run finds everything
// done, and a column that writes the same file has the same figures.
func TestMeasureGoesOn(t *testing.T) {
	assets.Path(t, networks[0].file)
	n, dir := networks[0], t.TempDir()
	n.samples = 20
	s := &set{
		name: "try", golden: filepath.Join(dir, "try.json"), page: filepath.Join(dir, "try.md"), networks: []network{n},
		columns: []column{{name: "a", widths: "W8A8", recipe: "fold+uniform(w=8,a=8)"}, {name: "b", widths: "W8A8", recipe: "fold + uniform(a=8)"}},
		render:  func([]byte, []row) ([]byte, error) { return []byte("page"), nil },
	}
	if err := s.measure(t.Context(), wishes{}); err != nil {
		t.Fatal(err)
	}
	rows, err := readRows(s.golden)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	a, b := rows[0], rows[1]
	if a.File == "" || a.File != b.File || a.Samples != 20 || a.SNR < 20 || a.SNR != b.SNR || a.BitOps == nil || *a.BitOps != *b.BitOps {
		t.Errorf("rows %+v and %+v", a, b)
	}
	if due := s.due(n, rows, wishes{}); len(due) != 0 {
		t.Errorf("%v are due again", due)
	}
}

// TestEqualCost: an expansion is set beside the best plain method at widths of as
// many bit-operations, and the best of a line is bold.
func TestEqualCost(t *testing.T) {
	n, ops := network{name: "net"}, 64.0
	at := func(name, widths string, top1 float64) row {
		return row{Network: "net", Recipe: name, Widths: widths, Top1: &top1, BitOps: &ops, Bytes: 1e6}
	}
	rows := []row{at(rex2, "W4A8", 0.8), at(nearest, "W8A8", 0.5), at("SQuant", "W8A8", 0.75), at(rex15, "W4A8", 0.4), at(nearest, "W6A8", 0.6)}
	var b strings.Builder
	p := &page{&b, n, rows, methods}
	p.equalCost()
	for _, want := range []string{
		"in 1 of 2", "| REx 2x at W4A8 | 80.00, 1.00 MB, 1.00 | 50.00, 1.00 MB, 1.00 | 75.00, 1.00 MB, 1.00 (SQuant at W8A8) |", "| REx 1.5x at W4A8 | 40.00",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing from\n%s", want, b.String())
		}
	}
	if got := p.qualityCell(&rows[0], &rows[0]); !strings.HasPrefix(got, "**80.00**"+stale) {
		t.Errorf("the best cell is %s", got)
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
