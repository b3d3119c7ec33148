package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pare"
)

// benchLayers prints the times of layers by format.
func (a *app) benchLayers(c *cobra.Command, path string, o benchFlags) error {
	sizes, err := shapes(o.shapes)
	if err != nil {
		return err
	}
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	costs, err := m.Costs(c.Context(), pare.CostOptions{
		Threads: a.threads, Batch: o.batch, Formats: o.formats, Shapes: sizes, Cache: o.cache, Progress: a.bar.update,
	})
	if err != nil {
		return err
	}
	a.bar.stop()
	if a.json {
		return a.writeJSON(costs)
	}
	printCosts(a.stdout, costs)
	return nil
}

func printCosts(w io.Writer, d *pare.Costs) {
	fmt.Fprintf(w, "milliseconds by layer and format, batch %d, %s: %d measured, %d known\n\n", d.Batch, d.Machine, d.Measured, d.Cached)
	rows := [][]string{append([]string{"LAYER", "KIND", "DATA"}, d.Formats...)}
	total := map[string]float64{}
	for _, l := range d.Layers {
		row := []string{l.Name, l.Kind, fmt.Sprint(l.Shape)}
		for _, f := range d.Formats {
			if ms, ok := l.MS[f]; ok {
				total[f] += ms
				row = append(row, fmt.Sprintf("%.4f", ms))
			} else {
				row = append(row, "-")
			}
		}
		rows = append(rows, row)
	}
	sum := []string{"all", "", ""}
	for _, f := range d.Formats {
		sum = append(sum, fmt.Sprintf("%.4f", total[f]))
	}
	table(w, append(rows, sum))
	for _, l := range d.Layers {
		if l.Reason != "" {
			fmt.Fprintf(w, "%s is not timed: %s\n", l.Name, l.Reason)
		}
	}
	for _, n := range d.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}
