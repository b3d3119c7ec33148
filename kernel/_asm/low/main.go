// Command low generates the products of few rows of bytes with matrices whose
// weights are codes of 2, 4 or 8 bits, expanded on the way to the multiplier.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pare-asm/vec"
)

// Offsets in kernel.lowArgs.
const (
	offSrc    = 0
	offLDS    = 8
	offB      = 16
	offLevels = 24
	offSums   = 32
	offSteps  = 40
	offBlocks = 48
	offFlush  = 56
	offNear   = 64 // three
)

// ahead is how far before their use weights are fetched, in bytes.
const ahead = 4096

// tile is one routine: m rows, two vectors of columns, codes of some bits.
type tile struct {
	vec.Set
	m, bits int
	// each widens the sums of AVX2 line by line, for levels of which 16 bits hold
	// no more; otherwise it does so after turns of several lines.
	each bool

	levels, mask, ones reg.VecVirtual
	src                []reg.GPVirtual
	idx, b, sums, left reg.GPVirtual
	near               []reg.GPVirtual
	acc                [][2]reg.VecVirtual
	args               reg.Register
}

// whole tiles keep sums of 32 bits in registers.
func (g *tile) whole() bool { return g.Wide() || g.each }

// width is the columns of a panel.
func (g *tile) width() int { return 2 * g.Lanes }

// quads is how many quads a step takes.
func (g *tile) quads() int { return max(1, 4/g.bits) }

// lineBytes is how many bytes of the panel a step takes.
func (g *tile) lineBytes() int { return g.width() * 4 * g.quads() * g.bits / 8 }

func (g *tile) emit() {
	name := fmt.Sprintf("low%dx%d%s", g.bits, g.m, g.Name)
	if g.each {
		name = fmt.Sprintf("low%dx%dEach%s", g.bits, g.m, g.Name)
	}
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(fmt.Sprintf("%s adds products of %d rows with codes of %d bits.", name, g.m, g.bits))
	Pragma("noescape")
	g.args = Load(Param("a"), GP64())
	g.load()
	Label("block")
	g.begin()
	Label("turn")
	g.turn()
	g.steps()
	g.end()
	ADDQ(U32(uint32(8*g.Lanes*g.m)), g.sums)
	DECQ(Mem{Base: g.args, Disp: offBlocks})
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// load reads the arguments.
func (g *tile) load() {
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: g.args, Disp: off}, r)
		return r
	}
	g.b, g.sums, g.idx, g.left = field(offB), field(offSums), GP64(), GP64()
	lds := field(offLDS)
	g.src = []reg.GPVirtual{field(offSrc)}
	for r := 1; r < g.m; r++ {
		next := GP64()
		LEAQ(Mem{Base: g.src[r-1], Index: lds, Scale: 1}, next)
		g.src = append(g.src, next)
	}
	for i := range 3 {
		g.near = append(g.near, field(offNear+8*i))
	}
	XORQ(g.idx, g.idx)
	if g.bits < 8 {
		g.levels = g.New()
		at := field(offLevels)
		if g.Wide() {
			VBROADCASTI32X4(Mem{Base: at}, g.levels)
		} else {
			VBROADCASTI128(Mem{Base: at}, g.levels)
		}
		g.mask = g.Bits([]uint32{2: 0x03030303, 4: 0x0f0f0f0f}[g.bits])
	}
	if g.each {
		g.ones = g.Bits(0x00010001)
	}
	g.acc = make([][2]reg.VecVirtual, g.m)
	for r := range g.acc {
		g.acc[r] = [2]reg.VecVirtual{g.New(), g.New()}
	}
}

// begin clears the sums of a block and fetches what is read once they are there.
func (g *tile) begin() {
	for _, p := range g.near {
		for at := 0; at < 4*g.width(); at += 64 {
			PREFETCHT0(Mem{Base: p, Disp: at})
		}
		ADDQ(U32(uint32(4*g.width())), p)
	}
	if g.whole() {
		g.clear()
		return
	}
	zero := g.Zero()
	for i := range 2 * g.m {
		VMOVDQU(zero, Mem{Base: g.sums, Disp: 32 * i})
	}
	MOVQ(Mem{Base: g.args, Disp: offSteps}, reg.RAX)
}

func (g *tile) clear() {
	for _, a := range g.acc {
		for _, v := range a {
			VPXOR(v.AsX(), v.AsX(), v.AsX())
		}
	}
}

// turn sets how many steps follow before sums are widened: AVX2 adds them up in
// 16 bits and keeps those of 32 bits in memory; RAX counts the steps left.
func (g *tile) turn() {
	if g.whole() {
		MOVQ(Mem{Base: g.args, Disp: offSteps}, g.left)
		return
	}
	g.clear()
	MOVQ(Mem{Base: g.args, Disp: offFlush}, g.left)
	CMPQ(g.left, reg.RAX)
	CMOVQGT(reg.RAX, g.left)
	SUBQ(g.left, reg.RAX)
}

// steps multiplies lines of the panel, two at a time.
func (g *tile) steps() {
	SUBQ(Imm(2), g.left)
	JLT(LabelRef("odd"))
	Label("pair")
	PREFETCHT0(Mem{Base: g.b, Disp: ahead})
	if g.lineBytes() > 32 {
		PREFETCHT0(Mem{Base: g.b, Disp: ahead + 64})
	}
	g.step(0)
	g.step(1)
	g.advance(2)
	SUBQ(Imm(2), g.left)
	JGE(LabelRef("pair"))
	Label("odd")
	ADDQ(Imm(2), g.left)
	JZ(LabelRef("even"))
	g.step(0)
	g.advance(1)
	Label("even")
}

func (g *tile) advance(lines int) {
	ADDQ(Imm(uint64(4*lines*g.quads())), g.idx)
	ADDQ(U32(uint32(lines*g.lineBytes())), g.b)
}

// step multiplies a line of the panel.
func (g *tile) step(line int) {
	for q := range g.quads() {
		w := g.expand(Mem{Base: g.b, Disp: line * g.lineBytes()}, q)
		for r, src := range g.src {
			x := g.New()
			VPBROADCASTD(Mem{Base: src, Index: g.idx, Scale: 1, Disp: 4 * (line*g.quads() + q)}, x)
			for j := range w {
				if g.Wide() {
					VPDPBUSD(w[j], x, g.acc[r][j])
					continue
				}
				t := g.New()
				VPMADDUBSW(w[j], x, t)
				if g.each {
					VPMADDWD(g.ones, t, t)
					VPADDD(t, g.acc[r][j], g.acc[r][j])
					continue
				}
				VPADDW(t, g.acc[r][j], g.acc[r][j])
			}
		}
	}
}

// expand returns the two vectors of weights of quad q of the line at b.
func (g *tile) expand(b Mem, q int) [2]reg.VecVirtual {
	var w [2]reg.VecVirtual
	for j := range w {
		w[j] = g.New()
		if g.bits == 8 {
			VMOVUPS(b.Offset(g.Bytes()*j), w[j])
			continue
		}
		shift := uint64(g.bits * (2*q + j))
		if shift == 0 {
			g.and(b, w[j])
		} else {
			VMOVUPS(b, w[j])
			VPSRLW(Imm(shift), w[j], w[j])
			g.and(w[j], w[j])
		}
		VPSHUFB(w[j], g.levels, w[j])
	}
	return w
}

func (g *tile) and(from, to Op) {
	if g.Wide() {
		VPANDD(from, g.mask, to)
		return
	}
	VPAND(from, g.mask, to)
}

// end stores the sums of a block, or what a turn adds to them.
func (g *tile) end() {
	if g.whole() {
		for r, a := range g.acc {
			for j, v := range a {
				VMOVUPS(v, Mem{Base: g.sums, Disp: g.Bytes() * (2*r + j)})
			}
		}
		return
	}
	one := g.Bits(0x00010001)
	for r, a := range g.acc {
		for j, v := range a {
			at := Mem{Base: g.sums, Disp: 32 * (2*r + j)}
			VPMADDWD(one, v, v)
			VPADDD(at, v, v)
			VMOVDQU(v, at)
		}
	}
	TESTQ(reg.RAX, reg.RAX)
	JNZ(LabelRef("turn"))
}

func main() {
	ConstraintExpr("!noasm")
	for _, bits := range []int{2, 4, 8} {
		for m := 1; m <= 6; m++ {
			(&tile{Set: vec.AVX512, m: m, bits: bits}).emit()
			if m <= 3 {
				if bits < 8 {
					(&tile{Set: vec.AVX2, m: m, bits: bits}).emit()
				}
				(&tile{Set: vec.AVX2, m: m, bits: bits, each: true}).emit()
			}
		}
	}
	for _, s := range vec.Sets {
		worth(s)
	}
	Generate()
}
