package main

import (
	"context"
	"fmt"
	"os"

	"pare/internal/assets"
)

// ready checks that there is something to measure on and makes the folder of files.
func (w wishes) ready() error {
	if assets.Dir() == "" {
		return fmt.Errorf("the assets are missing; set PARE_ASSETS to their folder")
	}
	if w.files != "" {
		return os.MkdirAll(w.files, 0o777)
	}
	return nil
}

// measure goes through the cells that are due; the files are rewritten after
// each, so that a run which was stopped goes on where it was.
func (s *set) measure(ctx context.Context, w wishes) error {
	if err := w.ready(); err != nil {
		return err
	}
	if w.cells != nil {
		return s.measureNamed(ctx, w)
	}
	for _, n := range s.networks {
		if !chosen(n.name, w.networks) {
			continue
		}
		old, err := readRows(s.golden)
		if err != nil {
			return err
		}
		due, do := s.due(n, old, w), network.measure
		if w.time {
			due, do = s.untimed(n, old, w), network.time
		}
		fmt.Printf("%s: %d cells\n", n.name, len(due))
		if len(due) == 0 {
			continue
		}
		if err := do(n, ctx, due, old, w, s.keep(w)); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	return nil
}

// due lists the columns of a network that were wished for and have no figures.
func (s *set) due(n network, old []row, w wishes) []column {
	var out []column
	for _, c := range s.columns {
		if !c.wished(n, w) {
			continue
		}
		if r := find(old, n.name, c); w.again || w.try() || r == nil || !r.current(n, c) || r.Error != "" {
			out = append(out, c)
		}
	}
	return out
}

// wished reports whether a column is measured on a network and was asked for.
func (c column) wished(n network, w wishes) bool {
	return c.suits(n) && (chosen(c.name, w.columns) || chosen(c.widths, w.columns) || chosen(c.point, w.columns))
}

// measureNamed measures cells in the order in which they were named.
func (s *set) measureNamed(ctx context.Context, w wishes) error {
	if err := s.check(w.cells); err != nil {
		return err
	}
	old, err := readRows(s.golden)
	if err != nil {
		return err
	}
	w.alone = len(w.cells) == 1
	for _, x := range w.cells {
		n, c, err := s.at(x)
		if err != nil {
			return err
		}
		if err := n.measure(ctx, []column{c}, old, w, s.keep(w)); err != nil {
			return fmt.Errorf("%s: %w", x, err)
		}
	}
	return nil
}

// keep returns what is done with every fresh row: it is printed, and added to the
// file of rows, or else written with all others unless this is a try.
func (s *set) keep(w wishes) func(r row) error {
	return func(r row) error {
		fmt.Printf("%-18s %-24s %-6s %s, %.1f s in all\n", r.Network, r.Recipe, r.Widths+r.Point+r.Draw, r, r.cell.Seconds())
		if w.rows != "" {
			return appendRow(w.rows, r)
		}
		if w.try() {
			return nil
		}
		old, err := readRows(s.golden)
		if err != nil {
			return err
		}
		printChange(old, r)
		return s.write(s.merged(old, []row{r}))
	}
}
