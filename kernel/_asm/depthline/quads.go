package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// quads multiplies four taps at once by VPDPBUSD: those of three or four rows in a
// column; of a fifth row, four columns and then the last. The terms are columns 0
// to k-1, and then those two.
var quads = isa{
	name:    "AVX512",
	vectors: 4,
	terms:   func(k int) int { return k + (k-3)/2*2 },
	insert:  func(m Mem, v reg.VecVirtual) { VINSERTF32X4(Imm(1), m, v, v) },
	column:  quadColumn,
	finish:  quadFinish,
}

func quadColumn(l *line, parity int) {
	if l.k == 5 {
		x := l.fifth(l.bytes(4))
		for c := 3; c < l.k; c++ {
			if (c-parity)%l.s != 0 {
				continue
			}
			l.addQuads(l.sum(c), x, l.k+c-3)
		}
	}
	rows := []reg.VecVirtual{l.bytes(0), l.bytes(1), l.bytes(2)}
	// Where there are three rows, anything may stand in for the fourth.
	fourth := rows[2]
	if l.k == 5 {
		fourth = l.bytes(3)
	}
	x := quadsOf(bytePairs(rows[0], rows[1]), bytePairs(rows[2], fourth))
	l.advance()
	c := l.k - 1
	for ; (c-parity)%l.s != 0; c-- {
	}
	for ; c >= 0; c -= l.s {
		sums := l.sum(c)
		if c == 0 {
			for v, s := range sums {
				VMOVUPS(l.start(v), s)
			}
		}
		l.addQuads(sums, x, c)
		switch {
		case parity == 1 || c == 0:
		case c == l.k-1:
			l.complete(sums)
		default:
			for v, s := range sums {
				VMOVAPS(s, l.sum(c + l.s)[v])
			}
		}
	}
}

// bytes loads the channels of row i in this column.
func (l *line) bytes(i int) reg.VecVirtual {
	v := YMM()
	VMOVUPS(l.source(i), v)
	return v
}

// fifth returns quads of this column and the three before in the last row.
func (l *line) fifth(row reg.VecVirtual) []reg.VecVirtual {
	if l.kept == nil {
		// The row in the column before; its pairs there and one earlier.
		for range 5 {
			l.kept = append(l.kept, YMM())
		}
	}
	k := l.kept
	now := bytePairs(k[0], row)
	x := quadsOf(k[3:5], now)
	for i, v := range []reg.VecVirtual{k[1], k[2]} {
		VMOVAPS(v, k[3+i])
		VMOVAPS(now[i], v)
	}
	VMOVAPS(row, k[0])
	return x
}

func bytePairs(x, y reg.VecVirtual) []reg.VecVirtual {
	lo, hi := YMM(), YMM()
	VPUNPCKLBW(y, x, lo)
	VPUNPCKHBW(y, x, hi)
	return []reg.VecVirtual{lo, hi}
}

func quadsOf(x, y []reg.VecVirtual) []reg.VecVirtual {
	return append(wordPairs(x[0], y[0]), wordPairs(x[1], y[1])...)
}

func (l *line) addQuads(sums, x []reg.VecVirtual, term int) {
	for v := range x {
		VPDPBUSD(l.weight(term, v), x[v], sums[v])
	}
}

func quadFinish(l *line, sums []reg.VecVirtual) {
	l.scale(sums)
	lo, hi := sums[0], sums[2]
	VPACKSSDW(sums[1], lo, lo)
	VPACKSSDW(sums[3], hi, hi)
	VPADDSW(l.constant(localZero), lo, lo)
	VPADDSW(l.constant(localZero), hi, hi)
	VPACKUSWB(hi, lo, lo)
	VPMAXUB(l.constant(localLeast), lo, lo)
	VMOVUPS(lo, Mem{Base: l.dst})
}
