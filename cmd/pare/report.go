package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pare"
	"pare/compress"
)

// printReport prints what a compression did.
func printReport(w io.Writer, r *pare.Report) {
	fmt.Fprintf(w, "%s with %s\n\n", r.Input.Path, r.Recipe)
	shrunk, encoded := reduced(r)
	printReduced(w, shrunk)
	printLayerReports(w, encoded)
	if r.Reduces() {
		printSavings(w, r)
	}
	for _, s := range r.Steps {
		printStep(w, s)
		printSkipped(w, s.Step, r.Layers)
	}
	if r.Resumed > 0 {
		fmt.Fprintf(w, "%d results come from an interrupted run\n", r.Resumed)
	}
	for _, text := range r.Warnings {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
	fmt.Fprintln(w)
	printAttempts(w, r.Attempts)
	printTotals(w, r)
	if r.Eval == nil {
		fmt.Fprintln(w, "accuracy was not measured; --eval SPEC measures it")
		return
	}
	fmt.Fprintln(w)
	printEval(w, r.Eval)
}

// printAttempts prints what a search for a target tried.
func printAttempts(w io.Writer, attempts []pare.Attempt) {
	for i, a := range attempts {
		fmt.Fprintf(w, "attempt %d: %s:", i+1, a.Recipe)
		for _, name := range slices.Sorted(maps.Keys(a.Figures)) {
			fmt.Fprintf(w, " %s %.4g", name, a.Figures[name])
		}
		switch {
		case a.Error != "":
			fmt.Fprintf(w, " %s", a.Error)
		case len(a.Missed) > 0:
			fmt.Fprintf(w, ", misses %s", strings.Join(a.Missed, "; "))
		}
		fmt.Fprintln(w)
	}
	if attempts != nil {
		fmt.Fprintln(w)
	}
}

func printLayerReports(w io.Writer, layers []compress.LayerReport) {
	rows := [][]string{{"LAYER", "OP", "FORMAT", "BITS", "DATA", "EXPONENT", "ERROR", "BYTES", "", "NOTE"}}
	for _, l := range merged(layers) {
		rows = append(rows, []string{
			l.Name, l.Op, dash(l.Format), bits(l), dataBits(l), exponent(l), lost(l),
			stored(l, l.BytesBefore, ""), stored(l, l.BytesAfter, "-> "), l.Reason,
		})
	}
	if len(rows) > 1 {
		table(w, rows)
		fmt.Fprintln(w)
	}
}

// dash stands for what there is nothing of.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// bits is the width of a layer that is stored in a format.
func bits(l compress.LayerReport) string {
	if l.Format == "" {
		return "-"
	}
	return fmt.Sprint(l.Bits)
}

// stored is a size of a layer whose weights a step has stored.
func stored(l compress.LayerReport, n int64, mark string) string {
	if l.BytesBefore == 0 {
		return ""
	}
	return mark + size(n)
}

func dataBits(l compress.LayerReport) string {
	if l.ActivationBits == 0 {
		return "float"
	}
	return fmt.Sprint(l.ActivationBits)
}

func exponent(l compress.LayerReport) string {
	if l.Exponent == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", l.Exponent)
}

func lost(l compress.LayerReport) string {
	if l.Format == "" && l.ErrorAfter == 0 {
		return "-"
	}
	if l.ErrorBefore == 0 {
		return percent(l.ErrorAfter)
	}
	return percent(l.ErrorBefore) + " -> " + percent(l.ErrorAfter) // of the first order alone, of all
}

// merged has one report per layer, of all steps that changed it: the format it has
// in the end and what every step noted.
func merged(layers []compress.LayerReport) []compress.LayerReport {
	var out []compress.LayerReport
	at := map[string]int{}
	for _, l := range layers {
		if l.Skipped {
			continue
		}
		i, ok := at[l.Name]
		if !ok {
			at[l.Name] = len(out)
			out = append(out, l)
			continue
		}
		out[i] = both(out[i], l)
	}
	return out
}

// both adds what a later step did to a layer. A step that stored no weights has no
// error and no bytes to tell.
func both(a, b compress.LayerReport) compress.LayerReport {
	out := b
	out.Reason = strings.Join(slices.DeleteFunc([]string{a.Reason, b.Reason}, func(s string) bool { return s == "" }), "; ")
	if b.BytesBefore == 0 {
		out.ErrorBefore, out.ErrorAfter, out.BytesAfter = a.ErrorBefore, a.ErrorAfter, a.BytesAfter
	}
	if a.BytesBefore > 0 {
		out.BytesBefore = a.BytesBefore
	}
	out.ActivationBits = max(a.ActivationBits, b.ActivationBits)
	return out
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
	if x := s.Training; x != nil {
		fmt.Fprintf(w, ", %s", trained(x))
	}
	if x := s.Loss; x != nil {
		fmt.Fprintf(w, ", loss of %d samples %.4g, expected to grow by %.4g, grew by %.4g", x.Samples, x.Before, x.Predicted, x.Measured)
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

// trained says how training went.
func trained(t *compress.Training) string {
	text := fmt.Sprintf("%d steps over %s samples, best behind epoch %d of %d; on %s others: loss %.4g -> %.4g", t.Steps, count(int64(t.Samples)), t.Best, t.Epochs, count(int64(t.Held)), t.LossBefore, t.LossAfter)
	if t.RightBefore != nil && t.RightAfter != nil {
		text += fmt.Sprintf(", right %s -> %s", percent(*t.RightBefore), percent(*t.RightAfter))
	}
	return text
}

// printSkipped lists the layers that a step left alone, those of one reason together.
func printSkipped(w io.Writer, step string, layers []compress.LayerReport) {
	var reasons []string
	names := map[string][]string{}
	for _, l := range layers {
		if !l.Skipped || l.Step != step {
			continue
		}
		if names[l.Reason] == nil {
			reasons = append(reasons, l.Reason)
		}
		names[l.Reason] = append(names[l.Reason], fmt.Sprintf("%s (%s, %s parameters)", l.Name, l.Op, count(int64(l.Params))))
	}
	for _, r := range reasons {
		if n := len(names[r]); n > fewLayers {
			fmt.Fprintf(w, "  skipped %d layers: %s: %s\n", n, r, strings.Join(names[r], ", "))
			continue
		}
		fmt.Fprintf(w, "  skipped %s: %s\n", strings.Join(names[r], ", "), r)
	}
}

// fewLayers are so few that why they are skipped may stand behind their names.
const fewLayers = 2

func printTotals(w io.Writer, r *pare.Report) {
	rows := [][]string{{"weights", size(r.Before.Bytes), "-> " + size(r.After.Bytes), share(r.After.Bytes, r.Before.Bytes)}}
	if r.Output != nil {
		rows = append(rows,
			[]string{"file", size(r.Input.Bytes), "-> " + size(r.Output.Bytes), share(r.Output.Bytes, r.Input.Bytes) + "  " + r.Output.Path})
	}
	table(w, rows)
	printTime(w, r)
	fmt.Fprintf(w, "%.2f s, peak memory %s\n", r.Seconds, size(r.Peak))
}

// share is a as part of b.
func share(a, b int64) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("(%.1f %%)", 100*float64(a)/float64(b))
}
