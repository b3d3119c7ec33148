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
	"pare/dataset"
	"pare/internal/assets"
)

func main() {
	name := flag.String("set", quality.name, "what to measure: quality, datafree")
	only := flag.String("only", "", "measure only networks whose name contains this")
	samples := flag.Int("samples", 0, "measure on so many samples instead of all; the files are not rewritten")
	folder := flag.String("export", "", "write the samples of the networks to this folder, for other tools, and measure nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := findSet(*name)
	switch {
	case err != nil:
	case *folder != "":
		err = s.export(ctx, *folder, *only, *samples)
	default:
		err = s.measure(ctx, *only, *samples)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// measure goes through the networks; the files are rewritten after each.
func (s *set) measure(ctx context.Context, only string, samples int) error {
	dir := assets.Dir()
	if dir == "" {
		return fmt.Errorf("the assets are missing; set PARE_ASSETS to their folder")
	}
	for _, n := range s.networks {
		if !strings.Contains(strings.ToLower(n.name), strings.ToLower(only)) {
			continue
		}
		fresh, err := n.measure(ctx, dir, s.columns, samples)
		if err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		if samples > 0 {
			continue
		}
		old, err := readRows(s.golden)
		if err != nil {
			return err
		}
		printChanges(old, fresh)
		if err := s.write(s.merged(old, fresh)); err != nil {
			return err
		}
	}
	return nil
}

// measure tries every column on the network. A recipe that fails is a row with
// the error; cancellation is not.
func (n network) measure(ctx context.Context, dir string, columns []column, samples int) ([]row, error) {
	original, err := pare.Load(filepath.Join(dir, n.file))
	if err != nil {
		return nil, err
	}
	defer original.Close()
	if n.repair != nil {
		n.repair(original.IR())
	}
	session, err := original.NewSession(ctx, pare.SessionOptions{})
	if err != nil {
		return nil, err
	}
	if samples == 0 {
		samples = n.samples
	}
	t := trial{network: n, original: original, reference: &memo{Network: session}, samples: samples}
	data, err := original.OpenData(n.spec(dir))
	if err != nil {
		return nil, err
	}
	t.data = &remembered{Set: data, batches: map[[2]int]dataset.Batch{}}
	var rows []row
	for _, c := range columns {
		got, err := t.try(ctx, c)
		if err != nil {
			return nil, err
		}
		fmt.Printf("%-18s %-20s %-6s %s\n", n.name, c.name, c.widths, got)
		rows = append(rows, got)
	}
	return rows, nil
}

// try runs a column; its failure is part of the row, cancellation an error.
func (t *trial) try(ctx context.Context, c column) (row, error) {
	got, err := t.run(ctx, c)
	if ctx.Err() != nil {
		return got, ctx.Err()
	}
	if err != nil {
		got.Error, got.Samples = err.Error(), t.samples
	}
	got.Network, got.Recipe, got.Widths = t.name, c.name, c.widths
	return got, nil
}

// spec is the data specification of a network.
func (n network) spec(dir string) string {
	s := n.kind + ":" + filepath.Join(dir, n.data)
	if n.options != "" {
		s += "?" + n.options
	}
	return s
}
