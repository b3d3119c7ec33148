package grad

import (
	"cmp"
	"slices"
)

// memory is a piece of the arena, in use during spans of the schedule's time.
type memory struct {
	size  int // floats
	spans []lifetime
	off   int
}

// lifetime is a range of instructions, both ends included.
type lifetime struct{ from, to int }

// during begins a new span at time t.
func (m *memory) during(t int) *memory {
	m.spans = append(m.spans, lifetime{t, t})
	return m
}

// until extends the latest span to time t.
func (m *memory) until(t int) {
	s := &m.spans[len(m.spans)-1]
	s.to = max(s.to, t)
}

// meets reports whether both are in use at the same time.
func (m *memory) meets(o *memory) bool {
	for _, a := range m.spans {
		for _, b := range o.spans {
			if a.from <= b.to && b.from <= a.to {
				return true
			}
		}
	}
	return false
}

// line is the alignment in floats, a line of the cache.
const line = 16

// rounded is n rounded up to whole lines.
func rounded(n int) int { return (n + line - 1) / line * line }

// pack chooses the places of all memories, large ones first, each as low as those
// placed before it allow, and returns the size of the arena in floats.
func pack(all []*memory) int {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *memory) int { return cmp.Compare(b.size, a.size) })
	size := 0
	var placed []*memory
	for _, m := range all {
		m.off = lowest(m, placed)
		size = max(size, m.off+rounded(m.size))
		at, _ := slices.BinarySearchFunc(placed, m.off, func(p *memory, off int) int { return cmp.Compare(p.off, off) })
		placed = slices.Insert(placed, at, m)
	}
	return size
}

// lowest is the first offset at which m meets nothing; placed is sorted by offset.
func lowest(m *memory, placed []*memory) int {
	off := 0
	for _, p := range placed {
		if off+rounded(m.size) <= p.off {
			break
		}
		if p.off+rounded(p.size) > off && m.meets(p) {
			off = p.off + rounded(p.size)
		}
	}
	return off
}
