package main

import (
	"math"
	"strings"
	"testing"

	"pare/internal/assets"
)

// invented are rows of a network whose curves lose agreement in steps of drop
// tenths of what they remove.
func invented(network string, drop map[string]float64) []row {
	top1 := 0.9
	rows := []row{{
		Network: network, Recipe: whole.name, Point: whole.point, Samples: 100, Top1: &top1, Interval: &[2]float64{0.85, 0.95},
		Agreement: 1, SNR: 100, Bytes: 1000, Costs: &costs{1000, 1000, 1000, 1000, 1000},
	}}
	for _, f := range families {
		for _, c := range f.curves {
			d, ok := drop[c.name]
			if !ok {
				continue
			}
			for p, point := range c.at(network) {
				column := c.column(point, 0)
				kept, lost := int64(950-50*p), d*float64(p)/10
				acc := 0.9 - lost
				rows = append(rows, row{
					Network: network, Recipe: column.name, Point: column.point, Samples: 100, Top1: &acc, Interval: &[2]float64{acc - 0.04, acc + 0.04},
					Agreement: 1 - lost, SNR: 20, Bytes: kept, Costs: &costs{kept, kept, kept, kept, kept}, Seconds: 1,
					Time: &timing{Ratio: 1.25, Interval: [2]float64{1, 2}},
				})
			}
		}
	}
	return rows
}

// TestPruneSection holds what the page says of invented figures: red++ loses
// nothing up to its fourth point, magnitude at once.
func TestPruneSection(t *testing.T) {
	n := prunedNetworks()[0]
	rows := invented(n.name, map[string]float64{redpp: 0, magnitude: 0.3, random: 1})
	var b strings.Builder
	pruneSection(&b, rows, n, find(rows, n.name, whole))
	for _, want := range []string{
		"accuracy 90.00 (85.0 to 95.0), 1000 parameters",
		"| red++ | " + kept.residual[len(kept.residual)-1] + " | 60.0 % | 60.0 % | 60.0 % | 60.0 % | 60.0 % | 80.0 % (50 to 100) | 100.00 |",
		"| magnitude | 8 of 8 | 8 of 8 | 8 of 8 |",
		"| random | 4 of 4 |",
		"](prune-resnet-20.svg)",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

// TestSpotsAreMeansOfSeeds: what is drawn several times is one spot with the
// range of its accuracies.
func TestSpotsAreMeansOfSeeds(t *testing.T) {
	n := prunedNetworks()[0]
	rows := invented(n.name, map[string]float64{families[0].curves[0].name: 0})
	c := families[0].curves[0]
	for i, x := range []float64{0.6, 0.8, 0.7} {
		at := c.column(c.points.residual[0], i)
		r := find(rows, n.name, at)
		if r == nil {
			rows = append(rows, *find(rows, n.name, c.column(c.points.residual[0], 0)))
			r = &rows[len(rows)-1]
			r.Point = at.point
		}
		r.Top1, r.Agreement, r.Costs = &x, x, &costs{int64(1000 * x), 500, 500, 500, 500}
	}
	s := c.spots(rows, n.name)
	if len(s) != len(c.points.residual) {
		t.Fatalf("%d spots of %d points", len(s), len(c.points.residual))
	}
	near := func(x, y float64) bool { return math.Abs(x-y) < 1e-9 }
	if a := s[0]; !near(a.accuracy, 0.7) || !near(a.agreement, 0.7) || !near(a.params, 0.7) || *a.interval != [2]float64{0.6, 0.8} || !near(*a.time, 0.8) || a.timeInterval != nil {
		t.Errorf("%+v", a)
	}
}

// TestDuel: a point is beaten by one that keeps no more and agrees no less.
func TestDuel(t *testing.T) {
	at := func(params, agreement float64) spot { return spot{params: params, agreement: agreement} }
	theirs := []spot{at(0.9, 0.95), at(0.8, 0.9), at(0.5, 0.2)}
	for _, c := range []struct {
		ours []spot
		won  int
	}{
		{[]spot{at(0.8, 0.95)}, 2},
		{[]spot{at(0.91, 1)}, 0},
		{[]spot{at(0.5, 0.2)}, 1},
		{[]spot{at(0.4, 0.96)}, 3},
		{nil, 0},
	} {
		if d := newDuel(c.ours, theirs, compared[0].of); d.won != c.won || d.all != 3 {
			t.Errorf("%v against %v: %+v, want %d", c.ours, theirs, d, c.won)
		}
	}
}

// TestSharedParts: a recipe that goes on from a shared part gives what it gives as
// a whole.
func TestSharedParts(t *testing.T) {
	n := networkOf(t, resnet20)
	assets.Path(t, n.file)
	trial, err := newTrial(t.Context(), n, wishes{samples: 20, heldOut: true})
	if err != nil {
		t.Fatal(err)
	}
	defer trial.close()
	c := curve{recipe: "fold+equalize|uniform(w=AMOUNT)", points: amounts{residual: []string{"4"}}}.column("4", 0)
	apart, err := trial.run(t.Context(), c)
	if err != nil || c.shared == "" || trial.parts[part{recipe: c.shared}] == nil {
		t.Fatalf("%+v: %v", c, err)
	}
	c.shared = ""
	whole, err := trial.run(t.Context(), c)
	if err != nil || whole.SNR != apart.SNR || *whole.Costs != *apart.Costs || whole.SNR > 100 {
		t.Errorf("as a whole %+v, in parts %+v, %v", whole, apart, err)
	}
}

func networkOf(t *testing.T, name string) network {
	for _, n := range prunedNetworks() {
		if n.name == name {
			return n
		}
	}
	t.Fatalf("there is no network %s", name)
	return network{}
}
