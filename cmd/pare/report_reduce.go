package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pare"
	"pare/compress"
	"pare/cost"
)

// reduced are the lines of layers that steps pruned or decomposed, and encoded the
// others.
func reduced(r *pare.Report) (reduced, encoded []compress.LayerReport) {
	for _, l := range r.Layers {
		if slices.ContainsFunc(r.Steps, func(s compress.StepReport) bool { return s.Step == l.Step && s.Kind.Reduces() }) {
			reduced = append(reduced, l)
		} else {
			encoded = append(encoded, l)
		}
	}
	return reduced, encoded
}

// printReduced lists what became of layers, one line for all steps, and counts those
// that are as they were.
func printReduced(w io.Writer, layers []compress.LayerReport) {
	rows := [][]string{{"LAYER", "OP", "INPUTS", "OUTPUTS", "PARAMS", "MACS", "MULTIPLICATIONS", "ADDITIONS", "ERROR", "NOTE"}}
	same := 0
	for _, l := range joined(layers) {
		b, a := l.Before, l.After
		if l.Reason == "" && l.ErrorAfter == 0 && (b == nil || a == nil || *b == *a) {
			same++
			continue
		}
		if b == nil || a == nil {
			rows = append(rows, []string{l.Name, l.Op, "", "", count(int64(l.Params)), "", "", "", weightError(l), note(l)})
			continue
		}
		rows = append(rows, []string{
			l.Name, l.Op, change(int64(b.Inputs), int64(a.Inputs)), change(int64(b.Channels), int64(a.Channels)),
			change(int64(b.Params), int64(a.Params)), known(b, b.MACs, a.MACs), known(b, b.Multiplications, a.Multiplications), known(b, b.Additions, a.Additions),
			weightError(l), note(l),
		})
	}
	if len(rows) > 1 {
		table(w, withoutErrors(rows))
	}
	if same > 0 {
		fmt.Fprintf(w, "%d layers are as they were\n", same)
	}
	if len(rows) > 1 || same > 0 {
		fmt.Fprintln(w)
	}
}

// joined has one line per layer: what it cost before the first step that changed it
// and behind the last one.
func joined(layers []compress.LayerReport) []compress.LayerReport {
	var out []compress.LayerReport
	at := map[string]int{}
	for _, l := range layers {
		i, ok := at[l.Name]
		switch {
		case l.Skipped && !(l.Before != nil && l.After != nil && l.Before.Totals != l.After.Totals):
		case !ok:
			at[l.Name] = len(out)
			out = append(out, l)
		default:
			first := out[i]
			out[i] = l
			out[i].Before = first.Before
			out[i].Reason = strings.Join(slices.DeleteFunc([]string{first.Reason, l.Reason}, func(s string) bool { return s == "" }), "; ")
			out[i].ErrorAfter = max(first.ErrorAfter, l.ErrorAfter)
		}
	}
	return out
}

// note is what there is to say besides costs.
func note(l compress.LayerReport) string {
	if l.Rank > 0 && l.Reason == "" {
		return fmt.Sprintf("rank %d", l.Rank)
	}
	return l.Reason
}

// weightError is how far the values of weights moved; nothing where they did not, which
// says nothing of what channels that are gone cost.
func weightError(l compress.LayerReport) string {
	if l.ErrorAfter == 0 {
		return ""
	}
	return percent(l.ErrorAfter)
}

// withoutErrors leaves the column of errors out where it is empty.
func withoutErrors(rows [][]string) [][]string {
	at := slices.Index(rows[0], "ERROR")
	if slices.ContainsFunc(rows[1:], func(r []string) bool { return r[at] != "" }) {
		return rows
	}
	for i := range rows {
		rows[i] = slices.Delete(rows[i], at, at+1)
	}
	return rows
}

// known prints two counts of operations of a layer, which are 0 where its sizes are
// left open.
func known(layer *compress.LayerCost, before, after int64) string {
	if layer.MACs == 0 {
		return "-"
	}
	return change(before, after)
}

// change prints two counts, or one where they are the same.
func change(before, after int64) string {
	if before == after {
		return count(after)
	}
	return count(before) + " -> " + count(after)
}

// printSavings is a table of what the network costs after every step.
func printSavings(w io.Writer, r *pare.Report) {
	rows := [][]string{{"STEP", "PARAMS", "MACS", "MULTIPLICATIONS", "ADDITIONS", "BYTES", "OUTPUTS"}}
	rows = append(rows, []string{"(as read)", count(int64(r.Before.Params)), operations(r.Before.MACs), operations(r.Before.Multiplications), operations(r.Before.Additions), size(r.Before.Bytes)})
	for _, s := range r.Steps {
		for _, p := range s.Phases {
			rows = append(rows, saving("  "+p.What, p.After, r.Before, p.Output))
		}
		rows = append(rows, saving(s.Step, s.After, r.Before, s.Output))
	}
	table(w, rows)
	if i := slices.IndexFunc(r.Steps, func(s compress.StepReport) bool { return s.Output != nil }); i >= 0 {
		o := r.Steps[i].Output
		fmt.Fprintf(w, "outputs: signal-to-noise ratio against the network as read, on %d samples (%s)\n", o.Samples, o.Basis)
	}
	fmt.Fprintln(w, "multiplications: those left when each distinct product is computed once")
	if n := uncounted(r.Layers); n > 0 {
		fmt.Fprintf(w, "operations: without %d layers, whose sizes are left open\n", n)
	}
	fmt.Fprintln(w)
}

// saving is a row of the table: what is left of the costs before the recipe.
func saving(what string, a, b cost.Totals, o *compress.Output) []string {
	out := ""
	if o != nil {
		out = decibels(o.SNR)
	}
	return []string{
		what, part(int64(a.Params), int64(b.Params)), part(a.MACs, b.MACs), part(a.Multiplications, b.Multiplications),
		part(a.Additions, b.Additions), size(a.Bytes) + " " + share(a.Bytes, b.Bytes), out,
	}
}

// uncounted is the number of layers with weights that multiply of which it is not
// known how often.
func uncounted(layers []compress.LayerReport) int {
	open := map[string]bool{}
	for _, l := range layers {
		if l.Before != nil && l.Before.Channels > 0 && l.Before.MACs == 0 {
			open[l.Name] = true
		}
	}
	return len(open)
}

// part prints a count with its share of another one.
func part(n, of int64) string {
	if of == 0 {
		return operations(n)
	}
	return count(n) + " " + share(n, of)
}

// operations prints a count that is 0 where sizes are left open.
func operations(n int64) string {
	if n == 0 {
		return "-"
	}
	return count(n)
}

// printTime says what became of the time, beside what counts claim.
func printTime(w io.Writer, r *pare.Report) {
	t := r.Time
	if t == nil {
		return
	}
	fmt.Fprintf(w, "time     %s -> %s  %.2f times as fast (95 %% within %.2f to %.2f), %d runs of each in turns on %s, one sample\n",
		milliseconds(t.BeforeMS), milliseconds(t.AfterMS), t.Ratio, t.RatioInterval[0], t.RatioInterval[1], t.Runs, threads(t.Threads))
	if fewer := r.After.Multiplications < r.Before.Multiplications || r.After.MACs < r.Before.MACs; r.Reduces() && fewer {
		fmt.Fprint(w, verdict(t.RatioInterval))
	}
}

// verdict says what an interval of how many times as fast means where operations
// were saved: that they save no time, or that the machine was too busy to tell.
func verdict(ratio [2]float64) string {
	switch {
	case ratio[0] > 1:
		return ""
	case ratio[1] < 1+noGain:
		return "         on this machine the operations that were saved save no time\n"
	}
	return "         times vary too much to tell whether the operations that were saved save time\n"
}

// noGain is a gain that counts for none.
const noGain = 0.03

func milliseconds(ms float64) string { return fmt.Sprintf("%.3g ms", ms) }

func threads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}
