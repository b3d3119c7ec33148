package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"pare-asm/vec"
)

// mappedBytes looks up bytes by permutations of both halves of the table.
func mappedBytes() {
	TEXT("mapCodesBytesAVX512", NOSPLIT, "func(dst, src []uint8, values *byte)")
	Doc("mapCodesBytesAVX512 looks up every code of src.")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	src := Load(Param("src").Base(), GP64())
	values := Load(Param("values"), GP64())
	table := vec.AVX512.Group(4)
	for k, t := range table {
		VMOVUPS(Mem{Base: values, Disp: 64 * k}, t)
	}
	i, there, upper := GP64(), K(), K()
	XORQ(i, i)
	look := func(x vec.Reg) vec.Reg {
		lo := ZMM()
		VMOVUPS(x, lo)
		VPMOVB2M(x, upper)
		VPERMI2B(table[1], table[0], lo)
		VPERMI2B(table[3], table[2], x)
		VMOVDQU8(x, upper, lo)
		return lo
	}
	Label("loop")
	SUBQ(Imm(64), n)
	JL(LabelRef("rest"))
	x := ZMM()
	VMOVUPS(Mem{Base: src, Index: i, Scale: 1}, x)
	VMOVUPS(look(x), Mem{Base: dst, Index: i, Scale: 1})
	ADDQ(Imm(64), i)
	JMP(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(64), n)
	JZ(LabelRef("done"))
	bits := GP64()
	MOVQ(I32(-1), bits)
	BZHIQ(n, bits, bits)
	KMOVQ(bits, there)
	x = ZMM()
	VMOVDQU8_Z(Mem{Base: src, Index: i, Scale: 1}, there, x)
	VMOVDQU8(look(x), there, Mem{Base: dst, Index: i, Scale: 1})
	Label("done")
	VZEROUPPER()
	RET()
}

// Offsets in kernel.sumArgs.
const (
	offSums    = 0
	offSumSrc  = 24
	offSumRows = 48
	offStride  = 56
)

// sums adds up columns of at most 256 rows in words. Columns pass by two vectors;
// the last ones overlap those before.
func sums(s vec.Set) {
	TEXT("sumCodes"+s.Name, NOSPLIT, "func(a *byte)")
	Doc("sumCodes" + s.Name + " adds up columns of codes, of which there are as many as two vectors of words hold.")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	to, src, n := GP64(), GP64(), GP64()
	MOVQ(Mem{Base: a, Disp: offSums}, to)
	MOVQ(Mem{Base: a, Disp: offSums + 8}, n)
	MOVQ(Mem{Base: a, Disp: offSumSrc}, src)
	width := 4 * s.Lanes
	SUBQ(Imm(uint64(width)), n) // the first column of the last block
	c, p, rows := GP64(), GP64(), GP64()
	XORQ(c, c)

	Label("block")
	LEAQ(Mem{Base: src, Index: c, Scale: 1}, p)
	MOVQ(Mem{Base: a, Disp: offSumRows}, rows)
	total := []vec.Reg{s.Zero(), s.Zero()}
	Label("row")
	for i, t := range total {
		x := s.New()
		VPMOVZXBW(Mem{Base: p, Disp: 2 * s.Lanes * i}, x)
		VPADDW(x, t, t)
	}
	ADDQ(Mem{Base: a, Disp: offStride}, p)
	DECQ(rows)
	JNZ(LabelRef("row"))
	for i, t := range total {
		upper := s.New()
		if s.Wide() {
			VEXTRACTI64X4(Imm(1), t, upper.AsY())
			VPMOVZXWD(t.AsY(), t)
			VPMOVZXWD(upper.AsY(), upper)
		} else {
			VEXTRACTI128(Imm(1), t, upper.AsX())
			VPMOVZXWD(t.AsX(), t)
			VPMOVZXWD(upper.AsX(), upper)
		}
		for j, v := range []vec.Reg{t, upper} {
			VMOVUPS(v, Mem{Base: to, Index: c, Scale: 4, Disp: (2*i + j) * s.Bytes()})
		}
	}
	CMPQ(c, n)
	JGE(LabelRef("done"))
	ADDQ(Imm(uint64(width)), c)
	CMPQ(c, n)
	CMOVQGT(n, c)
	JMP(LabelRef("block"))
	Label("done")
	VZEROUPPER()
	RET()
}
