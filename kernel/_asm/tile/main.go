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
			acc[r] = append(acc[r], s.part(left))
		}
	}
	start(s, t, width, acc)
	sum(s, t, acc, 4*width, walk)
	finish(s, width, acc)

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

// start emits the first values of the sums: the bias, or zero.
func start(s isa, t reg.Register, width int, acc [][]reg.VecVirtual) {
	bias, n := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: offBias}, bias)
	TESTQ(bias, bias)
	JZ(LabelRef("zero"))
	MOVQ(Mem{Base: t, Disp: offN}, n)
	spread := func(k mask) {
		for j, v := range acc[0] {
			k.load(Mem{Base: bias, Disp: j * s.bytes}, j, v)
			for _, row := range acc[1:] {
				VMOVAPS(v, row[j])
			}
		}
		JMP(LabelRef("sum"))
	}
	CMPQ(n, U32(width))
	JNE(LabelRef("narrow"))
	spread(mask{})
	Label("narrow")
	spread(s.mask(n, len(acc[0])))
	Label("zero")
	for _, row := range acc {
		for _, v := range row {
			if s.bytes == 64 {
				VPXORD(v, v, v)
			} else {
				VXORPS(v, v, v)
			}
		}
	}
	Label("sum")
}

// finish emits residual, clamp and store, for all columns and for some.
func finish(s isa, width int, acc [][]reg.VecVirtual) {
	Label("finish")
	t := Load(Param("t"), GP64())
	n := GP64()
	MOVQ(Mem{Base: t, Disp: offN}, n)
	CMPQ(n, U32(width))
	JNE(LabelRef("partial"))
	end(s, t, acc, "_full", func() mask { return mask{} })
	JMP(LabelRef("next"))
	Label("partial")
	end(s, t, acc, "_partial", func() mask { return s.mask(n, len(acc[0])) })
}

// unclamped are the bits of the bounds -Inf and Inf side by side.
const unclamped = 0x7f800000_ff800000

// end emits one of both. Masks are made where they are needed, since the
// accumulators leave AVX2 few registers.
func end(s isa, t reg.Register, acc [][]reg.VecVirtual, suffix string, some func() mask) {
	p, ld := GP64(), GP64()
	rows := func(base, stride int, f func(row []reg.VecVirtual)) {
		MOVQ(Mem{Base: t, Disp: base}, p)
		MOVQ(Mem{Base: t, Disp: stride}, ld)
		SHLQ(Imm(2), ld)
		for r, row := range acc {
			f(row)
			if r < len(acc)-1 {
				ADDQ(ld, p)
			}
		}
	}
	CMPQ(Mem{Base: t, Disp: offRes}, Imm(0))
	JE(LabelRef("clamp" + suffix))
	k := some()
	rows(offRes, offLDR, func(row []reg.VecVirtual) {
		for j, a := range row {
			v := s.part(int(a.Size()))
			k.load(Mem{Base: p, Disp: j * s.bytes}, j, v)
			VADDPS(v, a, a)
		}
	})

	Label("clamp" + suffix)
	bounds := GP64()
	MOVQ(U64(unclamped), bounds)
	CMPQ(bounds, Mem{Base: t, Disp: offLo})
	JE(LabelRef("store" + suffix))
	lo, hi := s.vec(), s.vec()
	VBROADCASTSS(Mem{Base: t, Disp: offLo}, lo)
	VBROADCASTSS(Mem{Base: t, Disp: offHi}, hi)
	for _, row := range acc {
		for _, a := range row {
			// The sum stands second (Intel order), so that NaN passes.
			VMAXPS(a, like(lo, a), a)
			VMINPS(a, like(hi, a), a)
		}
	}

	Label("store" + suffix)
	k = some()
	rows(offC, offLDC, func(row []reg.VecVirtual) {
		for j, a := range row {
			k.store(a, j, Mem{Base: p, Disp: j * s.bytes})
		}
	})
}

// mask limits accesses to the columns that there are; the zero mask limits none.
type mask struct {
	k []reg.OpmaskVirtual
	v []reg.VecVirtual
}

// mask is that of n columns in nv registers.
func (s isa) mask(n reg.Register, nv int) (m mask) {
	bits := GP64()
	if s.bytes == 64 {
		MOVQ(U32(1), bits)
		SHLXQ(n, bits, bits)
		DECQ(bits)
		for range nv {
			k := K()
			KMOVW(bits.As32(), k)
			SHRQ(Imm(16), bits)
			m.k = append(m.k, k)
		}
		return m
	}
	table := GP64()
	LEAQ(laneMasks, table)
	MOVQ(U32(16), bits)
	SUBQ(n, bits)
	for j := range nv {
		v := YMM()
		VMOVUPS(Mem{Base: table, Index: bits, Scale: 4, Disp: 32 * j}, v)
		m.v = append(m.v, v)
	}
	return m
}

func (m mask) load(from Mem, j int, v reg.VecVirtual) {
	switch {
	case m.k != nil:
		VMOVUPS_Z(from, m.k[j], v)
	case m.v != nil:
		VMASKMOVPS(from, m.v[j], v)
	default:
		VMOVUPS(from, v)
	}
}

func (m mask) store(v reg.VecVirtual, j int, to Mem) {
	switch {
	case m.k != nil:
		VMOVUPS(v, m.k[j], to)
	case m.v != nil:
		VMASKMOVPS(v, m.v[j], to)
	default:
		VMOVUPS(v, to)
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
