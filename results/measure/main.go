package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"pare"
	"pare/internal/assets"
)

func main() {
	only := flag.String("only", "", "measure only networks whose name contains this")
	samples := flag.Int("samples", 0, "measure on so many samples instead of all; the files are not rewritten")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *only, *samples); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, only string, samples int) error {
	dir := assets.Dir()
	if dir == "" {
		return fmt.Errorf("the assets are missing; set PARE_ASSETS to their folder")
	}
	old, err := readRows(goldenFile)
	if err != nil {
		return err
	}
	var fresh []row
	for _, n := range networks {
		if !strings.Contains(strings.ToLower(n.name), strings.ToLower(only)) {
			continue
		}
		for _, r := range recipes {
			got, err := one(ctx, dir, n, r.recipe, samples)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				got.Error = err.Error()
			}
			got.Network, got.Recipe = n.name, r.name
			fmt.Printf("%-18s %-20s %s\n", n.name, r.name, got)
			fresh = append(fresh, got)
		}
	}
	if samples > 0 {
		return nil
	}
	printChanges(old, fresh)
	return writeRows(merged(old, fresh))
}

// one compresses one network by one recipe and measures the written file.
func one(ctx context.Context, dir string, n network, recipe string, samples int) (row, error) {
	original, err := pare.Load(filepath.Join(dir, n.file))
	if err != nil {
		return row{}, err
	}
	defer original.Close()
	if n.repair != nil {
		n.repair(original.IR())
	}
	tmp, err := os.MkdirTemp("", "measure")
	if err != nil {
		return row{}, err
	}
	defer os.RemoveAll(tmp)
	m := original.Clone()
	input, err := original.InputRange(n.options)
	if err != nil {
		return row{}, err
	}
	rep, err := m.Compress(ctx, recipe, pare.Options{Input: input})
	if err != nil {
		return row{}, err
	}
	path := filepath.Join(tmp, "small.onnx")
	info, err := m.Save(path, pare.SaveOptions{})
	if err != nil {
		return row{}, err
	}
	out := row{Bytes: info.Bytes, Seconds: rep.Seconds}
	err = out.evaluate(ctx, path, original, n, dir, samples)
	return out, err
}

// evaluate measures the written file against the original.
func (r *row) evaluate(ctx context.Context, path string, original *pare.Model, n network, dir string, samples int) error {
	written, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer written.Close()
	set, err := original.OpenData(n.spec(dir))
	if err != nil {
		return err
	}
	if samples == 0 {
		samples = n.samples
	}
	res, err := written.Evaluate(ctx, set, pare.EvalOptions{Against: original, Samples: samples, Batch: n.batch})
	if err != nil {
		return err
	}
	r.take(res)
	return nil
}

// spec is the data specification of a network.
func (n network) spec(dir string) string {
	s := n.kind + ":" + filepath.Join(dir, n.data)
	if n.options != "" {
		s += "?" + n.options
	}
	return s
}
