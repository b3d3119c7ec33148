package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"pare"
	"pare/internal/cpu"
)

// run times the cells that are wished for.
func (s setup) run(ctx context.Context, w wishes) error {
	s.machine, s.script = cpu.Level(), "x/peers/serve.py"
	for _, x := range grid(allISAs, w.threads, w.batches) {
		if !chosen(x.isa, w.isas) || !chosen(x.network.name, w.networks) || !s.has(x.isa) {
			continue
		}
		if err := s.measure(ctx, x, w); err != nil {
			return fmt.Errorf("%s: %w", x.network.name, err)
		}
	}
	return nil
}

// has reports whether this machine has an instruction set.
func (s setup) has(isa string) bool {
	return slices.Index(allISAs, isa) >= slices.Index(allISAs, s.machine) && slices.Contains(allISAs, s.machine)
}

// measure times the columns of a cell that are due, with those that they are
// compared with, and keeps the rows.
func (s setup) measure(ctx context.Context, x cell, w wishes) error {
	old, err := readResults(resultsFile)
	if err != nil {
		return err
	}
	due, run := s.columns(x, old, w)
	if len(due) == 0 {
		return nil
	}
	begin := time.Now()
	p, err := peakOf(x)
	if err != nil {
		return err
	}
	operations, err := s.operations(ctx, x)
	if err != nil {
		return err
	}
	rows := rowsOf(x, s.race(ctx, x, run), p, operations)
	if err := ctx.Err(); err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return !slices.Contains(due, r.Column) })
	old.Machine = machine()
	old.keepPeak(p)
	old.keep(x, rows)
	fmt.Printf("%s %s, %d threads, batch %d: %d columns in %.0f s\n", x.network.name, x.isa, x.threads, x.batch, len(run), time.Since(begin).Seconds())
	return old.write()
}

// columns are the names of those that are due in a cell, and all that run.
func (s setup) columns(x cell, old *results, w wishes) (due []string, run []column) {
	for _, c := range columns {
		if !c.suits(x) {
			continue
		}
		r := old.find(x, c.name)
		fresh := chosen(c.name, w.columns) && (w.again || r == nil || r.Error != "")
		if fresh {
			due = append(due, c.name)
		}
		if fresh || c.peer() || c.name == "float" || c.name == "w8a8" {
			run = append(run, c)
		}
	}
	return due, run
}

// operations are those of one run of the network as it is, by the definition of its
// steps.
func (s setup) operations(ctx context.Context, x cell) (n int64, err error) {
	m, err := pare.Load(filepath.Join(s.dir, x.network.name+".onnx"))
	if err != nil {
		return 0, fmt.Errorf("%w; run with -prepare", err)
	}
	defer m.Close()
	session, err := m.NewSession(ctx, pare.SessionOptions{})
	if err != nil {
		return 0, err
	}
	files, err := inputFiles(inputs(s.dir, x.network, 1))
	if err != nil {
		return 0, err
	}
	in, err := readInputs(files)
	if err != nil {
		return 0, err
	}
	steps, err := session.Profile(ctx, in, 1)
	for _, t := range steps {
		n += t.Flops
	}
	return n * int64(x.batch), err
}
