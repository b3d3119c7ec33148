package prune

import (
	"fmt"

	"pare/group"
)

// law spreads alpha, the share of a group's pairs that are near, over groups l of
// count, from 1 on, in stage s of stages.
type law func(alpha float64, l, count, s, stages int) float64

// laws are those of RED; shares end at mostNear.
var laws = map[string]law{
	"constant":   func(alpha float64, _, _, _, _ int) float64 { return alpha },
	"ascending":  func(alpha float64, l, n, _, _ int) float64 { return alpha * 2 * float64(l) / float64(n+1) },
	"descending": func(alpha float64, l, n, _, _ int) float64 { return alpha * 2 * float64(n+1-l) / float64(n+1) },
	"block":      func(alpha float64, _, _, s, n int) float64 { return alpha * 2 * float64(s) / float64(n+1) },
}

const mostNear = 0.95

// shares are the alphas of groups in the order of the network.
func shares(name string, alpha float64, groups []*group.Group) []float64 {
	out := make([]float64, len(groups))
	stage, stages := stagesOf(groups)
	for i := range groups {
		out[i] = min(laws[name](alpha, i+1, len(groups), stage[i], stages), mostNear)
	}
	return out
}

// stagesOf numbers the groups by the size of the maps that they lie on, from 1 on
// in the order of the network.
func stagesOf(groups []*group.Group) (stage []int, count int) {
	known := map[string]int{}
	for _, g := range groups {
		size := ""
		for _, l := range g.Links {
			if out := l.Node.Out[0]; l.Role == group.Row && out.Type.Rank() > 2 {
				size = fmt.Sprint(out.Type.Shape[2:])
				break
			}
		}
		if known[size] == 0 {
			known[size] = len(known) + 1
		}
		stage = append(stage, known[size])
	}
	return stage, len(known)
}
