package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pare/internal/assets"
)

// asProgram makes the test's program the one that is tested, so that it can measure
// in processes of its own.
const asProgram = "MEASURE_AS_PROGRAM"

// brief is a set that takes little time.
var brief = set{
	name: "brief", golden: "testdata/brief.json", networks: networks[:1],
	columns: []column{floatColumn, {name: "calibrated", widths: "W4A4", recipe: "fold+uniform(w=4,a=4)", sees: sees{samples: 16}}},
}

func TestMain(m *testing.M) {
	sets = append(sets, &brief)
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	sets = sets[:len(sets)-1]
	os.Exit(m.Run())
}

// TestProcessesMeasureTheSame: cells measured by processes side by side have the
// figures of cells measured here, in any order, and say what they took.
func TestProcessesMeasureTheSame(t *testing.T) {
	assets.Path(t, networks[0].file)
	t.Setenv(asProgram, "1")
	w := wishes{samples: 20, rows: filepath.Join(t.TempDir(), "rows"), parallel: 2, threads: 1}
	cells, err := brief.dueCells(w)
	if err != nil || len(cells) != 2 {
		t.Fatalf("%v, %v", cells, err)
	}
	slices.Reverse(cells)
	w.cells = cells
	if err := brief.spread(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	got, err := readLines(w.rows)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	here := wishes{samples: 20, rows: filepath.Join(t.TempDir(), "rows"), cells: cells}
	if err := brief.measure(t.Context(), here); err != nil {
		t.Fatal(err)
	}
	want, err := readLines(here.rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if o := find(want, r.Network, r.column()); o == nil || !r.same(*o) || r.File != o.File {
			t.Errorf("a process measured %+v, here %+v", r, o)
		}
		took := r.Peak > 10e6 && r.Threads == 1 && strings.Contains(r.Machine, "2 cells at a time") && r.Data == "16 training images"
		if took != (r.Recipe == "calibrated") {
			t.Errorf("%s took %d bytes on %d threads of %q and saw %q", r.Recipe, r.Peak, r.Threads, r.Machine, r.Data)
		}
	}
}

// TestSpreadKeepsToItsTime: cells that would take too long are not begun, and that
// is told.
func TestSpreadKeepsToItsTime(t *testing.T) {
	j := &jobs{ends: time.Now().Add(time.Minute)}
	cells := []task{{Recipe: "long", Seconds: 100}, {Recipe: "short", Seconds: 1}, {Recipe: "unknown"}}
	var got []string
	for x := j.take(cells); x != nil; x = j.take(cells) {
		got = append(got, x.Recipe)
	}
	if !slices.Equal(got, []string{"short", "unknown"}) || len(j.failed) != 1 || !strings.Contains(j.failed[0], "long") {
		t.Errorf("%v were begun, and %v is told", got, j.failed)
	}
}

// TestMerge puts rows of elsewhere among the figures, refuses those of another
// recipe, and lets no failure replace a figure.
func TestMerge(t *testing.T) {
	dir := t.TempDir()
	n := network{name: "net", samples: 10}
	s := &set{
		name: "try", golden: filepath.Join(dir, "try.json"), page: filepath.Join(dir, "try.md"), networks: []network{n},
		columns: []column{{name: "a", recipe: "copy"}, {name: "b", recipe: "copy"}},
		render:  func([]byte, []row) ([]byte, error) { return []byte("page"), nil },
	}
	of := func(name, steps, fault string, agreement float64) row {
		return row{Network: "net", Recipe: name, Steps: steps, Samples: 10, Format: figuresFormat, Error: fault, Agreement: agreement}
	}
	lines := func(name string, rows ...row) string {
		path := filepath.Join(dir, name)
		for _, r := range rows {
			if err := appendRow(path, r); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	killed := lines("killed", of("a", "copy", "", 0.5), of("b", "copy", "", 0.25))
	text, err := os.ReadFile(killed)
	if err == nil {
		err = os.WriteFile(killed, text[:len(text)-5], 0o666) // as if the process had been killed
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.merge([]string{killed, lines("failed", of("a", "copy", "no", 0), of("b", "copy", "no", 0))}); err != nil {
		t.Fatal(err)
	}
	if err := s.merge([]string{lines("again", of("a", "copy", "no", 0))}); err != nil {
		t.Fatal(err)
	}
	rows, err := readRows(s.golden)
	if err != nil || len(rows) != 2 || rows[0].Agreement != 0.5 || rows[0].Error != "" || rows[1].Error != "no" {
		text, _ := json.Marshal(rows)
		t.Errorf("%s, %v", text, err)
	}
	for _, bad := range []row{of("a", "fold", "", 1), of("c", "copy", "", 1)} {
		if err := s.merge([]string{lines("bad"+bad.Recipe, bad)}); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// TestStrangers: pictures of another kind have the size and the normalisation that
// the network wants.
func TestStrangers(t *testing.T) {
	for _, name := range []string{resnet20, mobile2} {
		n := networkOf(t, name)
		assets.Path(t, n.file)
		trial, err := newTrial(t.Context(), n, wishes{samples: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer trial.close()
		var shapes [][]int
		for _, s := range []sees{{samples: 2}, {samples: 2, strange: true}} {
			set, err := s.open(trial.original, n)
			if err != nil {
				t.Fatal(err)
			}
			b, err := set.Batch(t.Context(), 0, set.Len())
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range b.Inputs {
				shapes = append(shapes, x.Shape)
			}
		}
		if len(shapes) != 2 || shapes[0][0] != 2 || !slices.Equal(shapes[0], shapes[1]) {
			t.Errorf("%s sees %v", name, shapes)
		}
	}
}
