package engine

import (
	"cmp"
	"slices"
)

// planMemory places all buffers in the arena and returns its size in floats.
// Buffers that are in use at the same time do not overlap. Where a step may
// compute in place, its result takes over the memory of the operand.
func planMemory(steps []*step) int {
	for i, s := range steps {
		takeOver(i, s)
	}
	var all []*buf
	seen := map[*buf]bool{}
	for _, s := range steps {
		for _, m := range append(slices.Clone(s.reads), s.writes...) {
			if r := m.root(); r.inArena() && !seen[r] {
				seen[r] = true
				all = append(all, r)
			}
		}
	}
	// Large buffers first, each as low as those placed before it allow.
	slices.SortStableFunc(all, func(a, b *buf) int { return cmp.Compare(b.floats, a.floats) })
	size := 0
	var placed []*buf
	for _, m := range all {
		m.off = lowest(m, placed)
		size = max(size, m.off+rounded(m.floats))
		at, _ := slices.BinarySearchFunc(placed, m.off, func(p *buf, off int) int { return cmp.Compare(p.off, off) })
		placed = slices.Insert(placed, at, m)
	}
	spread(steps)
	return size
}

// takeOver merges the buffers of a step that may compute in place.
func takeOver(i int, s *step) {
	if s.reuse == nil || len(s.writes) == 0 {
		return
	}
	from, to := s.reuse.root(), s.writes[0]
	if from.last != i || to.heir != nil || !from.inArena() || from.floats != to.floats || to.first != i || from == to {
		return
	}
	readers := 0
	for _, m := range s.reads {
		if m.root() == from {
			readers++
		}
	}
	if readers > 1 {
		return // it is read in another order, too
	}
	to.heir = from
	from.last = max(from.last, to.last)
}

// lowest is the first offset at which m overlaps nothing that is in use at the
// same time; placed is sorted by offset.
func lowest(m *buf, placed []*buf) int {
	off := 0
	for _, p := range placed {
		if p.last < m.first || m.last < p.first {
			continue
		}
		if off+rounded(m.floats) <= p.off {
			break
		}
		off = max(off, p.off+rounded(p.floats))
	}
	return off
}

// rounded is n rounded up to whole lines of the cache.
func rounded(n int) int { return (n + line - 1) / line * line }

// spread tells merged buffers where their memory is.
func spread(steps []*step) {
	for _, s := range steps {
		for _, list := range [][]*buf{s.reads, s.writes} {
			for _, m := range list {
				m.off = m.root().off
			}
		}
	}
}
