package main

import (
	"strings"
	"testing"
)

// TestGradualPage: figures are where they belong, and verdicts follow from them.
func TestGradualPage(t *testing.T) {
	top1 := func(x float64) *float64 { return &x }
	var rows []row
	for _, n := range gradualNetworks() {
		rows = append(rows, row{Network: n.name, Recipe: whole.name, Point: whole.point, Top1: top1(0.94), Costs: &costs{MACs: 4e7}, Samples: n.samples})
		for i, p := range gradualPoints {
			for _, c := range contenders {
				x := c.column(n.name, p)
				r := row{Network: n.name, Recipe: x.name, Point: p, Steps: x.recipe, Samples: n.samples, Top1: top1(0.92 - float64(i)/100), Seconds: 90, Machine: "a processor", Threads: 1}
				if c.name == entwined {
					*r.Top1 += 0.0175
				}
				rows = append(rows, r)
			}
		}
	}
	page, err := gradualPage(nil, rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"loses at most 0.5 points at half the multiply-accumulates | SInGE, entwined 0.25; SInGE, all at once 2.00;",
		"| SInGE, entwined above Taylor, entwined | above in 6 of 6 cells |",
		"| SInGE, entwined | 93.75 %, 1.5 min | 92.75 %, 1.5 min | 91.75 %, 1.5 min |",
		"As it is: 94.00 %, 40.0 M multiply-accumulates.", "`singe(macs=0.5,epochs=", "Minutes are of: a processor, one thread.",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(string(page))
	}
}

// TestGradualColumns: every cell can be parsed and is found by its name.
func TestGradualColumns(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range gradual.networks {
		for _, c := range gradual.columns {
			if !c.suits(n) {
				continue
			}
			x := gradual.task(n, c)
			if _, got, err := gradual.at(x); err != nil || got.recipe != c.recipe || seen[x.String()] {
				t.Errorf("%s: %v, %q in place of %q", x, err, got.recipe, c.recipe)
			}
			seen[x.String()] = true
		}
	}
	if len(seen) < 30 {
		t.Errorf("%d cells", len(seen))
	}
}
