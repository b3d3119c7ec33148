package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var (
	vnni = isa{"VNNI", "AVX512", 64, 4, ZMM, dotForm{}, finish512}

	channels512 = isa{"Channels", "AVX512", 64, 4, ZMM, channelForm{func(w, x, a Op) { VPDPWSSD(w, x, a) }}, finish512}
	channels2   = isa{"Channels", "AVX2", 32, 4, YMM, channelForm{addProducts}, finish2}
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
