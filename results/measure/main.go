package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"pare/internal/assets"
)

func main() {
	var w wishes
	name := flag.String("set", quality.name, "what to measure: "+setNames())
	networks := flag.String("networks", "", "only networks whose name contains one of these, separated by commas")
	columns := flag.String("columns", "", "only columns whose name or widths contain one of these, separated by commas")
	flag.IntVar(&w.samples, "samples", 0, "measure on so many samples; the files are not rewritten")
	flag.BoolVar(&w.again, "again", false, "compress again what has figures, and measure again where the written file differs")
	flag.BoolVar(&w.heldOut, "heldout", false, "measure on samples that no table is made of; the files are not rewritten")
	flag.BoolVar(&w.time, "time", false, "time what has figures, against the original, and measure nothing else; wants a quiet machine")
	flag.StringVar(&w.files, "files", "", "keep the compressed networks in this folder; with -time, take them from there")
	render := flag.Bool("render", false, "only write the page of the figures that there are")
	flag.StringVar(&w.export, "export", "", "write the samples to this folder, for other tools, and measure nothing")
	flag.Parse()
	w.networks, w.columns = parts(*networks), parts(*columns)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *name, w, *render); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, w wishes, render bool) error {
	s, err := findSet(name)
	if err != nil {
		return err
	}
	if render {
		rows, err := readRows(s.golden)
		if err != nil {
			return err
		}
		return s.writePage(rows)
	}
	if w.export != "" {
		return s.export(ctx, w)
	}
	return s.measure(ctx, w)
}

// wishes say which cells of a set are measured.
type wishes struct {
	networks, columns []string // parts of names; none for all
	samples           int      // 0 for those of the networks
	export            string   // folder for the samples, which are not measured then
	files             string   // folder in which compressed networks stay, "" for none
	heldOut           bool     // measure on the networks' other samples
	time              bool     // time cells with figures, and nothing else
	again             bool
}

// try reports whether the figures are only looked at.
func (w wishes) try() bool { return w.samples > 0 || w.heldOut }

// parts splits a list at its commas.
func parts(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// chosen reports whether a name contains one of the parts, or there are none.
func chosen(name string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(strings.ToLower(name), strings.ToLower(strings.TrimSpace(p))) {
			return true
		}
	}
	return len(parts) == 0
}

// measure goes through the cells that are due; the files are rewritten after
// each, so that a run which was stopped goes on where it was.
func (s *set) measure(ctx context.Context, w wishes) error {
	if assets.Dir() == "" {
		return fmt.Errorf("the assets are missing; set PARE_ASSETS to their folder")
	}
	if w.files != "" {
		if err := os.MkdirAll(w.files, 0o777); err != nil {
			return err
		}
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
		if err := do(n, ctx, due, old, w, s.keep(w.try())); err != nil {
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

// keep returns what is done with every fresh row: it is printed, and written
// with all others unless this is a try.
func (s *set) keep(try bool) func(r row) error {
	return func(r row) error {
		fmt.Printf("%-18s %-24s %-6s %s, %.1f s in all\n", r.Network, r.Recipe, r.Widths+r.Point, r, r.cell.Seconds())
		if try {
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
