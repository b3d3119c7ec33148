package pass

import (
	"cmp"
	"math"
	"slices"

	"pare/ir"
)

// settle gives every value of the region its offset. Forward there is one
// source, the start. Backward the value at the start must come to carry the
// offset exactly: every channel gets it from one root, divided by the number of
// paths from there, the others from none [yvinec22]. Roots are tried in turn,
// those whose result fewest others read first.
func (r *region) settle(offset []float64) string {
	if !r.backward {
		copy(r.carries[r.start].affine.offset, offset)
		r.flow()
		return r.allowed()
	}
	if !(affine{offset: offset}).moves() {
		return r.allowed()
	}
	sources := r.sources()
	reason := ""
	for i := range sources {
		list := append([]source{sources[i]}, slices.Delete(slices.Clone(sources), i, i+1)...)
		why := r.assign(list, offset)
		if why == "" {
			return ""
		}
		if reason == "" {
			reason = why
		}
	}
	if reason == "" {
		reason = "there is nothing that could take up its offset"
	}
	return reason
}

// source is a root with what it gives to the start: for every channel there, the
// root's channel behind it (-1 for none, -2 for several) and the number of paths.
type source struct {
	slot
	of   []int
	gain []float64
}

// sources lists roots that reach the start, best first.
func (r *region) sources() []source {
	var out []source
	for _, s := range r.ends() {
		if x := r.trace(s); slices.ContainsFunc(x.of, func(c int) bool { return c >= 0 }) {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b source) int { return cmp.Compare(r.readers(a.slot), r.readers(b.slot)) })
	return out
}

// readers is the number of nodes that read what a slot holds.
func (r *region) readers(s slot) int {
	if s.use.Node != nil {
		return 0
	}
	return len(s.v.Uses())
}

// ends lists what roots write, and constants, in the order of the nodes.
func (r *region) ends() []slot {
	var out []slot
	for _, n := range r.g.Nodes {
		if l := r.roots[n]; l != nil {
			out = append(out, slot{v: l.out})
		}
		if p := r.passages[n]; p != nil {
			for i := range p.links {
				if s := r.slotOf(n, &p.links[i]); s.use.Node != nil && r.carries[s] != nil {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// trace follows the channels of a root to the start.
func (r *region) trace(s slot) source {
	of, gain := map[slot][]int{}, map[slot][]float64{}
	for k := range r.carries[s].affine.scale {
		c := k
		if !r.carries[s].inside(k) {
			c = -1
		}
		of[s], gain[s] = append(of[s], c), append(gain[s], 1)
	}
	for _, n := range r.g.Nodes {
		if p := r.passages[n]; p != nil {
			for i := range p.links {
				r.traceLink(n, &p.links[i], of, gain)
			}
		}
	}
	x := source{s, of[r.start], gain[r.start]}
	return x
}

func (r *region) traceLink(n *ir.Node, l *link, of map[slot][]int, gain map[slot][]float64) {
	from := r.slotOf(n, l)
	to := slot{v: l.out}
	if of[from] == nil || r.carries[to] == nil {
		return
	}
	if of[to] == nil {
		of[to], gain[to] = slices.Repeat([]int{-1}, l.outC), make([]float64, l.outC)
	}
	for k := range l.outC {
		c := l.channel(k)
		if c < 0 || of[from][c] == -1 {
			continue
		}
		if of[to][k] != -1 && of[to][k] != of[from][c] || of[from][c] == -2 {
			of[to][k] = -2
			continue
		}
		of[to][k] = of[from][c]
		gain[to][k] += l.sign * gain[from][c]
	}
}

// assign distributes the offset over roots in the given order of preference,
// and checks the result.
func (r *region) assign(list []source, offset []float64) string {
	for _, c := range r.carries {
		clear(c.affine.offset)
	}
	open := make([]bool, len(offset))
	for k, o := range offset {
		open[k] = o != 0
	}
	for _, s := range list {
		given := r.carries[s.slot].affine.offset
		for k, c := range s.of {
			if !open[k] || c < 0 || s.gain[k] == 0 {
				continue
			}
			if x := offset[k] / s.gain[k]; given[c] == 0 || given[c] == x {
				given[c], open[k] = x, false
			}
		}
	}
	if slices.Contains(open, true) {
		return "there is nothing that could take up its offset"
	}
	r.flow()
	for k, o := range r.carries[r.start].affine.offset {
		if math.Abs(o-offset[k]) > 1e-9*math.Abs(offset[k]) {
			return "the paths that lead to it cannot carry its offset together"
		}
	}
	return r.allowed()
}

// flow computes the offsets of results of passages from those of their operands.
func (r *region) flow() {
	for _, n := range r.g.Nodes {
		p := r.passages[n]
		if p == nil {
			continue
		}
		for i := range p.links {
			l := &p.links[i]
			from, to := r.carries[r.slotOf(n, l)], r.carries[slot{v: l.out}]
			if from == nil || to == nil {
				continue
			}
			for k := range l.outC {
				if c := l.channel(k); c >= 0 {
					to.affine.offset[k] += l.sign * from.affine.offset[c]
				}
			}
		}
	}
}

// allowed reports the first node that could not bear its offset.
func (r *region) allowed() string {
	for _, n := range r.g.Nodes {
		if l := r.leaves[n]; l != nil && l.uneven != "" && r.carries[slot{v: l.in()}].affine.moves() {
			return l.uneven
		}
		if p := r.passages[n]; p != nil && p.still != "" {
			for i := range p.links {
				if c := r.carries[r.slotOf(n, &p.links[i])]; c != nil && c.affine.moves() {
					return p.still
				}
			}
		}
	}
	return ""
}
