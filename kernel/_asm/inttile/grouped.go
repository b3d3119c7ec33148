package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var grouped = isa{"Grouped", "AVX2", 32, 4, YMM, groupedForm{}, finish2, false}

// groupedForm adds groups of quads in 16 bits, which the packer has seen to fit,
// and widens every group once. Quads come in the panel's order, and their bytes in
// that of the run.
type groupedForm struct{}

func (groupedForm) begin(s *isa, t reg.Register, a acc) { start(s, t, a) }
func (groupedForm) quad(*isa, []Mem, Mem, acc)          {}
func (groupedForm) step(*isa, acc)                      {}
func (groupedForm) end(*isa, acc)                       {}

// sum emits the loops over runs of groups, groups and quads.
func (groupedForm) sum(s *isa, t reg.Register, a acc) {
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
	g := groupLoop{s, p, b, order, runs, a, words}

	Label("run")
	groups, pairing := GP64(), GP64()
	MOVLQSX(Mem{Base: runs, Disp: 4}, groups)
	TESTQ(groups, groups)
	JZ(LabelRef("summed"))
	MOVQ(Mem{Base: runs, Disp: 8}, pairing)
	TESTQ(pairing, pairing)
	JNZ(LabelRef("pairedgroup"))
	g.emit("", groups, nil)
	Label("nextrun")
	ADDQ(Imm(16), runs)
	JMP(LabelRef("run"))
	g.emit("paired", groups, pairing)
	JMP(LabelRef("nextrun"))
	Label("summed")
}

// groupLoop is where the loop over the groups of a run finds what it needs.
type groupLoop struct {
	s              *isa
	p              []reg.GPVirtual
	b, order, runs reg.Register
	a, words       acc
}

// emit emits the loop over groups, of quads whose bytes are shuffled by pairing
// unless that is nil.
func (g *groupLoop) emit(name string, groups, pairing reg.Register) {
	left := GP64()
	Label(name + "group")
	MOVLQSX(Mem{Base: g.runs}, left)
	g.add(pairing, true)
	DECQ(left)
	JZ(LabelRef(name + "widen"))
	Label(name + "quad")
	g.add(pairing, false)
	DECQ(left)
	JNZ(LabelRef(name + "quad"))
	Label(name + "widen")
	ones := g.s.vec()
	VMOVUPS(onesWords, ones)
	for r := range g.a {
		for j, v := range g.words[r] {
			VPMADDWD(ones, v, v)
			VPADDD(v, g.a[r][j], g.a[r][j])
		}
	}
	DECQ(groups)
	JNZ(LabelRef(name + "group"))
}

// add adds the next quad of every row to words, or makes words of it.
func (g *groupLoop) add(pairing reg.Register, first bool) {
	s, p, b, order, words := g.s, g.p, g.b, g.order, g.words
	at := GP64()
	MOVLQSX(Mem{Base: order}, at)
	ADDQ(Imm(4), order)
	w := line(s, Mem{Base: b}, len(words[0]), s.bytes)
	ADDQ(Imm(uint64(s.bytes*len(w))), b)
	for r := range p {
		x := s.vec()
		VPBROADCASTD(Mem{Base: p[r], Index: at, Scale: 1}, x)
		if pairing != nil {
			VPSHUFB(Mem{Base: pairing}, x, x)
		}
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
