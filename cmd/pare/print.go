package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pare/internal/fault"
)

// hinted points to the help of a command.
func hinted(err error, c *cobra.Command) error {
	return fault.Hint(err, "%s --help shows the usage", c.CommandPath())
}

// table prints rows of cells in aligned columns.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(r, "\t"), "\t"))
	}
	t.Flush()
}

// size prints a number of bytes with three digits.
func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	x, u := float64(n), 0
	for x >= 999.5 && u < len(units)-1 {
		x, u = x/1000, u+1
	}
	if u == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%s %s", digits(x), units[u])
}

// count prints a large number with three digits.
func count(n int64) string {
	units := []string{"", " k", " M", " G", " T"}
	x, u := float64(n), 0
	for x >= 999.5 && u < len(units)-1 {
		x, u = x/1000, u+1
	}
	if u == 0 {
		return fmt.Sprint(n)
	}
	return digits(x) + units[u]
}

func digits(x float64) string {
	switch {
	case x >= 99.95:
		return fmt.Sprintf("%.0f", x)
	case x >= 9.995:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// percent prints a fraction.
func percent(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }

// decibels prints a ratio; identical values have no noise.
func decibels(x float64) string {
	if x >= 200 {
		return "identical"
	}
	return fmt.Sprintf("%.1f dB", x)
}

// shape prints dimensions.
func shape(dims []int) string {
	parts := make([]string, len(dims))
	for i, d := range dims {
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, "x")
}
