package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"pare/internal/par"
	"pare/internal/rival"
	"pare/internal/stat"
)

// racer is a competitor in its process.
type racer struct {
	column column
	rival  *rival.Rival
	turns  []float64 // median seconds of each turn
	first  float64   // seconds to load and to run once
	err    error
}

// setup says how competitors are started.
type setup struct {
	dir     string // of the files
	python  string
	script  string // x/peers/serve.py
	avx2    string // folder of packages whose engines find no AVX-512
	machine string // the strongest level of this machine
	seconds float64
}

// command is what runs a column's engine, with additions to the environment.
func (s setup) command(c column, isa string) (command, environment []string, err error) {
	if !c.peer() {
		self, err := os.Executable()
		return []string{self, "-serve"}, []string{"PARE_CPU=" + isa}, err
	}
	if s.python == "" {
		return nil, nil, fmt.Errorf("not measured: -python was not given")
	}
	if isa != s.machine {
		if s.avx2 == "" {
			return nil, nil, fmt.Errorf("not measured: -avx2 was not given")
		}
		environment = []string{"PYTHONPATH=" + s.avx2}
	}
	return []string{s.python, s.script, c.engine}, environment, nil
}

// start starts a competitor, loads its file and runs it once.
func (s setup) start(ctx context.Context, c column, x cell) *racer {
	r := &racer{column: c}
	r.err = r.enter(ctx, s, x)
	return r
}

func (r *racer) enter(ctx context.Context, s setup, x cell) error {
	command, environment, err := s.command(r.column, x.isa)
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, r.column.file(x.network))
	if !exists(file) {
		return fmt.Errorf("not measured: there is no %s", filepath.Base(file))
	}
	in, err := inputFiles(inputs(s.dir, x.network, x.batch))
	if err != nil {
		return err
	}
	if r.rival, err = rival.Start(ctx, command, environment); err != nil {
		return err
	}
	if err := r.rival.Load(file, x.threads, in); err != nil {
		return short(err)
	}
	first, err := r.rival.Run(1)
	if err != nil {
		return short(err)
	}
	r.first = r.rival.LoadSeconds + first[0]
	return nil
}

// short keeps the reason of an error without the command and where it is long.
func short(err error) error {
	text := err.Error()
	if _, reason, ok := strings.Cut(text, ": "); ok {
		text = reason
	}
	const most = 120
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + " ..."
	}
	return fmt.Errorf("%s", text)
}

// inputFiles lists the .npy files of a folder by the names of the inputs.
func inputFiles(folder string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.npy"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there are no inputs in %s; run with -prepare", folder)
	}
	out := map[string]string{}
	for _, f := range files {
		path, e := filepath.Abs(f)
		if e != nil {
			return nil, e
		}
		out[strings.TrimSuffix(filepath.Base(f), ".npy")] = path
	}
	return out, err
}

const (
	turn      = 40 * time.Millisecond // what a turn aims at
	mostRuns  = 9                     // of a turn
	long      = 0.25                  // seconds of runs that are not repeated to warm caches
	pause     = 3 * time.Millisecond  // before a turn
	fewRounds = 3
	allRounds = 41
)

// take lets a competitor run for a turn.
func (r *racer) take() error {
	time.Sleep(pause)
	last := r.first
	if n := len(r.turns); n > 0 {
		last = r.turns[n-1]
	}
	if last < long {
		warm, err := r.rival.Run(1)
		if err != nil {
			return err
		}
		last = warm[0]
	}
	runs, err := r.rival.Run(min(mostRuns, max(1, int(turn.Seconds()/last))))
	if err == nil {
		r.turns = append(r.turns, stat.Median(runs))
	}
	return err
}

// race starts the competitors of a cell, lets them take turns in changing order for
// the seconds of the setup, and returns them; each has as many turns, or an error.
func (s setup) race(ctx context.Context, x cell, columns []column) []*racer {
	atOnce := 1 // where the time to load is kept
	if x.threads > 1 || x.batch > 1 {
		atOnce = runtime.NumCPU()
	}
	all := make([]*racer, len(columns))
	par.Each(len(columns), atOnce, func(i int) { all[i] = s.start(ctx, columns[i], x) })
	var running []*racer
	for _, r := range all {
		if r.err == nil {
			running = append(running, r)
		}
	}
	begin := time.Now()
	for k := 0; k < fewRounds || k < allRounds && time.Since(begin).Seconds() < s.seconds; k++ {
		for _, r := range order(running, k) {
			if r.err == nil && ctx.Err() == nil {
				r.err = r.take()
			}
		}
	}
	for _, r := range all {
		if r.rival != nil {
			r.rival.Close()
		}
		if r.err == nil {
			r.err = ctx.Err()
		}
	}
	return all
}

// order is who comes first in round k: another one each time, and backwards every
// other time, so that nobody always follows the same.
func order(all []*racer, k int) []*racer {
	if len(all) == 0 {
		return nil
	}
	first := k / 2 % len(all)
	out := append(slices.Clone(all[first:]), all[:first]...)
	if k%2 == 1 {
		slices.Reverse(out)
	}
	return out
}
