package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pare"
)

// compareFlags are the options of compare.
type compareFlags struct {
	data           string
	samples, batch int
	shapes         []string
}

func compareCmd(a *app) *cobra.Command {
	var o compareFlags
	c := &cobra.Command{
		Use:   "compare ORIGINAL MODEL",
		Short: "Find the layers that make a compressed network drift",
		Long: `compare runs two versions of a network on the same inputs and reports, for every
layer, the signal-to-noise ratio of its results: accumulated over the network up
to there, and isolated, with the layer's own inputs taken from the original. A
layer is guilty when it makes at least twice its even share of the isolated
noise. Without --data the inputs are random numbers.

` + dataHelp,
		Args: files("ORIGINAL", "MODEL"),
		RunE: func(c *cobra.Command, args []string) error { return a.compare(c, args[0], args[1], o) },
	}
	f := c.Flags()
	f.StringVar(&o.data, "data", "", "inputs to run on (SPEC)")
	f.IntVar(&o.samples, "samples", 0, "run on the first so many samples (default 64)")
	f.IntVar(&o.batch, "batch", 0, "samples per run (default 8)")
	f.StringArrayVar(&o.shapes, "shape", nil, "NAME=1x3x224x224: shape of a random input with free dimensions")
	return c
}

func (a *app) compare(c *cobra.Command, original, model string, o compareFlags) error {
	sizes, err := shapes(o.shapes)
	if err != nil {
		return err
	}
	if o.data != "" {
		if err := needData(o.data); err != nil {
			return err
		}
	}
	ref, err := pare.Load(original)
	if err != nil {
		return err
	}
	defer ref.Close()
	m, err := pare.Load(model)
	if err != nil {
		return err
	}
	defer m.Close()
	opts := pare.CompareOptions{
		Threads: a.threads, Samples: o.samples, Batch: o.batch, Progress: a.bar.update,
		Random: pare.Random{Seed: a.seed, Batch: o.batch, Shapes: sizes},
	}
	if o.data != "" {
		if opts.Data, err = ref.OpenData(o.data); err != nil {
			return err
		}
	}
	doc, err := m.Compare(c.Context(), ref, opts)
	if err != nil {
		return err
	}
	a.bar.stop()
	if a.json {
		return a.writeJSON(doc)
	}
	printComparison(a.stdout, doc)
	return nil
}

func printComparison(w io.Writer, d *pare.Comparison) {
	fmt.Fprintf(w, "%s against %s on %d samples\n\n", d.Model, d.Original, d.Samples)
	rows := [][]string{{"LAYER", "OP", "ACCUMULATED", "ISOLATED", "NOISE"}}
	for _, l := range d.Layers {
		rows = append(rows, []string{l.Name, l.Op, decibels(l.SNR), decibels(l.Isolated), percent(l.Share)})
	}
	table(w, rows)
	fmt.Fprintf(w, "output: %s\n", decibels(d.OutputSNR))
	for _, u := range d.Unmatched {
		fmt.Fprintf(w, "not compared: %s: %s\n", u.Name, u.Reason)
	}
	if len(d.Guilty) > 0 {
		fmt.Fprintf(w, "guilty: %s\n", strings.Join(d.Guilty, ", "))
	} else {
		fmt.Fprintln(w, "guilty: none; no layer makes twice its even share of the noise")
	}
	for _, n := range d.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}
