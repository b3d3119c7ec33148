package main

import (
	"fmt"
	"strings"

	"pare/compress"
)

// datafree compares the methods that need no data at pairs of widths.
var datafree = set{
	name: "datafree", golden: "results/datafree.json", page: "results/datafree.md",
	networks: datafreeNetworks(), columns: datafreeColumns(), render: datafreePage,
}

// Samples of the comparison.
const (
	cifarSamples    = 1000
	imagenetSamples = 150
	pairSamples     = 100
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

var pairs = []pair{{8, 8}, {6, 6}, {4, 8}, {4, 4}, {4, 16}, {3, 16}, {2, 16}}

func (p pair) String() string { return fmt.Sprintf("W%dA%d", p.w, p.a) }

// args are the widths as parameters of a method.
func (p pair) args() string {
	if p.a == 16 {
		return fmt.Sprintf("w=%d", p.w)
	}
	return fmt.Sprintf("w=%d,a=%d", p.w, p.a)
}

// floatColumn is the original itself.
var floatColumn = column{name: "float", recipe: "copy"}

// preset is the method that stands for the preset of a pair.
const preset = "preset"

// methods are recipes with WIDTHS in place of the parameters of the pair.
var methods = []struct{ name, recipe string }{
	{"nearest", "fold+uniform(WIDTHS)"},
	{"DFQ", "fold+equalize+absorb+uniform(WIDTHS)+correct"},
	{"SQuant", "fold+uniform(WIDTHS,rounding=squant)"},
	{"SPIQ", "fold+spiq(WIDTHS)+uniform(WIDTHS)"},
	{"PowerQuant", "fold+powerquant(WIDTHS)"},
	{"PowerQuant + SPIQ", "fold+spiq(WIDTHS)+powerquant(WIDTHS)"},
	{"REx 1.5x", "fold+rex(base=uniform(WIDTHS),budget=1.5)"},
	{"REx 2x", "fold+rex(base=uniform(WIDTHS),budget=2)"},
	{"OCS", "fold+ocs+uniform(WIDTHS)"},
	{preset, ""},
}

func datafreeColumns() []column {
	out := []column{floatColumn}
	for _, p := range pairs {
		for _, m := range methods {
			recipe := strings.ReplaceAll(m.recipe, "WIDTHS", p.args())
			if m.name == preset {
				recipe = presetRecipe(strings.ToLower(p.String()))
			}
			out = append(out, column{m.name, p.String(), recipe})
		}
	}
	return out
}

// presetRecipe is the recipe of a preset; a name that there is not stays, and
// fails where it is parsed.
func presetRecipe(name string) string {
	for _, p := range compress.Presets {
		if p.Name == name {
			return p.Recipe
		}
	}
	return name
}
