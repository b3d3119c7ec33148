package main

import (
	"fmt"
	"strings"
)

// datafree compares the methods that need no data at pairs of widths.
var datafree = set{
	name: "datafree", golden: "results/datafree.json", page: "results/datafree.md",
	networks: datafreeNetworks(), columns: datafreeColumns(), render: datafreePage,
}

// Samples of the comparison.
const (
	cifarSamples    = 5000
	imagenetSamples = 650
	pairSamples     = 250
)

func datafreeNetworks() []network {
	var out []network
	for _, n := range networks {
		switch n.kind {
		case "cifar10":
			n.samples = cifarSamples
		case "images":
			n.samples = imagenetSamples
		default:
			continue
		}
		out = append(out, n)
	}
	return append(out, network{
		name: "MiniLM", file: "language/minilm-l6.onnx", kind: "sts", data: "language/stsb_750.npz", samples: pairSamples,
	})
}

// pair is the widths of weights and of the data that layers read; a is 16 for
// data that stay in float.
type pair struct{ w, a int }

// pairs are the lines of the tables.
var pairs = []pair{{8, 8}, {6, 6}, {4, 8}, {4, 4}, {8, 16}, {4, 16}, {3, 16}, {2, 16}}

// between are widths whose bit-operations are those of an expansion at others.
var between = []pair{{6, 8}, {6, 16}}

func (p pair) String() string { return fmt.Sprintf("W%dA%d", p.w, p.a) }

// args are the widths as parameters of a method.
func (p pair) args() string {
	if p.a == 16 {
		return fmt.Sprintf("w=%d", p.w)
	}
	return fmt.Sprintf("w=%d,a=%d", p.w, p.a)
}

// preset is the recipe of the preset of the pair; those of whole bytes have
// shorter names, too.
func (p pair) preset() string {
	name := strings.ToLower(p.String())
	if long := presetRecipe(name); long != name {
		return long
	}
	return presetRecipe(strings.TrimSuffix(name, "a16"))
}

// floatColumn is the original itself.
var floatColumn = column{name: "float", recipe: "copy"}

// Methods that the pages speak of by name.
const (
	nearest  = "nearest"
	preset   = "preset" // stands for the preset of a pair
	rex15    = "REx 1.5x"
	rex2     = "REx 2x"
	rexPower = "PowerQuant + REx 1.5x"
)

// method is a recipe with WIDTHS in place of the parameters of the pair; plain
// ones have one term per weight and no companion.
type method struct {
	name, recipe string
	plain        bool
}

var methods = []method{
	{nearest, "fold+uniform(WIDTHS)", true},
	{"DFQ", "fold+equalize+absorb+uniform(WIDTHS)+correct", false},
	{"SQuant", "fold+uniform(WIDTHS,rounding=squant)", true},
	{"SPIQ", "fold+spiq(WIDTHS)+uniform(WIDTHS)", false},
	{"PowerQuant", "fold+powerquant(WIDTHS)", true},
	{"PowerQuant + SPIQ", "fold+spiq(WIDTHS)+powerquant(WIDTHS)", false},
	{rex15, "fold+rex(base=uniform(WIDTHS),budget=1.5)", false},
	{rex2, "fold+rex(base=uniform(WIDTHS),budget=2)", false},
	{rexPower, "fold+rex(base=powerquant(WIDTHS),budget=1.5)", false},
	{"OCS", "fold+ocs+uniform(WIDTHS)", false},
	{preset, "", false},
}

// at is the column of a method at a pair of widths.
func (m method) at(p pair) column {
	if m.name == preset {
		return column{name: m.name, widths: p.String(), recipe: p.preset()}
	}
	return column{name: m.name, widths: p.String(), recipe: strings.ReplaceAll(m.recipe, "WIDTHS", p.args())}
}

func datafreeColumns() []column {
	out := []column{floatColumn}
	for _, p := range pairs {
		for _, m := range methods {
			out = append(out, m.at(p))
		}
	}
	for _, p := range between {
		for _, m := range methods {
			if m.plain {
				out = append(out, m.at(p))
			}
		}
	}
	return out
}
