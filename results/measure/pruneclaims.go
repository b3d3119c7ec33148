package main

import (
	"fmt"
	"math"
	"strings"

	"pare/internal/stat"
)

// claim is what a paper or its summary reports, and what was measured about it;
// "" where nothing was.
type claim struct {
	source, text string
	measured     func(rows []row) string
}

var claims = []claim{
	{"RED, RED++", "better than other pruning without data", dominanceOverall},
	{"RED++", "input splitting changes nothing but the cost: each distinct product is computed once", splittingOverall},
	{"RED, RED++", "parameters and operations are removed; gains in time are not automatic", timeOverall},
	{"RED++", "accuracy is kept while most operations go (the papers' figures for these networks are not at hand)", lossOverall},
	{"RED", "hashing takes seconds to minutes", secondsOverall},
	{"low rank", "pays where the rank is below O·I/(O+I)", rankOverall},
}

// writeClaims sets what the papers report beside what was measured.
func writeClaims(b *strings.Builder, rows []row) {
	b.WriteString("\n## What is claimed, and what was measured\n\n| source | claim | here |\n| --- | --- | --- |\n")
	for _, c := range claims {
		text := c.measured(rows)
		if text == "" {
			text = "not measured"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", c.source, c.text, text)
	}
}

// everySpot calls f with every spot of every network and curve.
func everySpot(rows []row, f func(network string, fam *family, c curve, s *spot)) {
	for _, n := range prunedNetworks() {
		for i := range families {
			for _, c := range families[i].curves {
				spots := c.spots(rows, n.name)
				for j := range spots {
					f(n.name, &families[i], c, &spots[j])
				}
			}
		}
	}
}

func dominanceOverall(rows []row) string {
	var parts []string
	for _, c := range rivals() {
		var sum duel
		for _, n := range prunedNetworks() {
			ours := spotsOf(redpp, rows, n.name)
			if len(ours) == 0 {
				continue
			}
			d := newDuel(ours, c.spots(rows, n.name), compared[0].of)
			sum.won, sum.all = sum.won+d.won, sum.all+d.all
		}
		if sum.all > 0 {
			parts = append(parts, fmt.Sprintf("%d of %d points of %s", sum.won, sum.all, c.name))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return redpp + " has a point with no more parameters that agrees no less for " + strings.Join(parts, ", ")
}

// spotsOf are those of the curve of a name.
func spotsOf(name string, rows []row, network string) []spot {
	for _, f := range families {
		for _, c := range f.curves {
			if c.name == name {
				return c.spots(rows, network)
			}
		}
	}
	return nil
}

// splittingOverall looks at what is computed once where it repeats.
func splittingOverall(rows []row) string {
	var parts []string
	for _, n := range prunedNetworks() {
		for _, s := range spotsOf(splitCodes, rows, n.name) {
			parts = append(parts, fmt.Sprintf("%s at %s bits: %s of the multiplications, %s of the bytes, time %s", n.name, s.point, percent(s.multiplications), percent(s.bytes), s.timeText()))
		}
	}
	return strings.Join(parts, "; ")
}

// timeOverall counts points by whether what they save in operations is saved in
// time.
func timeOverall(rows []row) string {
	var shares []float64
	faster, operations, all := 0, 0, 0
	everySpot(rows, func(_ string, _ *family, _ curve, s *spot) {
		if s.time == nil || s.multiplications > 0.95 {
			return
		}
		all++
		if *s.time < 0.975 {
			faster++
		}
		if *s.time <= s.multiplications*1.05 {
			operations++
		}
		shares = append(shares, (1-*s.time)/(1-s.multiplications))
	})
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("of %d timed points that save at least 5 %% of the multiplications, %d save 2.5 %% of the time or more, %d as much as of the multiplications; the median point saves %.2f of it",
		all, faster, operations, stat.Median(shares))
}

func lossOverall(rows []row) string {
	var parts []string
	for _, n := range prunedNetworks() {
		var best *spot
		spots := spotsOf(redpp, rows, n.name)
		for i := range spots {
			if s := &spots[i]; s.agreement >= 0.99 && (best == nil || s.multiplications < best.multiplications) {
				best = s
			}
		}
		if best != nil {
			parts = append(parts, fmt.Sprintf("%s: %s of the multiplications and %s of the parameters at %.1f %% agreement", n.name, percent(best.multiplications), percent(best.params), 100*best.agreement))
		} else if len(spots) > 0 {
			parts = append(parts, n.name+": no point agrees in 99 %")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "kept by " + redpp + ": " + strings.Join(parts, "; ")
}

func secondsOverall(rows []row) string {
	least, most := math.Inf(1), 0.0
	everySpot(rows, func(_ string, _ *family, c curve, s *spot) {
		if c.name == redpp {
			least, most = min(least, s.seconds), max(most, s.seconds)
		}
	})
	if most == 0 {
		return ""
	}
	return fmt.Sprintf("%s took %.1f to %.1f s on these networks; larger ones below", redpp, least, most)
}

func rankOverall(rows []row) string {
	faster, all := 0, 0
	everySpot(rows, func(_ string, f *family, _ curve, s *spot) {
		if f.title != lowRank || s.time == nil {
			return
		}
		all++
		if *s.time < 0.975 {
			faster++
		}
	})
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d points take at least 2.5 %% less time than the original", faster, all)
}
