package main

import (
	"context"
	"os"
	"path/filepath"

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
}

// run compresses the network by one column, without data, and measures the
// written file.
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
	out := row{Bytes: info.Bytes, Seconds: rep.Seconds}
	if c.widths != "" {
		out.Steps = c.recipe
		if out.BitOps, err = bitOperations(ctx, m, rep); err != nil {
			return out, err
		}
	}
	err = t.evaluate(ctx, path, &out)
	return out, err
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
