package engine

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// cached is how many float32 results a step makes before it brings them onto a
// grid: they stay in the first cache.
const cached = 4 << 10

// landing is where a step on floats puts its dense result: in a place, or as codes
// where nothing but an encoder reads it, for integer steps.
type landing struct {
	to   place
	c    *coded
	room int // floats of scratch
}

// landingOf is the landing of v, which has a place already, with channels last or in C
// order, and is written in rows of the given length or any. It absorbs the
// encoder.
func (b *builder) landingOf(v *ir.Value, to place, last bool, row int) landing {
	n := b.only(v)
	if n == nil || b.val(v).t != tensor.Float32 {
		return landing{to: to}
	}
	e, ok := b.encoderOf(n)
	if !ok || n.In[0] != v || !slices.ContainsFunc(e.reals, b.feedsIntegers) {
		return landing{to: to}
	}
	shape := b.val(v).shape
	if !last && len(shape) >= 3 && slices.ContainsFunc(e.reals, b.readLast) {
		if _, channels, pixels := dims(shape); channels > 1 && pixels > 1 {
			return landing{to: to}
		}
	}
	c := b.newCoded(v, e.codeGrid, last && len(shape) >= 3)
	b.place(e, c)
	b.val(v).plain, b.val(v).last = place{}, place{}
	return landing{c: c, room: min(c.n, max(row, cached))}
}

// buf is what a step with the landing writes.
func (s landing) buf() *buf {
	if s.c != nil {
		return s.c.b
	}
	return s.to.b
}

// name is what a step of the kernel is called.
func (s landing) name(kernel string) string {
	if s.c != nil {
		return kernel + " quantize"
	}
	return kernel
}

// flow is a landing while one task writes to it, range after range.
type flow struct {
	landing
	fr       *frame
	scratch  []float32
	from, to int // elements in the scratch
}

func (s landing) flow(fr *frame, scratch []float32) flow {
	return flow{landing: s, fr: fr, scratch: scratch[:s.room]}
}

// at is where elements from ≤ i < to go, no more than there is room for. It is valid up to the next call.
func (l *flow) at(from, to int) []float32 {
	if l.c == nil {
		return l.fr.at(l.landing.to)[from:to]
	}
	if from != l.to || to-l.from > len(l.scratch) {
		l.end()
		l.from = from
	}
	l.to = to
	return l.scratch[from-l.from : to-l.from]
}

// end brings to the grid what is not there yet.
func (l *flow) end() {
	if l.c != nil && l.to > l.from {
		l.c.quantize(l.fr.codes(l.c)[l.from:l.to], l.scratch[:l.to-l.from])
		l.from = l.to
	}
}

// parts calls f for parts of the range, small enough for the first cache where
// codes are made; they are whole rows.
func (s landing) parts(from, to, row int, f func(from, to int)) {
	n := to - from
	if s.c != nil {
		n = max(1, cached/row) * row
	}
	for ; from < to; from += n {
		f(from, min(from+n, to))
	}
}
