package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var (
	vnni = isa{"VNNI", "AVX512", 64, 4, ZMM, dotForm{}, finish512, false}

	short512 = isa{"Short", "AVX512", 64, 4, ZMM, shortForm{func(w, x, a Op) { VPDPWSSD(w, x, a) }}, leaveSums, true}
	short2   = isa{"Short", "AVX2", 32, 4, YMM, shortForm{nil}, leaveSums, true}
	sums512  = isa{"Sums", "AVX512", 64, 0, ZMM, sumsForm{}, finish512, false}
	sums2    = isa{"Sums", "AVX2", 32, 0, YMM, sumsForm{}, finish2, false}

	channels512 = isa{"Channels", "AVX512", 64, 4, ZMM, channelForm{func(w, x, a Op) { VPDPWSSD(w, x, a) }}, finish512, false}
	channels2   = isa{"Channels", "AVX2", 32, 4, YMM, channelForm{addProducts}, finish2, false}
)

// onesWords is 1 in every word.
var onesWords Mem

func constants() {
	onesWords = GLOBL("inttileOnes", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(0x00010001))
	}
}

// line loads n vectors of the panel's line, step bytes apart.
func line(s *isa, b Mem, n, step int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for j := range v {
		v[j] = s.vec()
		VMOVUPS(b.Offset(j*step), v[j])
	}
	return v
}

// dotForm is VPDPBUSD, which adds the four products exactly.
type dotForm struct{}

func (dotForm) begin(s *isa, t reg.Register, a acc) { start(s, t, a) }

func (dotForm) quad(s *isa, rows []Mem, b Mem, a acc) {
	w := line(s, b, len(a[0]), s.bytes)
	for r, m := range rows {
		x := s.vec()
		VPBROADCASTD(m, x)
		for j := range w {
			VPDPBUSD(w[j], x, a[r][j])
		}
	}
}

func (dotForm) step(*isa, acc) {}
func (dotForm) end(*isa, acc)  {}

// channelForm multiplies channel by channel: a line of the panel, int32, holds
// one tap. Products of words are exact, and the upper ones are zero.
type channelForm struct{ dot func(w, x, a Op) }

func (channelForm) begin(s *isa, t reg.Register, a acc) { start(s, t, a) }

func (f channelForm) quad(s *isa, rows []Mem, b Mem, a acc) {
	for j, w := range line(s, b, len(a[0]), s.bytes) {
		for r, m := range rows {
			x := s.vec()
			VPMOVZXBD(m.Offset(j*s.bytes/4), x)
			f.dot(w, x, a[r][j])
		}
	}
}

func (channelForm) step(*isa, acc) {}
func (channelForm) end(*isa, acc)  {}

// addProducts is VPDPWSSD in two steps. It spoils x.
func addProducts(w, x, a Op) {
	VPMADDWD(w, x, x)
	VPADDD(x, a, a)
}

// ahead is how far in front of what they read products of words ask for lines of
// the panel. These come from memory once for a few rows, several times over.
const ahead = 8 << 10

// shortForm multiplies pairs of words; its sums start at zero.
type shortForm struct{ dot func(w, x, a Op) }

func (shortForm) begin(_ *isa, _ reg.Register, a acc) {
	for _, row := range a {
		for _, v := range row {
			VXORPS(v.AsX(), v.AsX(), v.AsX())
		}
	}
}

func (f shortForm) quad(s *isa, rows []Mem, b Mem, a acc) {
	for at := 0; at < len(a[0])*s.bytes; at += 64 {
		PREFETCHT0(b.Offset(at + ahead))
	}
	w := line(s, b, len(a[0]), s.bytes)
	for r, m := range rows {
		x := s.vec()
		VPBROADCASTD(m, x)
		for j := range w {
			if f.dot != nil {
				f.dot(w[j], x, a[r][j])
				continue
			}
			v := s.vec()
			VPMADDWD(w[j], x, v)
			VPADDD(v, a[r][j], a[r][j])
		}
	}
}

func (shortForm) step(*isa, acc) {}
func (shortForm) end(*isa, acc)  {}

// sumsForm reads sums instead of computing them.
type sumsForm struct{}

func (sumsForm) begin(s *isa, t reg.Register, a acc) {
	start(s, t, a[:1])
	rows, src := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: offRows}, rows)
	MOVQ(Mem{Base: t, Disp: offSrc}, src)
	for r := len(a) - 1; r >= 0; r-- {
		at := GP64()
		MOVLQSX(Mem{Base: rows, Disp: 4 * r}, at)
		for j := range a[r] {
			VPADDD(Mem{Base: src, Index: at, Scale: 1, Disp: j * s.bytes}, a[0][j], a[r][j])
		}
	}
}

func (sumsForm) quad(*isa, []Mem, Mem, acc) {}
func (sumsForm) step(*isa, acc)             {}
func (sumsForm) end(*isa, acc)              {}
