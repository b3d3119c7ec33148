package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// words widens to 16 bits and multiplies pairs of taps, which is exact for all
// operands: taps of two rows in a column, those of the last row by two columns. The
// terms are, for every two rows, columns 0 to k-1, then for the last row columns
// 0 and 1, and so on; its last column stands alone.
var words = isa{
	name:    "AVX2",
	vectors: 2,
	terms:   func(k int) int { return k/2*k + (k+1)/2 },
	insert:  func(m Mem, v reg.VecVirtual) { VINSERTF128(Imm(1), m, v, v) },
	column:  wordColumn,
	finish:  wordFinish,
}

func wordColumn(l *line, parity int) {
	if l.kept == nil {
		// What lies before the first column meets no output that is stored.
		l.kept = []reg.VecVirtual{YMM()}
	}
	last := l.k - 1
	x := YMM()
	VPMOVZXBW(l.source(last), x)
	l.beside(parity, wordPairs(l.kept[0], x))
	VMOVAPS(x, l.kept[0])
	for r := last - 2; r >= 0; r -= 2 {
		x, y := YMM(), YMM()
		VPMOVZXBW(l.source(r), x)
		VPMOVZXBW(l.source(r+1), y)
		l.above(parity, r/2, wordPairs(x, y))
	}
	l.advance()
}

// wordPairs interleaves words.
func wordPairs(x, y reg.VecVirtual) []reg.VecVirtual {
	lo, hi := YMM(), YMM()
	VPUNPCKLWD(y, x, lo)
	VPUNPCKHWD(y, x, hi)
	return []reg.VecVirtual{lo, hi}
}

// beside multiplies the last row in this column and the one before.
func (l *line) beside(parity int, x []reg.VecVirtual) {
	base := l.k / 2 * l.k
	for c := parity; c < l.k; c += l.s {
		if c%2 == 1 || c == l.k-1 {
			l.addPairs(l.sum(c), l.sum(c), x, base+c/2)
		}
	}
}

// above multiplies pair r of rows. The last one moves sums on where an output has
// begun.
func (l *line) above(parity, r int, x []reg.VecVirtual) {
	c := l.k - 1
	for ; (c-parity)%l.s != 0; c-- {
	}
	for ; c >= 0; c -= l.s {
		from, to := l.sum(c), l.sum(c)
		if c == 0 {
			from, to = nil, l.fresh(r)
		}
		if r == 0 && parity == 0 {
			switch {
			case c == l.k-1:
				l.addPairs(to, from, x, c)
				l.complete(to)
				continue
			case c == 0 && l.k > 3:
				from = to
			}
			to = l.sum(c + l.s)
		}
		l.addPairs(to, from, x, r*l.k+c)
	}
}

// addPairs adds products to what from holds, nothing where it is nil.
func (l *line) addPairs(to, from, x []reg.VecVirtual, term int) {
	for v := range x {
		if from == nil {
			VPMADDWD(l.weight(term, v), x[v], to[v])
			continue
		}
		p := YMM()
		VPMADDWD(l.weight(term, v), x[v], p)
		VPADDD(p, from[v], to[v])
	}
}

// fresh is where an output begins before its sum moves to the pending ones.
func (l *line) fresh(r int) []reg.VecVirtual {
	if r == l.k/2-1 {
		l.begun = l.group()
	}
	return l.begun
}

func wordFinish(l *line, sums []reg.VecVirtual) {
	for v, x := range sums {
		VPADDD(l.start(v), x, x)
	}
	l.scale(sums)
	lo, hi := sums[0], XMM()
	VPACKSSDW(sums[1], lo, lo)
	VPADDSW(l.constant(localZero), lo, lo)
	VEXTRACTI128(Imm(1), lo, hi)
	VPACKUSWB(hi, lo.AsX(), hi)
	VPMAXUB(l.constant(localLeast), hi, hi)
	VMOVUPS(hi, Mem{Base: l.dst})
}
