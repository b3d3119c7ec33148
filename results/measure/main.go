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

// measure goes through the networks; the files are rewritten after each.
func measure(ctx context.Context, only string, samples int) error {
	dir := assets.Dir()
	if dir == "" {
		return fmt.Errorf("the assets are missing; set PARE_ASSETS to their folder")
	}
	for _, n := range networks {
		if !strings.Contains(strings.ToLower(n.name), strings.ToLower(only)) {
			continue
		}
		fresh, err := n.measure(ctx, dir, samples)
		if err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		if samples > 0 {
			continue
		}
		old, err := readRows(goldenFile)
		if err != nil {
			return err
		}
		printChanges(old, fresh)
		if err := writeRows(merged(old, fresh)); err != nil {
			return err
		}
	}
	return nil
}

// measure tries every recipe on the network. A recipe that fails is a row with
// the error; cancellation is not.
func (n network) measure(ctx context.Context, dir string, samples int) ([]row, error) {
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
	if t.data, err = original.OpenData(n.spec(dir)); err != nil {
		return nil, err
	}
	var rows []row
	for _, r := range recipes {
		got, err := t.run(ctx, r.recipe)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			got.Error = err.Error()
		}
		got.Network, got.Recipe = n.name, r.name
		fmt.Printf("%-18s %-20s %s\n", n.name, r.name, got)
		rows = append(rows, got)
	}
	return rows, nil
}

// spec is the data specification of a network.
func (n network) spec(dir string) string {
	s := n.kind + ":" + filepath.Join(dir, n.data)
	if n.options != "" {
		s += "?" + n.options
	}
	return s
}
