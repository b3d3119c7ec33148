package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var grouped = isa{"Grouped", "AVX2", 32, 4, YMM, groupedForm{}, finish2}

// groupedForm adds groups of quads in 16 bits, which the packer has seen to fit,
// and widens every group once. Quads come in the panel's order.
type groupedForm struct{}

func (groupedForm) begin(s *isa, t reg.Register, a acc) { start(s, t, a) }
func (groupedForm) quad(*isa, []Mem, Mem, acc)          {}
func (groupedForm) step(*isa, acc)                      {}
func (groupedForm) end(*isa, acc)                       {}

// sum emits the loops over runs of groups, groups and quads.
func (f groupedForm) sum(s *isa, t reg.Register, a acc) {
	b, order, runs := GP64(), GP64(), GP64()
	p := sources(t, len(a))
	MOVQ(Mem{Base: t, Disp: offB}, b)
	MOVQ(Mem{Base: t, Disp: offOrder}, order)
	MOVQ(Mem{Base: t, Disp: offRuns}, runs)
	words := make(acc, len(a))
	for r := range words {
		for range a[r] {
			words[r] = append(words[r], s.vec())
		}
	}
	groups, left := GP64(), GP64()

	Label("run")
	MOVLQSX(Mem{Base: runs, Disp: 4}, groups)
	TESTQ(groups, groups)
	JZ(LabelRef("summed"))
	Label("group")
	MOVLQSX(Mem{Base: runs}, left)
	f.add(s, p, b, order, words, true)
	DECQ(left)
	JZ(LabelRef("widen"))
	Label("quad")
	f.add(s, p, b, order, words, false)
	DECQ(left)
	JNZ(LabelRef("quad"))
	Label("widen")
	ones := s.vec()
	VMOVUPS(onesWords, ones)
	for r := range a {
		for j, v := range words[r] {
			VPMADDWD(ones, v, v)
			VPADDD(v, a[r][j], a[r][j])
		}
	}
	DECQ(groups)
	JNZ(LabelRef("group"))
	ADDQ(Imm(8), runs)
	JMP(LabelRef("run"))
	Label("summed")
}

// add adds the next quad of every row to words, or makes words of it.
func (groupedForm) add(s *isa, p []reg.GPVirtual, b, order reg.Register, words acc, first bool) {
	at := GP64()
	MOVLQSX(Mem{Base: order}, at)
	ADDQ(Imm(4), order)
	w := line(s, Mem{Base: b}, len(words[0]), s.bytes)
	ADDQ(Imm(uint64(s.bytes*len(w))), b)
	for r := range p {
		x := s.vec()
		VPBROADCASTD(Mem{Base: p[r], Index: at, Scale: 1}, x)
		for j := range w {
			if first {
				VPMADDUBSW(w[j], x, words[r][j])
				continue
			}
			v := s.vec()
			VPMADDUBSW(w[j], x, v)
			VPADDW(v, words[r][j], words[r][j])
		}
	}
}

// sources points at the first element of every row.
func sources(t reg.Register, rows int) []reg.GPVirtual {
	list, src := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: offRows}, list)
	MOVQ(Mem{Base: t, Disp: offSrc}, src)
	p := make([]reg.GPVirtual, rows)
	for r := range p {
		p[r] = GP64()
		MOVLQSX(Mem{Base: list, Disp: 4 * r}, p[r])
		ADDQ(src, p[r])
	}
	return p
}
