package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
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
	cells := flag.String("cells", "", "measure the cells that the lines of this file name, in their order; see -list")
	list := flag.Bool("list", false, "print the cells that are due, one a line, and measure nothing")
	flag.IntVar(&w.parallel, "parallel", 0, "measure so many cells at a time, each in a process of its own")
	flag.IntVar(&w.threads, "threads", 0, "threads of a cell; 0 for all processors, 1 with -parallel")
	flag.StringVar(&w.machine, "machine", "", "what the seconds are of; the processor's name where nothing is said")
	flag.StringVar(&w.rows, "rows", "", "add the rows to this file, one a line, instead of to the figures; -merge does that")
	limit := flag.Duration("limit", 0, "stop after so long; with -parallel, cells whose line says that they take longer than what is left are not begun")
	merge := flag.Bool("merge", false, "put the rows of the files that are named behind all flags into the figures")
	flag.StringVar(&w.export, "export", "", "write the samples to this folder, for other tools, and measure nothing")
	flag.Parse()
	w.networks, w.columns = parts(*networks), parts(*columns)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *limit)
		defer cancel()
	}
	do := doing{render: *render, list: *list, merge: *merge, files: flag.Args(), cells: *cells}
	if err := run(ctx, *name, w, do); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// doing is what the program was called for, where that is not measuring.
type doing struct {
	render, list, merge bool
	files               []string // with rows, for merge
	cells               string   // file that names those to measure
}

func run(ctx context.Context, name string, w wishes, do doing) error {
	s, err := findSet(name)
	if err != nil {
		return err
	}
	if do.cells != "" {
		if w.cells, err = readCells(do.cells); err != nil {
			return err
		}
	}
	switch {
	case do.render:
		rows, err := readRows(s.golden)
		if err != nil {
			return err
		}
		return s.writePage(rows)
	case do.merge:
		return s.merge(do.files)
	case do.list:
		return s.list(w, os.Stdout)
	case w.export != "":
		return s.export(ctx, w)
	case w.parallel > 0:
		w.threads = max(1, w.threads)
		return s.spread(ctx, w)
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
	cells             []task // nil for those that are due
	parallel, threads int
	machine, rows     string
	alone             bool // one cell is measured, and nothing else
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
