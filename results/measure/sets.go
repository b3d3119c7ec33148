package main

import (
	"fmt"
	"slices"
	"strings"

	"pare/compress"
)

// set is what is measured together: every network compressed by every column,
// with the files that hold the figures, relative to the root of the repository.
type set struct {
	name     string
	golden   string
	page     string
	networks []network
	columns  []column
	// render returns the page with the tables of the rows; old is what it holds.
	render func(old []byte, rows []row) ([]byte, error)
	// pictures draws what the page shows, nil where it shows none.
	pictures func(rows []row) []picture
}

// picture is a file beside the page.
type picture struct {
	path string
	svg  []byte
}

// column is one recipe; widths is "" where a set does not vary them, point where
// it does not vary how much is removed, draw "" where nothing is drawn again with
// another seed. only names the networks that it is measured on, nil for all but
// those without data. shared is a leading part of the recipe whose result other
// columns go on from.
type column struct {
	name, widths, point, recipe string
	draw                        string
	shared                      string
	seed                        uint64
	only                        []string
	sees                        sees // samples that the recipe may look at
}

// suits reports whether the column is measured on a network.
func (c column) suits(n network) bool {
	return c.only == nil && n.fill == "" || slices.Contains(c.only, n.name)
}

// steps is the recipe in full.
func (c column) steps() string { return presetRecipe(c.recipe) }

// presetRecipe is the recipe of a preset; what is none stays.
func presetRecipe(name string) string {
	for _, p := range compress.Presets {
		if p.Name == name {
			return p.Recipe
		}
	}
	return name
}

var sets = []*set{&quality, &datafree, &ablation, &pruning, &gradient, &practice, &gradual}

func findSet(name string) (*set, error) {
	for _, s := range sets {
		if s.name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no set %q; want one of %s", name, setNames())
}

func setNames() string {
	var names []string
	for _, s := range sets {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

var quality = set{
	name: "quality", golden: "results/quality.json", page: "README.md",
	networks: networks, columns: recipes, render: insert,
}
