package prune

import (
	"context"
	"math"
	"slices"
	"strings"

	"pare/group"
	"pare/ir"
	"pare/op"
)

// merge merges units of all groups once: those that alpha allows when near, else
// identical ones. It returns how many went.
func (w *work) merge(ctx context.Context, q *RED, near bool) (int, error) {
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	a := group.Analyse(w.m, group.Removing)
	s := newScales(w.m, q.Scaled)
	var groups []*group.Group
	for _, g := range a.Groups {
		if !g.Pinned() && w.skipped(g) == "" && computed(g) {
			groups = append(groups, g)
		}
	}
	alphas := shares(q.Law, q.Alpha, groups)
	c, gone := a.Keep(), 0
	for i, g := range groups {
		j := newJoint(g, s, w.env.Threads)
		var of []int
		if near {
			of = q.nearby(j, alphas[i], w.env.Threads)
		} else {
			of = limited(j.twins(w.env.Threads), q.floor(j.n))
		}
		for k, to := range of {
			if c.Into[g.Units[k]] = g.Units[to]; to != k {
				gone++
			}
		}
	}
	if gone == 0 {
		return 0, nil
	}
	return gone, w.apply(a, s, c, q.Aggregate == "mean")
}

// nearby clusters rows that are within the distance of the nearest share alpha of
// all pairs.
func (q *RED) nearby(j *joint, alpha float64, threads int) []int {
	d := newDistances(j, threads)
	var all []float32
	for i := range d.n {
		all = append(all, d.d[i*d.n:][:i]...)
	}
	all = ascending(all)
	limit := 0.0
	if len(all) > 0 {
		limit = min(float64(all[min(int(alpha*float64(len(all))), len(all)-1)]), math.MaxFloat32)
	}
	merges, n := linkages[q.Linkage](d), 0
	for n < len(merges) && merges[n].cost <= limit && j.n-n > q.floor(j.n) {
		n++
	}
	return clusters(j.n, merges[:n])
}

// limited undoes merges of the last units where fewer than least would be left.
func limited(of []int, least int) []int {
	left := 0
	for i, k := range of {
		if i == k {
			left++
		}
	}
	for i := len(of) - 1; i >= 0 && left < least; i-- {
		if of[i] != i {
			of[i] = i
			left++
		}
	}
	return of
}

// skipped says which layer keeps a group whole because the recipe skips it.
func (w *work) skipped(g *group.Group) string {
	for _, l := range g.Links {
		if x := w.of[l.Node]; x != nil && l.Role != group.Column && strings.HasPrefix(x.Reason, "the recipe skips") {
			return x.Reason
		}
	}
	return ""
}

// apply makes merged units alike in scale, then merges them.
func (w *work) apply(a *group.Analysis, s *scales, c *group.Change, mean bool) error {
	scale, any := s.aligned(a, c)
	if any {
		p := ir.NewPatch(w.m.Graph, "scale neurons that are merged")
		if err := s.a.Rescale(p, scale); err != nil {
			return err
		}
		if err := p.Apply(); err != nil {
			return err
		}
		if _, err := op.Infer(w.m); err != nil {
			return err
		}
		a = group.Analyse(w.m, group.Removing)
	}
	c.Average = mean
	w.note(a, c)
	p := ir.NewPatch(w.m.Graph, "merge neurons")
	if err := a.Apply(p, c); err != nil {
		return err
	}
	if err := p.Apply(); err != nil {
		return err
	}
	_, err := op.Infer(w.m)
	return err
}

// aligned are the scales that give merged units the norm of the one they go into.
func (s *scales) aligned(a *group.Analysis, c *group.Change) (scale []float64, any bool) {
	scale = make([]float64, len(s.norm))
	for u := range scale {
		scale[u] = 1
	}
	for _, l := range a.Links {
		if l.Role == group.Column {
			continue
		}
		first := map[int][]int{}
		for k, u := range l.Units {
			first[u] = append(first[u], k)
		}
		for k, u := range l.Units {
			to := c.Into[u]
			if to == u || to < 0 {
				continue
			}
			n := slices.Index(first[u], k)
			mine, theirs := s.units(l, k), s.units(l, first[to][n])
			for i, r := range mine {
				if f := s.norm[theirs[i]] / s.norm[r]; f != 1 {
					scale[r], any = f, true
				}
			}
		}
	}
	return scale, any
}
