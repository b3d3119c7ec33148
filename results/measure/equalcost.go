package main

import (
	"fmt"
	"strings"
)

// equal pairs an expansion with widths whose layers cost as many
// bit-operations.
type equal struct {
	expanded pair
	budget   string // method that expands
	plain    pair
}

var equals = []equal{
	{pair{4, 8}, rex15, pair{6, 8}},
	{pair{4, 8}, rex2, pair{8, 8}},
	{pair{4, 16}, rex15, pair{6, 16}},
	{pair{4, 16}, rex2, pair{8, 16}},
	{pair{3, 16}, rex2, pair{6, 16}},
	{pair{2, 16}, rex15, pair{3, 16}},
	{pair{2, 16}, rex2, pair{4, 16}},
}

// equalCost compares expansions with plain methods of the same cost.
func (p *page) equalCost() {
	var lines []string
	ahead, all := 0, 0
	for _, e := range equals {
		x, best := p.find(method{name: e.budget}.at(e.expanded)), p.bestPlain(e.plain)
		near := p.find(method{name: nearest}.at(e.plain))
		if x == nil || near == nil || x.Error != "" || near.Error != "" {
			continue
		}
		all++
		if x.merit() > best.merit() {
			ahead++
		}
		lines = append(lines, fmt.Sprintf("| %s at %s | %s | %s | %s (%s at %s) |\n",
			e.budget, e.expanded, p.costly(x), p.costly(near), p.costly(best), best.Recipe, best.Widths))
	}
	if all == 0 {
		return
	}
	fmt.Fprintf(p.b, "\nREx at equal cost: ahead of the best plain method of the same bit-operations in %d of %d.\n\n", ahead, all)
	p.b.WriteString("| expansion | figure | nearest rounding | best plain method |\n| --- | --- | --- | --- |\n" + strings.Join(lines, ""))
}

// bestPlain is the best row of methods with one term at a pair of widths, nil
// where there is none.
func (p *page) bestPlain(w pair) (best *row) {
	for _, m := range methods {
		if r := p.find(m.at(w)); m.plain && r != nil && r.Error == "" && (best == nil || r.merit() > best.merit()) {
			best = r
		}
	}
	return best
}

// costly is a figure with its size and operations.
func (p *page) costly(r *row) string {
	return fmt.Sprintf("%s, %.2f MB, %s", short(r), float64(r.Bytes)/1e6, p.operations(r))
}
