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

// TestTableFollowsFromFigures keeps the committed table that of the committed
// figures.
func TestTableFollowsFromFigures(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	rows, err := readRows(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := page(got, rows)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the table of %s is not made from %s; run go run ./results/measure", pageFile, goldenFile)
	}
	for _, r := range rows {
		if r.Error == "" && (r.Bytes <= 0 || r.Samples <= 0 || r.Top1 == nil && r.NLL == nil) {
			t.Errorf("incomplete row %+v", r)
		}
	}
}

func TestMergeKeepsWhatWasNotMeasuredAgain(t *testing.T) {
	x, y := 0.5, 0.75
	old := []row{{Network: "ResNet-20", Recipe: "w8", Top1: &x}, {Network: "ResNet-56", Recipe: "w8", Top1: &x}}
	fresh := []row{{Network: "ResNet-56", Recipe: "w8", Top1: &y, Seconds: 3}}
	got := merged(old, fresh)
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
