package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"time"

	"pare"
	"pare/dataset"
	"pare/eval"
)

// trial is one network with what every recipe is measured on.
type trial struct {
	network
	original  *pare.Model
	reference *memo
	data      dataset.Set
	samples   int
	known     map[string]row // figures by the file that they were measured of
}

// measure tries columns on the network and hands every row to keep.
func (n network) measure(ctx context.Context, dir string, columns []column, old []row, samples int, keep func(row) error) error {
	original, err := pare.Load(filepath.Join(dir, n.file))
	if err != nil {
		return err
	}
	defer original.Close()
	if n.repair != nil {
		n.repair(original.IR())
	}
	if samples == 0 {
		samples = n.samples
	}
	t, err := newTrial(ctx, n, original, dir, samples)
	if err != nil {
		return err
	}
	for _, r := range old {
		t.remember(r)
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

func newTrial(ctx context.Context, n network, original *pare.Model, dir string, samples int) (*trial, error) {
	session, err := original.NewSession(ctx, pare.SessionOptions{})
	if err != nil {
		return nil, err
	}
	data, err := original.OpenData(n.spec(dir))
	if err != nil {
		return nil, err
	}
	t := &trial{network: n, original: original, reference: &memo{Network: session}, samples: samples, known: map[string]row{}}
	t.data = &remembered{Set: data, batches: map[[2]int]dataset.Batch{}}
	return t, nil
}

// remember keeps the figures of a file for other columns that write the same.
func (t *trial) remember(r row) {
	if r.Network == t.name && r.Error == "" && r.File != "" && r.Format == figuresFormat && (t.samples == 0 || r.Samples == t.samples) {
		t.known[r.File] = r
	}
}

// spec is the data specification of a network.
func (n network) spec(dir string) string {
	s := n.kind + ":" + filepath.Join(dir, n.data)
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
	got.Network, got.Recipe, got.Widths, got.Steps, got.Format = t.name, c.name, c.widths, c.steps(), figuresFormat
	got.cell = time.Since(start)
	return got, nil
}

// run compresses the network by one column, without data, and measures the
// written file, unless the figures of the very same are known.
func (t *trial) run(ctx context.Context, c column) (row, error) {
	tmp, err := os.MkdirTemp("", "measure")
	if err != nil {
		return row{}, err
	}
	defer os.RemoveAll(tmp)
	m := t.original.Clone()
	input, err := m.InputRange(t.options)
	if err != nil {
		return row{}, err
	}
	rep, err := m.Compress(ctx, c.recipe, pare.Options{Input: input})
	if err != nil {
		return row{}, err
	}
	path := filepath.Join(tmp, "small.onnx")
	info, err := m.Save(path, pare.SaveOptions{})
	if err != nil {
		return row{}, err
	}
	out := row{Bytes: info.Bytes}
	if out.File, err = digest(path); err != nil {
		return row{}, err
	}
	if known, ok := t.known[out.File]; ok {
		known.Seconds = seconds(rep)
		return known, nil
	}
	if c.widths != "" {
		if out.BitOps, err = t.bitOperations(ctx, m, rep); err != nil {
			return out, err
		}
	}
	err = t.evaluate(ctx, path, &out)
	out.Seconds = seconds(rep)
	return out, err
}

// seconds is how long compression took.
func seconds(rep *pare.Report) float64 { return *rounded(&rep.Seconds) }

// digest tells files apart.
func digest(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}

// evaluate measures a written file against the original.
func (t *trial) evaluate(ctx context.Context, path string, out *row) error {
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	session, err := m.NewSession(ctx, pare.SessionOptions{})
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
