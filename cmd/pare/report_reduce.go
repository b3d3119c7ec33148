package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pare"
	"pare/compress"
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
		if l.Reason == "" && l.ErrorAfter == 0 && b != nil && a != nil && *b == *a {
			same++
			continue
		}
		if b == nil || a == nil {
			rows = append(rows, []string{l.Name, l.Op, "", "", count(int64(l.Params)), "", "", "", percent(l.ErrorAfter), note(l)})
			continue
		}
		rows = append(rows, []string{
			l.Name, l.Op, change(int64(b.Inputs), int64(a.Inputs)), change(int64(b.Channels), int64(a.Channels)),
			change(int64(b.Params), int64(a.Params)), change(b.MACs, a.MACs), change(b.Multiplications, a.Multiplications), change(b.Additions, a.Additions),
			percent(l.ErrorAfter), note(l),
		})
	}
	if len(rows) > 1 {
		table(w, rows)
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
	rows = append(rows, []string{"(as read)", count(int64(r.Before.Params)), count(r.Before.MACs), count(r.Before.Multiplications), count(r.Before.Additions), size(r.Before.Bytes)})
	for _, s := range r.Steps {
		a, b := s.After, r.Before
		out := ""
		if s.Output != nil {
			out = decibels(s.Output.SNR)
		}
		rows = append(rows, []string{
			s.Step, part(int64(a.Params), int64(b.Params)), part(a.MACs, b.MACs), part(a.Multiplications, b.Multiplications),
			part(a.Additions, b.Additions), size(a.Bytes) + " " + share(a.Bytes, b.Bytes), out,
		})
	}
	table(w, rows)
	if i := slices.IndexFunc(r.Steps, func(s compress.StepReport) bool { return s.Output != nil }); i >= 0 {
		o := r.Steps[i].Output
		fmt.Fprintf(w, "outputs: signal-to-noise ratio against the network as read, on %d samples (%s)\n", o.Samples, o.Basis)
	}
	fmt.Fprint(w, "multiplications: those left when each distinct product is computed once\n\n")
}

// part prints a count with its share of another one.
func part(n, of int64) string { return strings.TrimSpace(count(n) + " " + share(n, of)) }

// printTime says what became of the time, beside what counts claim.
func printTime(w io.Writer, r *pare.Report) {
	t := r.Time
	if t == nil {
		return
	}
	fmt.Fprintf(w, "time     %s -> %s  %.2f times as fast (95 %% within %.2f to %.2f), %d runs of each in turns on %s, one sample\n",
		milliseconds(t.BeforeMS), milliseconds(t.AfterMS), t.Ratio, t.RatioInterval[0], t.RatioInterval[1], t.Runs, threads(t.Threads))
	fewer := r.After.Multiplications < r.Before.Multiplications || r.After.MACs < r.Before.MACs
	if r.Reduces() && fewer && t.RatioInterval[0] <= 1 {
		fmt.Fprintln(w, "         on this machine the operations that were saved save no time")
	}
}

func milliseconds(ms float64) string { return fmt.Sprintf("%.3g ms", ms) }

func threads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}
