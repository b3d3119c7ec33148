package kernel

import (
	"cmp"
	"slices"
)

// Tiles of grouped panels multiply bytes by pairs and add up several quads in 16
// bits before they widen the sums. With codes of 0 to 255 that is exact as long as
// the positive weights of every 16-bit lane, two of each quad, add up to at most
// groupRoom, and so do the negative ones: what the weights allow is known when they
// are packed. A panel's quads are put together into such groups, in any order. Where
// neighbours do not fit as pairs, others may: the bytes of a quad are shuffled then.
// Quads that do not fit in any way are split into two halves.
const (
	groupRoom = 128
	groupMost = 16 // quads
	groupOpen = 12 // groups that may still grow, at a time
)

// groupRun is a number of groups of as many quads each, whose bytes lie in the order
// of pairing, nil for their own. Assembly reads it.
type groupRun struct {
	quads, groups int32
	pairing       *[32]uint8
}

// pairings are the orders of a quad's bytes in which each one meets another first.
var pairings = [3][4]uint8{{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}}

// pairingMasks shuffle the quads of a vector into the orders of pairings.
var pairingMasks = func() (masks [len(pairings)]*[32]uint8) {
	for p := 1; p < len(pairings); p++ {
		masks[p] = new([32]uint8)
		for i := range masks[p] {
			masks[p][i] = uint8(i)&^3&15 + pairings[p][i%4]
		}
	}
	return masks
}()

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
func (l *quadLoad) set(line []int8, pairing int) {
	p := pairings[pairing]
	for j := range len(line) / 4 {
		w := line[4*j:][:4]
		l[j] = weightLoad[uint8(w[p[0]])] + weightLoad[uint8(w[p[1]])] + (weightLoad[uint8(w[p[2]])]+weightLoad[uint8(w[p[3]])])<<32
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

// quadGroup is quads whose sums fit 16 bits together, in one order of their bytes.
type quadGroup struct {
	load    quadLoad
	quads   []quadPart
	pairing int
}

// quadPart is a quad of a panel: the whole, or a half of it.
type quadPart struct {
	quad int32
	half int8 // 0 for the whole, 1 for what is rounded to zero, 2 for the rest
}

// grouper puts the quads of one panel and one pairing into groups.
type grouper struct {
	pairing    int
	open, done []quadGroup
}

// group rearranges a panel whose lines are in their own order.
func (p *intPanel) group() {
	var g [len(pairings)]grouper
	for i := range g {
		g[i].pairing = i
	}
	line := 4 * p.width
	for q := range len(p.data) / line {
		w := p.data[q*line:][:line]
		var load quadLoad
		if pairing := load.alone(w); pairing >= 0 {
			if load != (quadLoad{}) {
				g[pairing].put(&load, quadPart{int32(q), 0})
			}
			continue
		}
		for half := int8(1); half <= 2; half++ {
			var part [64]int8
			halve(part[:line], w, half)
			load.set(part[:line], 0)
			g[0].put(&load, quadPart{int32(q), half})
		}
	}
	var all []quadGroup
	for i := range g {
		all = append(all, g[i].all()...)
	}
	p.lay(all)
}

// alone reads a line in the first order of bytes in which it fits, -1 for none.
func (l *quadLoad) alone(line []int8) int {
	for pairing := range pairings {
		if l.set(line, pairing); l.with(&quadLoad{}) {
			return pairing
		}
	}
	return -1
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
	g.open = append(g.open, quadGroup{*load, []quadPart{q}, g.pairing})
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
		if i == 0 || len(g.quads) != len(groups[i-1].quads) || g.pairing != groups[i-1].pairing {
			p.runs = append(p.runs, groupRun{quads: int32(len(g.quads)), pairing: pairingMasks[g.pairing]})
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
			shuffle(data[len(data)-line:], g.pairing)
			p.order = append(p.order, q.quad)
		}
	}
	p.data = data
}

// shuffle brings the quads of a line into an order of their bytes.
func shuffle(line []int8, pairing int) {
	if pairing == 0 {
		return
	}
	p := pairings[pairing]
	for ; len(line) > 0; line = line[4:] {
		w := [4]int8(line)
		line[0], line[1], line[2], line[3] = w[p[0]], w[p[1]], w[p[2]], w[p[3]]
	}
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
