package main

import (
	"fmt"
	"io"

	"pare"
	"pare/compress"
)

// printReport prints what a compression did.
func printReport(w io.Writer, r *pare.Report) {
	fmt.Fprintf(w, "%s with %s\n\n", r.Input.Path, r.Recipe)
	printLayerReports(w, r.Layers)
	for _, s := range r.Steps {
		printStep(w, s)
	}
	printSkipped(w, r.Layers)
	for _, text := range r.Warnings {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
	fmt.Fprintln(w)
	printTotals(w, r)
	if r.Eval == nil {
		fmt.Fprintln(w, "accuracy was not measured; --eval SPEC measures it")
		return
	}
	fmt.Fprintln(w)
	printEval(w, r.Eval)
}

func printLayerReports(w io.Writer, layers []compress.LayerReport) {
	rows := [][]string{{"LAYER", "OP", "FORMAT", "BITS", "EXPONENT", "ERROR", "BYTES", "", "NOTE"}}
	for _, l := range layers {
		if l.Skipped {
			continue
		}
		exponent := "-"
		if l.Exponent != 0 {
			exponent = fmt.Sprintf("%.3f", l.Exponent)
		}
		lost := percent(l.ErrorAfter)
		if l.ErrorBefore != 0 {
			lost = percent(l.ErrorBefore) + " -> " + lost // of the first order alone, of all
		}
		rows = append(rows, []string{
			l.Name, l.Op, l.Format, fmt.Sprint(l.Bits), exponent, lost, size(l.BytesBefore), "-> " + size(l.BytesAfter), l.Reason,
		})
	}
	if len(rows) > 1 {
		table(w, rows)
		fmt.Fprintln(w)
	}
}

func printStep(w io.Writer, s compress.StepReport) {
	fmt.Fprintf(w, "step %s: %.2f s", s.Step, s.Seconds)
	if s.Layers > 0 || s.Skipped > 0 {
		fmt.Fprintf(w, ", %d layers, %d skipped", s.Layers, s.Skipped)
	}
	if s.Folded > 0 || len(s.Kept) > 0 {
		fmt.Fprintf(w, ", %d batch-norms folded, %d kept", s.Folded, len(s.Kept))
	}
	if s.Exponent != 0 {
		fmt.Fprintf(w, ", exponent %.3f", s.Exponent)
	}
	if x := s.Expansion; x != nil {
		fmt.Fprintf(w, ", %.2f times the bit-operations and %.2f times the bytes of the first order", x.BitOperations, x.Bytes)
	}
	if s.Activations > 0 || len(s.Floats) > 0 {
		fmt.Fprintf(w, ", %d activations quantised, %d left in float", s.Activations, len(s.Floats))
	}
	fmt.Fprintln(w)
	for _, k := range s.Kept {
		fmt.Fprintf(w, "  kept %s: %s\n", k.Name, k.Reason)
	}
	for _, k := range s.Floats {
		fmt.Fprintf(w, "  float %s: %s\n", k.Name, k.Reason)
	}
}

func printSkipped(w io.Writer, layers []compress.LayerReport) {
	for _, l := range layers {
		if l.Skipped {
			fmt.Fprintf(w, "skipped %s (%s, %s parameters): %s\n", l.Name, l.Op, count(int64(l.Params)), l.Reason)
		}
	}
}

func printTotals(w io.Writer, r *pare.Report) {
	rows := [][]string{{"weights", size(r.Before.Bytes), "-> " + size(r.After.Bytes), share(r.After.Bytes, r.Before.Bytes)}}
	if r.Output != nil {
		rows = append(rows,
			[]string{"file", size(r.Input.Bytes), "-> " + size(r.Output.Bytes), share(r.Output.Bytes, r.Input.Bytes) + "  " + r.Output.Path})
	}
	table(w, rows)
	fmt.Fprintf(w, "%.2f s, peak memory %s\n", r.Seconds, size(r.Peak))
}

// share is a as part of b.
func share(a, b int64) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("(%.1f %%)", 100*float64(a)/float64(b))
}
