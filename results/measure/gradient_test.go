package main

import (
	"strings"
	"testing"
)

// inventedGradient are rows of networks: accuracy lies so many points below float.
func inventedGradient(lost func(network string, l learner, g grade) float64) []row {
	var rows []row
	for _, n := range datafreeNetworks() {
		top1 := func(points float64) *float64 { x := 0.9 - points/100; return &x }
		rows = append(rows, row{Network: n.name, Recipe: "float", Top1: top1(0), Agreement: 1, SNR: 200, Bytes: 1e6, Samples: n.samples})
		for _, g := range grades {
			for _, l := range learners {
				if !g.suits(n.name) {
					continue
				}
				c := l.at(g)
				rows = append(rows, row{
					Network: n.name, Recipe: l.name, Widths: c.widths, Steps: c.recipe, Data: c.sees.text(n), Format: figuresFormat,
					Samples: n.samples, Top1: top1(lost(n.name, l, g)), Agreement: 0.9, SNR: 10, Bytes: 1e6, Seconds: 12, Threads: 1, Machine: "a processor", Peak: 2e8,
				})
			}
		}
	}
	return rows
}

// TestGradientVerdicts holds what the page says of invented figures: every method
// loses a point but NUPES, which loses half of one, and 3 on ResNet-56 at W4A4.
func TestGradientVerdicts(t *testing.T) {
	rows := inventedGradient(func(network string, l learner, g grade) float64 {
		switch {
		case l.name == nupes && network == resnet56 && g == grades[1]:
			return 3
		case l.name == nupes:
			return 0.5
		case l.name == qdropPower && g == grades[1]:
			return 0.25
		case network == mobile1:
			return 2.5
		}
		return 1
	})
	page, err := gradientPage(nil, rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| NUPES | above PowerQuant at 4 bits and below | above in 27 of 28 cells, below in 1: ResNet-56 W4A4 (-2.00 points) |",
		"on 6 of 6 networks; the best are ResNet-20: QDrop + power, 89.75",
		"ResNet-20 yes by nearest, AdaRound,", "MobileNetV1 0.75 yes by NUPES: the best, NUPES, loses 0.50",
		"**89.75**<br>90.0 %, 1.00 MB", "12.0 s<br>200 MB", "Seconds are of: a processor, one thread.", "equal in ",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(page), stale) {
		t.Error("figures of the columns as they are count as stale")
	}
	if t.Failed() {
		t.Log(string(page))
	}
}

// TestLearnersRecipes: widths, bases and edges are where methods read them.
func TestLearnersRecipes(t *testing.T) {
	for _, c := range []struct {
		name string
		g    grade
		want string
	}{
		{nearest, grades[0], "fold+uniform(range=mse,w=4,a=8)"},
		{nearest, edgedGrade(), "fold+uniform(range=mse,edges=8,w=4,a=4)"},
		{brecq, grades[1], "fold+brecq(w=4,a=4)"},
		{brecq, edgedGrade(), "fold+brecq(base=uniform(range=mse,edges=8),w=4,a=4)"},
		{qdropPower, grades[3], "fold+qdrop(base=powerquant,w=3,a=8)"},
		{qdropPower, edgedGrade(), "fold+qdrop(base=powerquant(edges=8),w=4,a=4)"},
	} {
		if got := learnerOf(c.name).recipe(c.g); got != c.want {
			t.Errorf("%s at %s is %s, want %s", c.name, c.g, got, c.want)
		}
	}
}
