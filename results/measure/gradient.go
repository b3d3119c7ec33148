package main

import (
	"fmt"
	"slices"
	"strings"
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

// suits reports whether a network is measured at these widths: those of attention
// alone have no first layer whose widths papers keep.
func (g grade) suits(network string) bool {
	return g.edges == 0 || slices.Contains(convolutional, network)
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

// learner is a method that changes what a simpler one made, whose name start is; the
// simpler one itself has no method. Own says that the base is the method's by default.
type learner struct {
	name, method string
	base         step
	own          bool
	start        string
}

// step is a method of a recipe with parameters, separated by commas.
type step struct{ name, params string }

// with is the step with more parameters, "" for none.
func (s step) with(more ...string) string {
	var params []string
	for _, p := range append([]string{s.params}, more...) {
		if p != "" {
			params = append(params, p)
		}
	}
	if params == nil {
		return s.name
	}
	return fmt.Sprintf("%s(%s)", s.name, strings.Join(params, ","))
}

// What methods that learn start from: the nearest codes in the range of the least
// squared error, evenly spaced or on a power grid.
var (
	even  = step{"uniform", "range=mse"}
	power = step{"powerquant", ""}
)

var learners = []learner{
	{nearest, "", even, true, ""},
	{adaRound, "adaround", even, true, nearest},
	{adaQuant, "adaquant", even, true, nearest},
	{brecq, "brecq", even, true, nearest},
	{qdrop, "qdrop", even, true, nearest},
	{gptq, "gptq", even, true, nearest},
	{powerQuant, "", power, true, ""},
	{nupes, "nupes", power, true, powerQuant},
	{brecqPower, "brecq", power, false, powerQuant},
	{qdropPower, "qdrop", power, false, powerQuant},
}

// recipe is the method at widths, all else as it is by default.
func (l learner) recipe(g grade) string {
	edges := ""
	if g.edges > 0 {
		edges = fmt.Sprintf("edges=%d", g.edges)
	}
	if l.method == "" {
		return "fold+" + l.base.with(edges, g.args())
	}
	base := "base=" + l.base.with(edges)
	if l.own && g.edges == 0 {
		base = ""
	}
	return "fold+" + step{l.method, base}.with(g.args())
}

// at is the column of a method at widths.
func (l learner) at(g grade) column {
	c := column{name: l.name, widths: g.String(), recipe: l.recipe(g), sees: sees{samples: everySample}}
	if g.edges > 0 {
		c.only = convolutional
	}
	return c
}

// row is what the method made of a network at widths, nil where it has no figures.
func (l learner) row(rows []row, network string, g grade) *row {
	if r := find(rows, network, column{name: l.name, widths: g.String()}); r != nil && r.Error == "" {
		return r
	}
	return nil
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
