package main

import (
	"fmt"
	"slices"
)

// gradient compares the methods that calibrate, most of them by gradients, at
// pairs of widths.
var gradient = set{
	name: "gradient", golden: "results/gradient.json", page: "results/gradient.md",
	networks: datafreeNetworks(), columns: gradientColumns(), render: gradientPage,
}

// grade is a line of the tables: widths, and bits of the first and last layers
// where they differ, as the papers of block reconstruction have it.
type grade struct {
	pair
	edges int
}

// grades are the lines.
var grades = []grade{{pair{4, 8}, 0}, {pair{4, 4}, 0}, {pair{4, 4}, 8}, {pair{3, 8}, 0}, {pair{2, 8}, 0}}

func (g grade) String() string {
	if g.edges == 0 {
		return g.pair.String()
	}
	return fmt.Sprintf("%s, edges %d", g.pair, g.edges)
}

// Methods that the page speaks of by name.
const (
	adaRound   = "AdaRound"
	brecq      = "BRECQ"
	qdrop      = "QDrop"
	gptq       = "GPTQ"
	powerQuant = "PowerQuant"
	nupes      = "NUPES"
	brecqPower = "BRECQ + power"
	qdropPower = "QDrop + power"
	adaQuant   = "AdaQuant"
)

// learner is a method that changes what a simpler one made; the simpler one itself
// has no method. Start is that one's name.
type learner struct {
	name, method, base, start string
}

var learners = []learner{
	{nearest, "", "uniform", ""},
	{adaRound, "adaround", "uniform", nearest},
	{adaQuant, "adaquant", "uniform", nearest},
	{brecq, "brecq", "uniform", nearest},
	{qdrop, "qdrop", "uniform", nearest},
	{gptq, "gptq", "uniform", nearest},
	{powerQuant, "", "powerquant", ""},
	{nupes, "nupes", "powerquant", powerQuant},
	{brecqPower, "brecq", "powerquant", powerQuant},
	{qdropPower, "qdrop", "powerquant", powerQuant},
}

// recipe is the method at widths.
func (l learner) recipe(g grade) string {
	base, widths := l.base, g.args()
	if g.edges > 0 {
		base = fmt.Sprintf("%s(edges=%d)", base, g.edges)
	}
	switch {
	case l.method == "" && g.edges > 0:
		return fmt.Sprintf("fold+%s(%s,edges=%d)", l.base, widths, g.edges)
	case l.method == "":
		return fmt.Sprintf("fold+%s(%s)", l.base, widths)
	}
	return fmt.Sprintf("fold+%s(base=%s,%s)", l.method, base, widths)
}

// at is the column of a method at widths. Networks of attention alone have no first
// layer whose widths papers keep.
func (l learner) at(g grade) column {
	c := column{name: l.name, widths: g.String(), recipe: l.recipe(g), sees: sees{samples: everySample}}
	if g.edges > 0 {
		c.only = convolutional
	}
	return c
}

// convolutional are the networks of convolutions.
var convolutional = []string{resnet20, resnet56, mobile1, mobile2}

func gradientColumns() []column {
	out := []column{floatColumn}
	for _, g := range grades {
		for _, l := range learners {
			out = append(out, l.at(g))
		}
	}
	return out
}

// learnerOf is the method of a name.
func learnerOf(name string) learner {
	return learners[slices.IndexFunc(learners, func(l learner) bool { return l.name == name })]
}
