package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare/demo"
)

// TestMain lets the test be pare's process too.
func TestMain(m *testing.M) {
	switch {
	case slices.Contains(os.Args, "-serve"):
		if serve(context.Background()) != nil {
			os.Exit(1)
		}
	case slices.Contains(os.Args, "-peaks"):
		json.NewEncoder(os.Stdout).Encode(measurePeak(1))
	default:
		os.Exit(m.Run())
	}
}

func TestOrder(t *testing.T) {
	a, b, c := &racer{}, &racer{}, &racer{}
	all := []*racer{a, b, c}
	for k, want := range [][]*racer{{a, b, c}, {c, b, a}, {b, c, a}, {a, c, b}, {c, a, b}} {
		if got := order(all, k); !slices.Equal(got, want) {
			t.Errorf("round %d: wrong order", k)
		}
	}
}

func named(name string) column { return findColumn(name) }

func TestRatios(t *testing.T) {
	racers := []*racer{
		{column: named("float"), turns: []float64{4, 4, 4}},
		{column: named("w8a8"), turns: []float64{1, 2, 1}},
		{column: named("ort-float"), turns: []float64{8, 8, 8}},
		{column: named("openvino-float"), turns: []float64{6, 6, 6}},
		{column: named("ort-int8"), turns: []float64{3, 6, 1}},
		{column: named("openvino-int8"), err: context.Canceled},
	}
	x := cell{network: networks[0], isa: "avx2", threads: 1, batch: 2}
	rows := rowsOf(x, racers, peak{Float: 2, Int: 8}, 16e9)
	w := rows[1]
	if w.MS != 1e3 || w.Share != 2 { // 16 GOP in a second of 8
		t.Errorf("%v ms at %v of the peak", w.MS, w.Share)
	}
	for key, want := range map[string]float64{peerFloat: 6, peerInt: 3, ownFloat: 4, ownInt: 1} {
		if got := w.Ratios[key].Median; got != want {
			t.Errorf("ratio to %s: %v, want %v", key, got, want)
		}
	}
	if rows[5].Error == "" || rows[5].Ratios != nil {
		t.Errorf("a failure became %+v", rows[5])
	}
}

func TestDue(t *testing.T) {
	x := cell{network: networks[0], isa: "avx2", threads: 1, batch: 1}
	old := &results{}
	names := func(cs []column) []string {
		var out []string
		for _, c := range cs {
			out = append(out, c.name)
		}
		return out
	}
	due, run := setup{}.columns(x, old, wishes{})
	if !slices.Equal(due, names(run)) || slices.Contains(due, "ort-dynamic") || !slices.Contains(due, "rex") {
		t.Errorf("at first %v are due", due)
	}
	old.keep(x, []row{{Network: x.network.name, ISA: x.isa, Threads: 1, Batch: 1, Column: "w4a8"}})
	if due, _ := (setup{}).columns(x, old, wishes{columns: []string{"w4a8"}}); !slices.Equal(due, []string{"w4a8power"}) {
		t.Errorf("with figures of w4a8, %v are due", due)
	}
	due, run = setup{}.columns(x, old, wishes{columns: []string{"w4a8"}, again: true})
	if !slices.Equal(due, []string{"w4a8", "w4a8power"}) || !slices.Contains(names(run), "ort-float") || slices.Contains(names(run), "rex") {
		t.Errorf("again: %v are due, %v run", due, names(run))
	}
	old.Rows[0].Error = "gone"
	if due, _ := (setup{}).columns(x, old, wishes{}); !slices.Contains(due, "w4a8") {
		t.Error("a failure is not tried again")
	}
	x.threads = 2
	if due, _ := (setup{}).columns(x, old, wishes{}); slices.Contains(due, "rex") {
		t.Error("REx is due with two threads")
	}
}

// TestRace times the demo's network in two processes, with a peer that is missing.
func TestRace(t *testing.T) {
	dir := t.TempDir()
	n := network{name: "demo"}
	if err := os.WriteFile(filepath.Join(dir, "demo.onnx"), demo.Model(), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := prepare(t.Context(), dir, n, []string{"w8a8"}, false); err != nil {
		t.Fatal(err)
	}
	x := cell{network: n, isa: "generic", threads: 1, batch: 8}
	s := setup{dir: dir, machine: "generic"}
	racers := s.race(t.Context(), x, []column{named("float"), named("w8a8"), named("w4a8"), named("ort-float")})
	p, err := peakOf(x)
	if err != nil || p.ISA != "generic" || p.Float <= 0 || p.Int <= 0 || p.Read <= 0 {
		t.Fatal(p, err)
	}
	if n, err := s.operations(t.Context(), x); err != nil || n < 8e6 {
		t.Errorf("%d operations: %v", n, err)
	}
	r := &results{Machine: machine()}
	r.keepPeak(p)
	r.keep(x, rowsOf(x, racers, p, 1e6))
	for _, row := range r.Rows[:2] {
		if row.Error != "" || row.MS <= 0 || row.FirstMS <= 0 || row.Rounds < fewRounds || row.Ratios[ownFloat].Median <= 0 {
			t.Errorf("%+v", row)
		}
	}
	if e := r.find(x, "w4a8").Error; e != "not measured: there is no demo.w4a8.onnx" {
		t.Errorf("without a file: %q", e)
	}
	if e := r.find(x, "ort-float").Error; e != "not measured: -python was not given" {
		t.Errorf("without a peer: %q", e)
	}
}

// TestPeers lets the peers take part.
func TestPeers(t *testing.T) {
	python := os.Getenv("PARE_PEERS")
	if python == "" {
		t.Skip("SKIPPED: set PARE_PEERS to a Python with onnxruntime and openvino")
	}
	dir := t.TempDir()
	n := network{name: "demo"}
	if err := os.WriteFile(filepath.Join(dir, "demo.onnx"), demo.Model(), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := prepare(t.Context(), dir, n, []string{"none"}, false); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "demo"+ortFile), []byte("no network"), 0o666); err != nil {
		t.Fatal(err)
	}
	s := setup{dir: dir, python: python, script: "../../x/peers/serve.py", machine: "generic"}
	x := cell{network: n, isa: "generic", threads: 2, batch: 8}
	for _, r := range s.race(t.Context(), x, []column{named("ort-float"), named("openvino-float"), named("ort-int8")}) {
		switch {
		case r.column.name == "ort-int8":
			if r.err == nil {
				t.Error("a text was run")
			}
		case r.err != nil || !strings.ContainsAny(r.rival.Engine, "0123456789") || r.rival.PeakBytes < r.rival.StartBytes:
			t.Errorf("%s: %v, %+v", r.column.name, r.err, r.rival)
		}
	}
}

// TestPage looks for every row of some results on the page.
func TestPage(t *testing.T) {
	r := &results{Machine: "a machine", Peaks: []peak{{"avx2", 1, 100, 200, 20}}}
	ratios := map[string]ratio{peerInt: {1.25, [2]float64{1.2, 1.3}}, ownFloat: {1.75, [2]float64{1, 2}}}
	r.Rows = []row{
		{Network: "resnet18", ISA: "avx2", Threads: 1, Batch: 1, Column: "w8a8", MS: 12.5, Share: 0.75, Ratios: ratios, PeakBytes: 30e6, StartBytes: 10e6},
		{Network: "resnet18", ISA: "avx2", Threads: 2, Batch: 1, Column: "w8a8", MS: 6.25},
		{Network: "resnet18", ISA: "avx2", Threads: 1, Batch: 1, Column: "ort-int8", Error: "out of luck"},
		{Network: "dense4096", ISA: "avx2", Threads: 1, Batch: 1, Column: "w4a8", MS: 6, Ratios: ratios},
	}
	got := page(r)
	for _, want := range []string{
		"a machine", "| avx2 | 1 | 100 | 200 | 20.0 |", "## avx2, threads: 1, batch: 1", "**1.25** (1.20 to 1.30)", "**1.75** (1.00 to 2.00)",
		" 12.5 |", " 75 % |", " 30 (20) |", "| resnet18 |  | 2.00 |", "ONNX Runtime int8: out of luck (resnet18 avx2)", "| W4A8 | 1.000 | **1.75** (1.00 to 2.00) | - | 8.4 | 42 % |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(got, "avx512") || strings.Contains(got, "batch: 8") {
		t.Error("the page has settings without figures")
	}
}

// TestCommitted holds the committed page against the committed figures.
func TestCommitted(t *testing.T) {
	r, err := readResults("../speed.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../speed.md")
	if err != nil {
		t.Fatal(err)
	}
	if page(r) != string(want) {
		t.Error("results/speed.md is not the page of results/speed.json; run with -render")
	}
}
