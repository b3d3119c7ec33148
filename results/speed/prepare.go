package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"pare"
	"pare/compress"
	"pare/internal/assets"
	"pare/internal/atomicfile"
	"pare/internal/npy"
)

// prepare puts the networks that are wished for into the folder.
func (s setup) prepare(ctx context.Context, w wishes) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	for _, n := range networks {
		if !chosen(n.name, w.networks) {
			continue
		}
		if err := prepare(ctx, s.dir, n, w.columns, w.again); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	return nil
}

// prepare puts a network, its inputs and pare's files into the folder; what is
// there already stays, unless again.
func prepare(ctx context.Context, dir string, n network, columns []string, again bool) error {
	path := filepath.Join(dir, n.name+".onnx")
	if err := n.write(dir, path, again); err != nil {
		return err
	}
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	for _, batch := range allBatches {
		if err := writeInputs(m, n, dir, batch); err != nil {
			return err
		}
	}
	for _, c := range columnsOf(n) {
		out := filepath.Join(dir, c.file(n))
		if c.recipe == "" || !chosen(c.name, columns) || exists(out) && !again {
			continue
		}
		fmt.Printf("%s: %s\n", n.name, c.recipe)
		if err := write(ctx, path, out, c.recipe); err != nil {
			return fmt.Errorf("%s: %w", c.recipe, err)
		}
	}
	return nil
}

// write puts the network's file into the folder.
func (n network) write(dir, path string, again bool) error {
	if exists(path) && !again {
		return nil
	}
	switch {
	case n.fill != "":
		_, err := assets.Fill(dir, n.fill)
		return err
	case n.make != nil:
		return n.make(path)
	}
	data, err := os.ReadFile(filepath.Join(assets.Dir(), n.file))
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// columnsOf are the columns that a network has in any cell.
func columnsOf(n network) []column {
	var out []column
	for _, c := range columns {
		if c.suits(cell{network: n, threads: 1, batch: 1}) {
			out = append(out, c)
		}
	}
	return out
}

// inputs is the folder of a network's inputs.
func inputs(dir string, n network, batch int) string {
	return filepath.Join(dir, n.name, fmt.Sprintf("batch%d", batch))
}

func writeInputs(m *pare.Model, n network, dir string, batch int) error {
	shapes := map[string][]int{}
	for name, s := range n.shape {
		shapes[name] = append([]int{batch}, s[1:]...)
	}
	in, _, err := m.RandomInputs(pare.Random{Seed: 1, Batch: batch, Shapes: shapes})
	if err != nil {
		return err
	}
	folder := inputs(dir, n, batch)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, t := range in {
		if err := atomicfile.Write(filepath.Join(folder, name+".npy"), func(w io.Writer) error { return npy.Write(w, t) }); err != nil {
			return err
		}
	}
	return nil
}

// write compresses a network into a file.
func write(ctx context.Context, path, out, recipe string) error {
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	// Random inputs are standard normal.
	if _, err := m.Compress(ctx, recipe, pare.Options{Input: compress.InputRange{Lo: []float64{-4}, Hi: []float64{4}}}); err != nil {
		return err
	}
	_, err = m.Save(out, pare.SaveOptions{})
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
