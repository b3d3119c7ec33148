package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What is timed unless flags say otherwise.
var (
	allISAs    = []string{"avx512", "avx2"}
	allThreads = []int{1, 2}
	allBatches = []int{1, 8}
)

// wishes say what is done, and to which cells and columns.
type wishes struct {
	networks, columns, isas    []string
	threads, batches           []int
	again                      bool
	preparing, render, serving bool
	peaks                      int // print those of so many threads
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, w, err := parse()
	if err == nil {
		err = do(ctx, s, w)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse() (s setup, w wishes, err error) {
	flag.StringVar(&s.dir, "dir", filepath.Join(os.TempDir(), "pare-speed"), "folder of networks, inputs and compressed files")
	flag.StringVar(&s.python, "python", os.Getenv("PARE_PEERS"), "Python with the peers' packages; PARE_PEERS where not given")
	flag.StringVar(&s.avx2, "avx2", "", "folder of packages whose engines find no AVX-512")
	flag.Float64Var(&s.seconds, "seconds", 8, "time of a cell")
	networks := flag.String("networks", "", "only networks whose name contains one of these, separated by commas")
	columns := flag.String("columns", "", "only columns whose name contains one of these; those that they are compared with run too")
	isas := flag.String("isa", "", "only these instruction sets: "+strings.Join(allISAs, ","))
	threads := flag.String("threads", "", "only these numbers of threads")
	batches := flag.String("batches", "", "only these batch sizes")
	flag.BoolVar(&w.again, "again", false, "time again what has figures; with -prepare, write again what is there")
	flag.BoolVar(&w.preparing, "prepare", false, "only write networks, inputs and pare's files into the folder")
	flag.BoolVar(&w.render, "render", false, "only write the page of the figures that there are")
	flag.BoolVar(&w.serving, "serve", false, "be pare for another process; for the program itself")
	flag.IntVar(&w.peaks, "peaks", 0, "print the peaks of so many threads; for the program itself")
	flag.Parse()
	w.networks, w.columns, w.isas = parts(*networks), parts(*columns), parts(*isas)
	if w.threads, err = numbers(*threads, allThreads); err == nil {
		w.batches, err = numbers(*batches, allBatches)
	}
	return s, w, err
}

func do(ctx context.Context, s setup, w wishes) error {
	switch {
	case w.serving:
		return serve(ctx)
	case w.peaks > 0:
		return json.NewEncoder(os.Stdout).Encode(measurePeak(w.peaks))
	case w.render:
		r, err := readResults(resultsFile)
		if err != nil {
			return err
		}
		return r.write()
	case w.preparing:
		return s.prepare(ctx, w)
	}
	return s.run(ctx, w)
}

// parts splits a list at its commas.
func parts(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// numbers reads a list of positive numbers; all where it is empty.
func numbers(list string, all []int) ([]int, error) {
	var out []int
	for _, p := range parts(list) {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: want numbers separated by commas", list)
		}
		out = append(out, n)
	}
	if out == nil {
		out = all
	}
	return out, nil
}

// chosen reports whether a name contains one of the parts, or there are none.
func chosen(name string, parts []string) bool {
	return len(parts) == 0 || slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
}
