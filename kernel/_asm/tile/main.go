// Command tile generates the matrix micro-kernels: every number of rows up to
// the tile's, for panels of full and half width, for AVX-512 and AVX2.
//
// Each row of the tile has a pointer of its own, so that its pixels may lie
// anywhere; twelve of them, an index, the panel and what comes after it fill the
// general registers, which is why the walk over segments lives on the stack.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in kernel.tileArgs.
const (
	offSrc   = 0
	offRows  = 24
	offSegs  = 48
	offNSegs = 56
	offB     = 72
	offC     = 96
	offBias  = 120
	offRes   = 144
	offLDC   = 168
	offLDR   = 176
	offN     = 184
	offLo    = 192
	offHi    = 196
	offTiles = 200
	offAhead = 208
)

// isa is what differs between the two instruction sets.
type isa struct {
	name  string
	bytes int // of a vector register
	vec   func() reg.VecVirtual
}

var (
	avx512 = isa{"AVX512", 64, ZMM}
	avx2   = isa{"AVX2", 32, YMM}
)

// part returns a register for so many bytes or, if they fill one, a whole one.
func (s isa) part(bytes int) reg.VecVirtual {
	if s.bytes == 64 && bytes <= 32 {
		return YMM()
	}
	return s.vec()
}

// like is v in the width of another register.
func like(v, other reg.VecVirtual) reg.Register {
	if other.Size() == 32 {
		return v.AsY()
	}
	return v
}

// kernel emits a tile of m rows and width columns. A last half register is taken
// as a narrower one.
func kernel(s isa, width, m int) {
	name := fmt.Sprintf("tile%dx%d%s", m, width, s.name)
	TEXT(name, NOSPLIT, "func(t *byte)")
	Doc(fmt.Sprintf("%s computes tiles of %d rows and %d columns.", name, m, width))
	Pragma("noescape")
	local := AllocLocal(24)
	walk := segments{local, local.Offset(8), local.Offset(16)}

	Label("tile")
	t := Load(Param("t"), GP64())
	acc := make([][]reg.VecVirtual, m)
	for r := range acc {
		for left := 4 * width; left > 0; left -= s.bytes {
			v := s.part(left)
			if s.bytes == 64 {
				VPXORD(v, v, v)
			} else {
				VXORPS(v, v, v)
			}
			acc[r] = append(acc[r], v)
		}
	}
	sum(s, t, acc, 4*width, walk)
	finish(s, acc)

	Label("next")
	t = Load(Param("t"), GP64())
	DECQ(Mem{Base: t, Disp: offTiles})
	JZ(LabelRef("done"))
	ADDQ(U32(4*m), Mem{Base: t, Disp: offRows})
	for _, f := range [][2]int{{offC, offLDC}, {offRes, offLDR}} {
		x := GP64()
		MOVQ(Mem{Base: t, Disp: f[1]}, x)
		IMUL3Q(U32(4*m), x, x)
		// A residual that is not there must stay so.
		if f[0] == offRes {
			CMPQ(Mem{Base: t, Disp: offRes}, Imm(0))
			JE(LabelRef("tile"))
		}
		ADDQ(x, Mem{Base: t, Disp: f[0]})
	}
	JMP(LabelRef("tile"))

	Label("done")
	VZEROUPPER()
	RET()
}

// segments is the walk over segments: the next one, how many are left, and where
// this one ends.
type segments struct{ next, left, end Mem }

// sum emits the loops over segments and k, whose lines have line bytes. What
// follows the block is fetched into the second cache on the way.
func sum(s isa, t reg.Register, acc [][]reg.VecVirtual, line int, walk segments) {
	m, nv := len(acc), len(acc[0])
	x := GP64()
	MOVQ(Mem{Base: t, Disp: offNSegs}, x)
	TESTQ(x, x)
	JZ(LabelRef("finish"))
	MOVQ(x, walk.left)
	MOVQ(Mem{Base: t, Disp: offSegs}, x)
	MOVQ(x, walk.next)

	b, idx, ahead := GP64(), GP64(), GP64()
	rows, src := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: offB}, b)
	MOVQ(Mem{Base: t, Disp: offRows}, rows)
	MOVQ(Mem{Base: t, Disp: offSrc}, src)
	p := make([]reg.GPVirtual, m)
	// The last two pointers take the place of rows and src.
	for r := range p {
		p[r] = GP64()
		switch {
		case r == m-1:
			MOVLQSX(Mem{Base: rows, Disp: 4 * r}, rows)
			LEAQ(Mem{Base: src, Index: rows, Scale: 4}, p[r])
		default:
			MOVLQSX(Mem{Base: rows, Disp: 4 * r}, p[r])
			LEAQ(Mem{Base: src, Index: p[r], Scale: 4}, p[r])
		}
	}

	Label("segment")
	MOVQ(walk.next, idx)
	ADDQ(Imm(16), walk.next)
	MOVQ(Mem{Base: idx, Disp: 8}, ahead)
	MOVQ(Mem{Base: idx}, idx)
	ADDQ(idx, ahead)
	MOVQ(ahead, walk.end)
	ahead = Load(Param("t"), ahead).(reg.GPVirtual)
	MOVQ(Mem{Base: ahead, Disp: offAhead}, ahead)

	Label("k")
	bv := make([]reg.VecVirtual, nv)
	for j := range bv {
		bv[j] = s.part(line - j*s.bytes)
		VMOVUPS(Mem{Base: b, Disp: j * s.bytes}, bv[j])
	}
	for r := range acc {
		at := Mem{Base: p[r], Index: idx, Scale: 4}
		if nv == 1 && s.bytes == 64 {
			VFMADD231PS_BCST(at, bv[0], acc[r][0])
			continue
		}
		v := s.vec()
		VBROADCASTSS(at, v)
		for j := range bv {
			VFMADD231PS(bv[j], like(v, bv[j]), acc[r][j])
		}
	}
	for j := 0; j < line; j += 64 {
		PREFETCHT1(Mem{Base: b, Index: ahead, Scale: 1, Disp: j})
	}
	ADDQ(U32(line), b)
	INCQ(idx)
	CMPQ(idx, walk.end)
	JNE(LabelRef("k"))
	DECQ(walk.left)
	JNZ(LabelRef("segment"))
}

// finish emits bias, residual, clamp and store.
func finish(s isa, acc [][]reg.VecVirtual) {
	Label("finish")
	t := Load(Param("t"), GP64())
	n := GP64()
	MOVQ(Mem{Base: t, Disp: offN}, n)
	if s.bytes == 64 {
		finish512(t, n, acc)
		return
	}
	CMPQ(n, U32(8*len(acc[0])))
	JNE(LabelRef("partial"))
	finish2(t, n, acc, false)
	JMP(LabelRef("next"))
	Label("partial")
	finish2(t, n, acc, true)
}

// finish512 masks every access.
func finish512(t, n reg.Register, acc [][]reg.VecVirtual) {
	nv := len(acc[0])
	one := GP64()
	k := make([]reg.OpmaskVirtual, nv)
	MOVQ(U32(1), one)
	SHLXQ(n, one, one)
	DECQ(one)
	for j := range k {
		k[j] = K()
		KMOVW(one.As32(), k[j])
		SHRQ(Imm(16), one)
	}
	p, ld := GP64(), GP64()

	MOVQ(Mem{Base: t, Disp: offBias}, p)
	TESTQ(p, p)
	JZ(LabelRef("residual"))
	for j := range nv {
		v := like(ZMM(), acc[0][j])
		VMOVUPS_Z(Mem{Base: p, Disp: 64 * j}, k[j], v)
		for r := range acc {
			VADDPS(v, acc[r][j], acc[r][j])
		}
	}

	Label("residual")
	MOVQ(Mem{Base: t, Disp: offRes}, p)
	MOVQ(Mem{Base: t, Disp: offLDR}, ld)
	SHLQ(Imm(2), ld)
	TESTQ(p, p)
	JZ(LabelRef("clamp"))
	for r := range acc {
		for j := range nv {
			v := like(ZMM(), acc[r][j])
			VMOVUPS_Z(Mem{Base: p, Disp: 64 * j}, k[j], v)
			VADDPS(v, acc[r][j], acc[r][j])
		}
		if r < len(acc)-1 {
			ADDQ(ld, p)
		}
	}

	Label("clamp")
	lo, hi := ZMM(), ZMM()
	VBROADCASTSS(Mem{Base: t, Disp: offLo}, lo)
	VBROADCASTSS(Mem{Base: t, Disp: offHi}, hi)
	MOVQ(Mem{Base: t, Disp: offC}, p)
	MOVQ(Mem{Base: t, Disp: offLDC}, ld)
	SHLQ(Imm(2), ld)
	for r := range acc {
		for j := range nv {
			// The sum stands second (Intel order), so that NaN passes.
			VMAXPS(acc[r][j], like(lo, acc[r][j]), acc[r][j])
			VMINPS(acc[r][j], like(hi, acc[r][j]), acc[r][j])
			VMOVUPS(acc[r][j], k[j], Mem{Base: p, Disp: 64 * j})
		}
		if r < len(acc)-1 {
			ADDQ(ld, p)
		}
	}
}

// finish2 is the AVX2 form; partial tiles load masks where they need them,
// since the accumulators leave few registers.
func finish2(t, n reg.Register, acc [][]reg.VecVirtual, partial bool) {
	nv := len(acc[0])
	suffix := "_full"
	if partial {
		suffix = "_partial"
	}
	p, ld := GP64(), GP64()
	masks := func() []reg.VecVirtual {
		if !partial {
			return nil
		}
		table, k := GP64(), make([]reg.VecVirtual, nv)
		LEAQ(laneMasks, table)
		i := GP64()
		MOVQ(U32(16), i)
		SUBQ(n, i)
		for j := range k {
			k[j] = YMM()
			VMOVUPS(Mem{Base: table, Index: i, Scale: 4, Disp: 32 * j}, k[j])
		}
		return k
	}
	add := func(k []reg.VecVirtual, m Mem, j int, to ...reg.VecVirtual) {
		v := YMM()
		if partial {
			VMASKMOVPS(m, k[j], v)
		} else {
			VMOVUPS(m, v)
		}
		for _, a := range to {
			VADDPS(v, a, a)
		}
	}

	MOVQ(Mem{Base: t, Disp: offBias}, p)
	TESTQ(p, p)
	JZ(LabelRef("residual" + suffix))
	k := masks()
	for j := range nv {
		var to []reg.VecVirtual
		for r := range acc {
			to = append(to, acc[r][j])
		}
		add(k, Mem{Base: p, Disp: 32 * j}, j, to...)
	}

	Label("residual" + suffix)
	MOVQ(Mem{Base: t, Disp: offRes}, p)
	MOVQ(Mem{Base: t, Disp: offLDR}, ld)
	SHLQ(Imm(2), ld)
	TESTQ(p, p)
	JZ(LabelRef("clamp" + suffix))
	k = masks()
	for r := range acc {
		for j := range nv {
			add(k, Mem{Base: p, Disp: 32 * j}, j, acc[r][j])
		}
		if r < len(acc)-1 {
			ADDQ(ld, p)
		}
	}

	Label("clamp" + suffix)
	lo, hi := YMM(), YMM()
	VBROADCASTSS(Mem{Base: t, Disp: offLo}, lo)
	VBROADCASTSS(Mem{Base: t, Disp: offHi}, hi)
	for r := range acc {
		for j := range nv {
			VMAXPS(acc[r][j], lo, acc[r][j])
			VMINPS(acc[r][j], hi, acc[r][j])
		}
	}
	MOVQ(Mem{Base: t, Disp: offC}, p)
	MOVQ(Mem{Base: t, Disp: offLDC}, ld)
	SHLQ(Imm(2), ld)
	k = masks()
	for r := range acc {
		for j := range nv {
			if partial {
				VMASKMOVPS(acc[r][j], k[j], Mem{Base: p, Disp: 32 * j})
			} else {
				VMOVUPS(acc[r][j], Mem{Base: p, Disp: 32 * j})
			}
		}
		if r < len(acc)-1 {
			ADDQ(ld, p)
		}
	}
}

// laneMasks is sixteen words of ones and sixteen of zeros: from word 16-n on,
// the first n lanes are set.
var laneMasks Mem

func main() {
	ConstraintExpr("!noasm")
	laneMasks = GLOBL("tileLaneMasks", RODATA|NOPTR)
	for i := range 32 {
		v := uint32(0)
		if i < 16 {
			v = ^v
		}
		DATA(4*i, U32(v))
	}
	for m := 1; m <= 12; m++ {
		kernel(avx512, 32, m)
		kernel(avx512, 24, m)
		kernel(avx512, 16, m)
		kernel(avx2, 8, m)
		if m <= 6 {
			kernel(avx2, 16, m)
		}
	}
	Generate()
}
