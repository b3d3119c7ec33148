package main

import (
	"fmt"
	"strings"
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
}

// column is one recipe; widths is "" where a set does not vary them.
type column struct{ name, widths, recipe string }

var sets = []*set{&quality, &datafree}

func findSet(name string) (*set, error) {
	var names []string
	for _, s := range sets {
		if s.name == name {
			return s, nil
		}
		names = append(names, s.name)
	}
	return nil, fmt.Errorf("there is no set %q; want one of %s", name, strings.Join(names, ", "))
}

var quality = set{
	name: "quality", golden: "results/quality.json", page: "README.md",
	networks: networks, columns: recipes, render: insert,
}
