package kernel

import (
	"cmp"
	"slices"
)

// Tiles of grouped panels multiply bytes by pairs and add up several quads in 16
// bits before they widen the sums. With codes of 0 to 255 that is exact as long as
// the positive weights of every 16-bit lane, two of each quad, add up to at most
// groupRoom, and so do the negative ones: what the weights allow is known when they
// are packed. A panel's quads are put together into such groups, in any order. Quads
// that do not fit alone are split into two halves.
const (
	groupRoom = 128
	groupMost = 16 // quads
	groupOpen = 12 // groups that may still grow, at a time
)

// groupRun is a number of groups of as many quads each. Assembly reads it.
type groupRun struct{ quads, groups int32 }

// quadLoad is what quads need of the room of their lanes: a word per column, of
// 16-bit numbers: the positive and the negative weights of the first pair, and those
// of the second.
type quadLoad [16]uint64

// weightLoad is the load of a weight by its byte.
var weightLoad = func() (load [256]uint64) {
	for i := range load {
		if v := int8(i); v >= 0 {
			load[i] = uint64(v)
		} else {
			load[i] = uint64(-int(v)) << 16
		}
	}
	return load
}()

// set reads a line of a panel.
func (l *quadLoad) set(line []int8) {
	for j := range len(line) / 4 {
		w := line[4*j:][:4]
		l[j] = weightLoad[uint8(w[0])] + weightLoad[uint8(w[1])] + (weightLoad[uint8(w[2])]+weightLoad[uint8(w[3])])<<32
	}
}

// with reports whether a and b fit the room together.
func (a *quadLoad) with(b *quadLoad) bool {
	const room, over = (1<<15 - 1 - groupRoom) * 0x0001000100010001, 1 << 15 * 0x0001000100010001
	var sum uint64
	for j := range a {
		sum |= a[j] + b[j] + room
	}
	return sum&over == 0
}

func (a *quadLoad) add(b *quadLoad) {
	for j := range a {
		a[j] += b[j]
	}
}

// quadGroup is quads whose sums fit 16 bits together.
type quadGroup struct {
	load  quadLoad
	quads []quadPart
}

// quadPart is a quad of a panel: the whole, or a half of it.
type quadPart struct {
	quad int32
	half int8 // 0 for the whole, 1 for what is rounded to zero, 2 for the rest
}

// grouper puts the quads of one panel into groups.
type grouper struct {
	open, done []quadGroup
}

// group rearranges a panel whose lines are in their own order.
func (p *intPanel) group() {
	var g grouper
	line := 4 * p.width
	var load, none quadLoad
	for q := range len(p.data) / line {
		load.set(p.data[q*line:][:line])
		switch {
		case load == none:
		case load.with(&none):
			g.put(&load, quadPart{int32(q), 0})
		default:
			for half := int8(1); half <= 2; half++ {
				var w [64]int8
				halve(w[:line], p.data[q*line:], half)
				load.set(w[:line])
				g.put(&load, quadPart{int32(q), half})
			}
		}
	}
	p.lay(g.all())
}

// halve takes a half of a line.
func halve(dst, src []int8, half int8) {
	for i := range dst {
		if dst[i] = src[i] / 2; half == 2 {
			dst[i] = src[i] - dst[i]
		}
	}
}

// put adds a quad to the first group that has room, or to a new one.
func (g *grouper) put(load *quadLoad, q quadPart) {
	for i := range g.open {
		if o := &g.open[i]; o.load.with(load) {
			o.load.add(load)
			if o.quads = append(o.quads, q); len(o.quads) == groupMost {
				g.close(i)
			}
			return
		}
	}
	if len(g.open) == groupOpen {
		fullest := 0
		for i := range g.open {
			if len(g.open[i].quads) > len(g.open[fullest].quads) {
				fullest = i
			}
		}
		g.close(fullest)
	}
	g.open = append(g.open, quadGroup{*load, []quadPart{q}})
}

func (g *grouper) close(i int) {
	g.done = append(g.done, g.open[i])
	g.open = slices.Delete(g.open, i, i+1)
}

// all returns the groups, largest first.
func (g *grouper) all() []quadGroup {
	all := append(g.done, g.open...)
	slices.SortStableFunc(all, func(a, b quadGroup) int { return cmp.Compare(len(b.quads), len(a.quads)) })
	return all
}

// lay puts the lines of a panel in the order of the groups.
func (p *intPanel) lay(groups []quadGroup) {
	n, line := 0, 4*p.width
	for i, g := range groups {
		if i == 0 || len(g.quads) != len(groups[i-1].quads) {
			p.runs = append(p.runs, groupRun{quads: int32(len(g.quads))})
		}
		p.runs[len(p.runs)-1].groups++
		n += len(g.quads)
	}
	p.runs = append(p.runs, groupRun{})
	data := make([]int8, 0, n*line)
	p.order = make([]int32, 0, n)
	for _, g := range groups {
		for _, q := range g.quads {
			from := p.data[int(q.quad)*line:][:line]
			data = append(data, from...)
			if q.half > 0 {
				halve(data[len(data)-line:], from, q.half)
			}
			p.order = append(p.order, q.quad)
		}
	}
	p.data = data
}

// orders lists, for every panel of grouped weights, where the quads of its order
// lie in the source.
func (w *IntWeights) orders(segs []seg) [][]int32 {
	if !w.tile.grouped {
		return nil
	}
	var at []int32
	for _, s := range segs {
		for q := range s.n {
			at = append(at, int32(s.off+4*q))
		}
	}
	all := make([][]int32, len(w.panels))
	for i, p := range w.panels {
		all[i] = make([]int32, len(p.order))
		for k, q := range p.order {
			all[i][k] = at[q]
		}
	}
	return all
}
