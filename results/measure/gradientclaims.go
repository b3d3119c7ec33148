package main

import (
	"fmt"
	"strings"
)

// expectations are what the papers and the project's aims say, and what was
// measured about it; "" where nothing was.
var expectations = []claim{
	{"NUPES", "above PowerQuant at 4 bits and below", func(rows []row) string { return above(rows, nupes, powerQuant) }},
	{"NUPES", "above AdaRound at 4 bits and below", func(rows []row) string { return above(rows, nupes, adaRound) }},
	{"NUPES", "above QDrop on the same power grids, where that learns exponents, too", func(rows []row) string { return above(rows, nupes, qdropPower) }},
	{"aim", "QDrop or BRECQ with a power grid is the best at W4A4", bestOverall},
	{"aim", "residual networks lose at most 1 point at W4A8", func(rows []row) string { return within(rows, grades[0], 1, resnet20, resnet56) }},
	{"aim", "residual networks lose at most 3 points at W4A4", func(rows []row) string { return within(rows, grades[1], 3, resnet20, resnet56) }},
	{"aim", "depthwise networks lose at most 2 points at W4A8", func(rows []row) string { return within(rows, grades[0], 2, mobile1, mobile2) }},
	{"aim", "no method is worse than what it starts from", againstStarts},
	{"aim", "five times as fast as the same method in a Python tool", againstPeers},
}

// writeGradientClaims sets what was expected beside what was measured.
func writeGradientClaims(b *strings.Builder, rows []row) {
	b.WriteString("\n## What was expected, and what was measured\n\n| source | expected | here |\n| --- | --- | --- |\n")
	for _, c := range expectations {
		text := c.measured(rows)
		if text == "" {
			text = "not measured"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", c.source, c.text, text)
	}
}

// everyGrade calls f with every network and grade.
func everyGrade(rows []row, f func(p *lessons, g grade)) {
	for _, n := range datafreeNetworks() {
		for _, g := range grades {
			if g.suits(n.name) {
				f(&lessons{n: n, rows: rows}, g)
			}
		}
	}
}

// tally counts how often figures are above others, and keeps where they are not.
type tally struct {
	above, equal, all int
	below             []string
}

// count compares two figures of the same samples.
func (t *tally) count(where string, ours, theirs *row) {
	if ours == nil || theirs == nil {
		return
	}
	t.all++
	switch d := 100 * (ours.merit() - theirs.merit()); {
	case d > 0.005:
		t.above++
	case d > -0.005:
		t.equal++
	default:
		t.below = append(t.below, fmt.Sprintf("%s (%.2f points)", where, d))
	}
}

func (t *tally) String() string {
	if t.all == 0 {
		return ""
	}
	text := fmt.Sprintf("above in %d of %d cells", t.above, t.all)
	if t.equal > 0 {
		text += fmt.Sprintf(", equal in %d", t.equal)
	}
	if len(t.below) > 0 {
		text += fmt.Sprintf(", below in %d: %s", len(t.below), strings.Join(t.below, ", "))
	}
	return text
}

func above(rows []row, ours, theirs string) string {
	var t tally
	everyGrade(rows, func(p *lessons, g grade) {
		t.count(p.n.name+" "+g.String(), p.find(learnerOf(ours), g), p.find(learnerOf(theirs), g))
	})
	return t.String()
}

// bestOverall names the best method of every network at W4A4.
func bestOverall(rows []row) string {
	var parts []string
	asExpected, all := 0, 0
	for _, n := range datafreeNetworks() {
		p := &lessons{n: n, rows: rows}
		name, best := p.best(grades[1])
		if p.find(learnerOf(qdropPower), grades[1]) == nil && p.find(learnerOf(brecqPower), grades[1]) == nil {
			continue // the methods that are spoken of have no figures
		}
		all++
		if name == brecqPower || name == qdropPower {
			asExpected++
		}
		parts = append(parts, fmt.Sprintf("%s: %s, %s", n.name, name, short(best)))
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("on %d of %d networks; the best are %s", asExpected, all, strings.Join(parts, "; "))
}

// within says what the best method loses, and which methods lose no more than
// allowed.
func within(rows []row, g grade, allowed float64, networks ...string) string {
	var parts []string
	for _, name := range networks {
		p := &lessons{n: network{name: name}, rows: rows}
		float, ok := find(rows, name, floatColumn), []string{}
		best, r := p.best(g)
		if float == nil || r == nil {
			continue
		}
		for _, l := range learners {
			if r := p.find(l, g); r != nil && 100*(float.merit()-r.merit()) <= allowed {
				ok = append(ok, l.name)
			}
		}
		verdict := "no: the best, " + best + ","
		if len(ok) > 0 {
			verdict = "yes by " + strings.Join(ok, ", ") + ": the best, " + best + ","
		}
		parts = append(parts, fmt.Sprintf("%s %s %s", name, verdict, lossText(100*(float.merit()-r.merit()))))
	}
	return strings.Join(parts, "; ")
}

// lossText says how many points are lost, or gained.
func lossText(points float64) string {
	if points < 0 {
		return fmt.Sprintf("gains %.2f", -points)
	}
	return fmt.Sprintf("loses %.2f", points)
}

// againstStarts compares every method with what it goes on from.
func againstStarts(rows []row) string {
	var t tally
	everyGrade(rows, func(p *lessons, g grade) {
		for _, l := range learners {
			if l.start != "" {
				t.count(l.name+" on "+p.n.name+" "+g.String(), p.find(l, g), p.find(learnerOf(l.start), g))
			}
		}
	})
	return t.String()
}

// againstPeers compares processor seconds, which other work on the machine changes
// little, with those of the same methods in other tools.
func againstPeers([]row) string {
	others, err := readPeers()
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, r := range others.Learned {
		ours := others.lesson("pare", r)
		if ours == nil || r.tool() == "pare" || r.Method == nearest {
			continue
		}
		steps := ""
		if r.Iterations > 0 {
			steps = fmt.Sprintf(" with %d steps a layer", r.Iterations)
		}
		parts = append(parts, fmt.Sprintf("%.0f times: %s%s on %s at %s takes %s %.0f processor seconds and %.1f GB, and gives %s; pare %.1f, %.1f, %s",
			r.CPUSeconds/ours.CPUSeconds, r.Method, steps, r.Network, r.Widths, r.Tool, r.CPUSeconds, float64(r.PeakBytes)/1e9, short(&r.row),
			ours.CPUSeconds, float64(ours.PeakBytes)/1e9, short(&ours.row)))
	}
	return strings.Join(parts, "; ")
}
