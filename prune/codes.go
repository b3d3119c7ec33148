package prune

import (
	"context"
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// mergeCodes merges channels of a quantised network that have the same codes, scales
// and other parameters, so that they compute the same: one stays, and what reads
// them reads it with the sum of their codes. The outputs stay the same. Channels
// whose sums have no code stay. It returns, by layer, what its weights became.
func mergeCodes(ctx context.Context, m *ir.Model) (map[string]*format.Encoded, error) {
	all := map[string]*format.Encoded{}
	for {
		// Sums of what reads merged channels may make more channels equal.
		some, err := mergeOnce(ctx, m)
		if err != nil || len(some) == 0 {
			return all, err
		}
		maps.Copy(all, some)
	}
}

func mergeOnce(ctx context.Context, m *ir.Model) (map[string]*format.Encoded, error) {
	barred := map[string]bool{}
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		out, failed, err := tryCodes(ir.CloneModel(m), barred)
		if err != nil || len(failed) == 0 && len(out) == 0 {
			return nil, err
		}
		if len(failed) == 0 {
			out, _, err = tryCodes(m, barred)
			return out, err
		}
		for _, id := range failed {
			barred[id] = true
		}
	}
}

// tryCodes merges channels but those of barred groups. Where a sum has no code it
// names the groups that are to blame, and leaves the model in the middle.
func tryCodes(m *ir.Model, barred map[string]bool) (out map[string]*format.Encoded, failed []string, err error) {
	if _, err := op.Infer(m); err != nil {
		return nil, nil, err
	}
	layers := compress.Layers(m)
	list, err := numbersOf(m, layers)
	if err != nil || len(list) == 0 {
		return nil, nil, err
	}
	if _, err := op.Infer(m); err != nil {
		return nil, nil, err
	}
	a := group.Analyse(m, group.Removing)
	change, groups := equalUnits(m, a, list, barred)
	if len(groups) == 0 {
		return nil, nil, restore(m, list)
	}
	for _, c := range list {
		c.follow(a, change)
	}
	p := ir.NewPatch(m.Graph, "merge equal channels")
	if err := a.Apply(p, change); err != nil {
		return nil, nil, err
	}
	if err := p.Apply(); err != nil {
		return nil, nil, err
	}
	return encodeAgain(m, list, groups)
}

// equalUnits merges units of a group that are the same in all that computes and
// changes them. It names the groups in which it found some.
func equalUnits(m *ir.Model, a *group.Analysis, list []*coded, barred map[string]bool) (*group.Change, []*group.Group) {
	of := map[*ir.Value]*coded{}
	for _, c := range list {
		of[c.numbers] = c
	}
	change, path := a.Keep(), paths(m, a)
	var found []*group.Group
	for _, g := range a.Groups {
		if g.Pinned() || barred[g.ID] {
			continue
		}
		first, left := map[string]int{}, len(g.Units)
		keys := unitKeys(g, path, of)
		for i, u := range g.Units {
			into, again := first[keys[i]]
			if !again || left <= fewest(len(g.Units)) {
				first[keys[i]] = u
				continue
			}
			change.Into[u] = into
			left--
		}
		if left < len(g.Units) {
			found = append(found, g)
		}
	}
	return change, found
}

// fewest is how many of n channels stay at least.
func fewest(n int) int { return min(n, max(8, (n+9)/10)) }

// unitKeys spell out, by unit of a group, all that computes and changes it, and the
// values that it passes.
func unitKeys(g *group.Group, path []uint64, of map[*ir.Value]*coded) []string {
	at, keys := map[int]int{}, make([][]byte, len(g.Units))
	for i, u := range g.Units {
		at[u] = i
		keys[i] = binary.LittleEndian.AppendUint64(nil, path[u])
	}
	for _, l := range g.Links {
		if l.Role == group.Column {
			continue
		}
		t := l.Value().Const
		x, inner := tensor.Float64s(t), tensor.Len(t.Shape[l.Axis+1:])
		c := of[l.Value()]
		for pos, u := range l.Units {
			i, own := at[u]
			if !own {
				continue
			}
			for from := pos * inner; from < len(x); from += t.Shape[l.Axis] * inner {
				for _, v := range x[from : from+inner] {
					keys[i] = number(keys[i], v)
				}
			}
			keys[i] = c.spell(keys[i], l.Axis, pos)
		}
	}
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = string(k)
	}
	return out
}

func number(key []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(key, math.Float64bits(v+0))
}

// readBy names the groups whose channels a node reads.
func readBy(n *ir.Node, groups []*group.Group) (ids []string) {
	for _, g := range groups {
		if slices.ContainsFunc(g.Links, func(l *group.Link) bool { return l.Node == n && l.Role == group.Column }) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
