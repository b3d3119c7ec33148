package prune

import (
	"context"
	"math"
	"strings"

	"pare/group"
)

// merge merges units of all groups once: those that alpha allows when near, else
// identical ones. It returns how many went.
func (w *work) merge(ctx context.Context, q *RED, near bool) (int, error) {
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	a := group.Analyse(w.m, group.Removing)
	like := newLikeness(w.m, a, q.Scaled)
	var groups []*group.Group
	for _, g := range a.Groups {
		if !g.Pinned() && w.skipped(g) == "" && computed(g) {
			groups = append(groups, g)
		}
	}
	alphas := shares(q.Law, q.Alpha, groups)
	c := a.Keep()
	for i, g := range groups {
		j := newJoint(like.parts(g), w.env.Threads)
		var of []int
		if near {
			of = q.nearby(j, alphas[i], w.env.Threads)
		} else {
			of = limited(j.twins(w.env.Threads), q.floor(j.n))
		}
		for k, to := range of {
			c.Into[g.Units[k]] = g.Units[to]
		}
	}
	return w.apply(like, c, q, !near)
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
