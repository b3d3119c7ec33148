package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"pare"
	"pare/dataset"
	"pare/eval"
	"pare/internal/assets"
	"pare/internal/cpu"
)

// trial is one network with what every recipe is measured on.
type trial struct {
	network
	original  *pare.Model
	reference *memo
	data      dataset.Set // nil where only compressing is measured
	samples   int
	known     map[string]row    // figures by the file that they were measured of
	parts     map[part]*written // results of shared parts of recipes
	scratch   string            // folder for files that do not stay
	files     string            // folder of compressed files that stay, "" for none
	threads   int               // 0 for all processors
	machine   string            // says where seconds were taken
	alone     bool              // nothing else is measured by the process
}

// measure tries columns on the network and hands every row to keep.
func (n network) measure(ctx context.Context, columns []column, old []row, w wishes, keep func(row) error) error {
	t, err := newTrial(ctx, n, w)
	if err != nil {
		return err
	}
	defer t.close()
	t.alone = w.alone
	for _, r := range old {
		if !w.heldOut {
			t.remember(r)
		}
	}
	for _, c := range columns {
		got, err := t.try(ctx, c)
		if err != nil {
			return err
		}
		t.remember(got)
		if err := keep(got); err != nil {
			return err
		}
	}
	return nil
}

// newTrial opens a network and its data. The trial must be closed.
func newTrial(ctx context.Context, n network, w wishes) (*trial, error) {
	scratch, err := os.MkdirTemp("", "measure")
	if err != nil {
		return nil, err
	}
	t := &trial{
		network: n, samples: cmp.Or(w.samples, n.samples), known: map[string]row{}, parts: map[part]*written{}, scratch: scratch,
		files: w.files, threads: w.threads, machine: cmp.Or(w.machine, cpu.Model()),
	}
	if err := t.open(ctx, w.heldOut); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *trial) close() {
	if t.original != nil {
		t.original.Close()
	}
	os.RemoveAll(t.scratch)
}

func (t *trial) open(ctx context.Context, heldOut bool) error {
	path, err := t.path(t.scratch)
	if err != nil {
		return err
	}
	if t.original, err = pare.Load(path); err != nil {
		return err
	}
	if t.repair != nil {
		t.repair(t.original.IR())
	}
	if t.fill != "" {
		return nil
	}
	session, err := t.original.NewSession(ctx, pare.SessionOptions{Threads: t.threads})
	if err != nil {
		return err
	}
	n := t.network
	if heldOut {
		n = n.heldOut()
	}
	data, err := t.original.OpenData(n.spec(assets.Dir()))
	if err != nil {
		return err
	}
	t.reference = &memo{Network: session}
	t.data = &remembered{Set: dataset.Tail(data, n.from), batches: map[[2]int]dataset.Batch{}}
	return nil
}

// remember keeps the figures of a file for other columns that write the same.
func (t *trial) remember(r row) {
	if r.Network == t.name && r.Error == "" && r.File != "" && r.Format == figuresFormat && (t.samples == 0 || r.Samples == t.samples) {
		t.known[r.File] = r
	}
}

// spec is the data specification of a network.
func (n network) spec(dir string) string {
	var files []string
	for _, f := range strings.Split(n.data, ",") {
		files = append(files, filepath.Join(dir, f))
	}
	s := n.kind + ":" + strings.Join(files, ",")
	if n.options != "" {
		s += "?" + n.options
	}
	return s
}

// try runs a column; its failure is part of the row, cancellation an error.
func (t *trial) try(ctx context.Context, c column) (row, error) {
	start := time.Now()
	got, err := t.run(ctx, c)
	if ctx.Err() != nil {
		return got, ctx.Err()
	}
	if err != nil {
		got.Error, got.Samples = err.Error(), t.samples
	}
	got.Network, got.Recipe, got.Widths, got.Point, got.Draw, got.Steps, got.Format = t.name, c.name, c.widths, c.point, c.draw, c.steps(), figuresFormat
	got.Data = c.sees.text(t.network)
	got.cell = time.Since(start)
	return got, nil
}

// run compresses the network by one column and measures the written file, unless
// the figures of the very same are known.
func (t *trial) run(ctx context.Context, c column) (row, error) {
	w, err := t.write(ctx, c)
	if err != nil {
		return row{}, err
	}
	out := row{Bytes: w.bytes, File: w.digest, Seconds: *rounded(&w.seconds)}
	if c.point != "" {
		out.Costs = countCosts(w.model)
	}
	if c.sees.samples > 0 {
		t.effort(w.report, &out)
	}
	if known, ok := t.known[out.File]; ok {
		known.Seconds, known.Costs = out.Seconds, out.Costs
		known.Threads, known.Machine, known.Peak = out.Threads, out.Machine, out.Peak
		return known, nil
	}
	if c.widths != "" {
		if out.BitOps, err = t.bitOperations(ctx, w.model, w.report); err != nil {
			return out, err
		}
	}
	if t.data == nil {
		return out, nil
	}
	return out, t.evaluate(ctx, w.path, &out)
}

// effort says what compressing took and on what; memory is that of the process, so
// it says something where there was nothing else in it.
func (t *trial) effort(rep *pare.Report, out *row) {
	out.Threads, out.Machine = cmp.Or(t.threads, runtime.GOMAXPROCS(0)), t.machine
	if t.alone {
		out.Peak = rep.Peak
	}
}

// evaluate measures a written file against the original.
func (t *trial) evaluate(ctx context.Context, path string, out *row) error {
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	session, err := m.NewSession(ctx, pare.SessionOptions{Threads: t.threads})
	if err != nil {
		return err
	}
	res, err := eval.Run(ctx, session, t.data, eval.Options{Samples: t.samples, Batch: t.batch, Reference: t.reference.rewind()})
	if err != nil {
		return err
	}
	out.take(&res)
	return nil
}
