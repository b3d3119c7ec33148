package main

import (
	"fmt"
	"math"
	"strings"
)

// lossless says which of a curve's spots change nothing.
type lossless struct {
	title string
	holds func(s *spot, base *row) bool
}

var losslesses = []lossless{
	{"no prediction changes", func(s *spot, _ *row) bool { return s.agreement == 1 }},
	{"the original's accuracy is within the interval", func(s *spot, base *row) bool {
		return len(s.rows) == 1 && s.interval != nil && *base.Top1 <= s.interval[1]
	}},
}

// most is the spot with the fewest multiply-accumulates, then parameters, then
// multiplications, of those for which a condition holds; nil where there is none.
func (l lossless) most(spots []spot, base *row) (best *spot) {
	for i := range spots {
		if s := &spots[i]; l.holds(s, base) && (best == nil || s.cheaper(best)) {
			best = s
		}
	}
	return best
}

func (s *spot) cheaper(o *spot) bool {
	for _, c := range [][2]float64{{s.macs, o.macs}, {s.params, o.params}, {s.multiplications, o.multiplications}} {
		if c[0] != c[1] {
			return c[0] < c[1]
		}
	}
	return false
}

// writeLossless says how much every method removes at no loss.
func writeLossless(b *strings.Builder, rows []row, network string, base *row) {
	for _, l := range losslesses {
		var lines []string
		for _, f := range families {
			for _, c := range f.curves {
				if s := l.most(c.spots(rows, network), base); s != nil {
					lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s | %.2f | %s |\n",
						c.name, s.point, s.costText(" | "), s.timeText(), 100*s.agreement, accuracyText(s.accuracy, s.interval)))
				}
			}
		}
		if len(lines) == 0 {
			fmt.Fprintf(b, "\nMost that is removed while %s: no point of any method.\n", l.title)
			continue
		}
		fmt.Fprintf(b, "\nMost that is removed while %s (what is kept; methods without such a point are left out):\n\n", l.title)
		b.WriteString("| method | amount | parameters | MACs | multiplications | additions | bytes | time | agreement, % | accuracy, % |\n" +
			"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n" + strings.Join(lines, ""))
	}
}

// worths are the costs that are looked at for their own sake.
var worths = []struct {
	name string
	of   func(s *spot) (float64, bool)
}{{"MACs", macsKept.of}, {"multiplications", productsKept.of}, {"parameters", paramsKept.of}, {"bytes", bytesKept.of}, {"time", timeKept.of}}

// leasts are the agreements that the costs are looked at.
var leasts = []float64{0.99, 0.95, 0.9}

// writeWorth says what the cheapest points of every method cost, each figure for
// itself.
func writeWorth(b *strings.Builder, rows []row, network string) {
	fmt.Fprintf(b, "\nLeast of each cost, in per cent, over the points of a method that agree in at least %s per cent:\n\n| method |", each100(leasts))
	for _, w := range worths {
		fmt.Fprintf(b, " %s |", w.name)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(worths)) + "\n")
	for _, f := range families {
		for _, c := range f.curves {
			spots := c.spots(rows, network)
			if len(spots) == 0 {
				continue
			}
			fmt.Fprintf(b, "| %s |", c.name)
			for _, w := range worths {
				var cells []string
				for _, a := range leasts {
					cells = append(cells, leastOf(spots, a, w.of))
				}
				fmt.Fprintf(b, " %s |", strings.Join(cells, " / "))
			}
			b.WriteString("\n")
		}
	}
}

// each100 lists shares in per cent.
func each100(shares []float64) string {
	var out []string
	for _, x := range shares {
		out = append(out, fmt.Sprintf("%.0f", 100*x))
	}
	return strings.Join(out, " / ")
}

// leastOf is the least cost of the spots that agree enough, "-" where there are
// none.
func leastOf(spots []spot, agreement float64, of func(s *spot) (float64, bool)) string {
	best := math.Inf(1)
	for i := range spots {
		if x, ok := of(&spots[i]); ok && spots[i].agreement >= agreement {
			best = min(best, x)
		}
	}
	if math.IsInf(best, 1) {
		return "-"
	}
	return fmt.Sprintf("%.0f", best)
}

// duel counts over the points of one curve how often another has one that keeps
// no more and agrees no less.
type duel struct{ won, all int }

func newDuel(ours, theirs []spot, of func(s *spot) float64) duel {
	var d duel
	for i := range theirs {
		d.all++
		for j := range ours {
			if of(&ours[j]) <= of(&theirs[i]) && ours[j].agreement >= theirs[i].agreement {
				d.won++
				break
			}
		}
	}
	return d
}

// compared are the costs at which curves are set beside each other.
var compared = []struct {
	name string
	of   func(s *spot) float64
}{
	{"parameters", func(s *spot) float64 { return s.params }},
	{"MACs", func(s *spot) float64 { return s.macs }},
	{"multiplications", func(s *spot) float64 { return s.multiplications }},
}

// rivals are the other curves that prune channels.
func rivals() []curve {
	var out []curve
	for _, f := range families {
		for _, c := range f.curves {
			if (f.title == plain || f.title == usual) && c.name != redpp {
				out = append(out, c)
			}
		}
	}
	return out
}

// writeDominance sets red++ beside all other pruning of channels.
func writeDominance(b *strings.Builder, rows []row, network string) {
	ours := spotsOf(redpp, rows, network)
	if len(ours) == 0 {
		return
	}
	fmt.Fprintf(b, "\nPoints of other methods for which %s has a point that keeps no more and agrees no less:\n\n| against |", redpp)
	for _, c := range compared {
		fmt.Fprintf(b, " at equal %s |", c.name)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(compared)) + "\n")
	for _, c := range rivals() {
		theirs := c.spots(rows, network)
		if len(theirs) == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s |", c.name)
		for _, x := range compared {
			d := newDuel(ours, theirs, x.of)
			fmt.Fprintf(b, " %d of %d |", d.won, d.all)
		}
		b.WriteString("\n")
	}
}

// writeAnalysis says how long the whole analysis of large networks took.
func writeAnalysis(b *strings.Builder, rows []row) {
	fmt.Fprintf(b, "\n## Time of the whole analysis\n\n`%s` from the loaded network to the compressed one, on all processors. Weights are drawn, as\n"+
		"these networks come without any: what is found in them says nothing, what finding takes does.\n\n", analysis.recipe)
	b.WriteString("| network | parameters | seconds |\n| --- | --- | --- |\n")
	for _, n := range large {
		r := find(rows, n.name, analysis)
		switch {
		case r == nil:
			fmt.Fprintf(b, "| %s | - | not measured |\n", n.name)
		case r.Error != "":
			fmt.Fprintf(b, "| %s | - | failed: %s |\n", n.name, r.Error)
		default:
			fmt.Fprintf(b, "| %s | %s | %.1f |\n", n.name, millions(r.Costs.Params), r.Seconds)
		}
	}
}
