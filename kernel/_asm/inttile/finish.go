package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// ends emits the arithmetic between int32 sums and what is stored, and the
// branches to the kinds of store. load reads bytes as int32, wide a vector of
// floats; both stay within the columns that are there.
type ends struct {
	vec   func() reg.VecVirtual
	load  func(m Mem, j int, to reg.VecVirtual)
	wide  func(m Mem, j int, to reg.VecVirtual)
	bytes int
	// sums stores vectors of 32 bits, codes int32 as bytes.
	sums  func(p reg.Register, row []reg.VecVirtual)
	codes func(p reg.Register, a acc, next func(r int))
}

func (e *ends) emit(t reg.Register, a acc) {
	CMPQ(Mem{Base: t, Disp: offStore}, Imm(storeSums))
	JE(LabelRef("store"))
	e.scale(t, a)
	e.residual(t, a)
	e.shift(t, a)
	CMPQ(Mem{Base: t, Disp: offStore}, Imm(storeFloat))
	JE(LabelRef("store"))

	zero := e.broadcast(t, offZero)
	e.each(a, func(v reg.VecVirtual) {
		VCVTPS2DQ(v, v)
		VPADDD(zero, v, v)
	})
	p, next := e.walk(t, a, offC, offLDC)
	e.codes(p, a, next)
	JMP(LabelRef("next"))

	Label("store")
	p, next = e.walk(t, a, offC, offLDC)
	for r := range a {
		e.sums(p, a[r])
		next(r)
	}
	JMP(LabelRef("next"))
}

// scale turns sums into floats and multiplies them.
func (e *ends) scale(t reg.Register, a acc) {
	p := GP64()
	MOVQ(Mem{Base: t, Disp: offMul}, p)
	for j := range a[0] {
		v := e.vec()
		e.wide(Mem{Base: p, Disp: j * e.bytes}, j, v)
		for r := range a {
			VCVTDQ2PS(a[r][j], a[r][j])
			VMULPS(v, a[r][j], a[r][j])
		}
	}
}

// residual adds codes of another tensor, multiplied.
func (e *ends) residual(t reg.Register, a acc) {
	CMPQ(Mem{Base: t, Disp: offRes}, Imm(0))
	JE(LabelRef("add"))
	m := e.broadcast(t, offResMul)
	p, next := e.walk(t, a, offRes, offLDR)
	for r := range a {
		for j := range a[r] {
			v := e.vec()
			e.load(Mem{Base: p, Disp: j * e.bytes / 4}, j, v)
			VCVTDQ2PS(v, v)
			VMULPS(m, v, v)
			VADDPS(v, a[r][j], a[r][j])
		}
		next(r)
	}
	Label("add")
}

// shift adds the bias and clamps.
func (e *ends) shift(t reg.Register, a acc) {
	p := GP64()
	MOVQ(Mem{Base: t, Disp: offAdd}, p)
	for j := range a[0] {
		v := e.vec()
		e.wide(Mem{Base: p, Disp: j * e.bytes}, j, v)
		for r := range a {
			VADDPS(v, a[r][j], a[r][j])
		}
	}
	lo, hi := e.broadcast(t, offLo), e.broadcast(t, offHi)
	e.each(a, func(v reg.VecVirtual) {
		// The bound stands second (Intel order): NaN becomes the lower one.
		VMAXPS(lo, v, v)
		VMINPS(hi, v, v)
	})
}

func (e *ends) each(a acc, f func(v reg.VecVirtual)) {
	for _, row := range a {
		for _, v := range row {
			f(v)
		}
	}
}

func (e *ends) broadcast(t reg.Register, off int) reg.VecVirtual {
	v := e.vec()
	VBROADCASTSS(Mem{Base: t, Disp: off}, v)
	return v
}

// walk returns a pointer to the first row and what moves it to the next.
func (e *ends) walk(t reg.Register, a acc, at, stride int) (reg.Register, func(r int)) {
	p, ld := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: at}, p)
	MOVQ(Mem{Base: t, Disp: stride}, ld)
	return p, func(r int) {
		if r < len(a)-1 {
			ADDQ(ld, p)
		}
	}
}

// finish512 masks all accesses but the stores of bytes of whole tiles, which
// are slow when masked.
func finish512(t reg.Register, a acc) {
	nv := len(a[0])
	n, bits := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: offN}, n)
	MOVQ(I32(-1), bits)
	BZHIQ(n, bits, bits)
	all := K()
	KMOVD(bits.As32(), all)
	k := make([]reg.OpmaskVirtual, nv)
	for j := range k {
		k[j] = K()
		KMOVW(bits.As32(), k[j])
		SHRQ(Imm(16), bits)
	}
	e := ends{vec: ZMM, bytes: 64,
		load: func(m Mem, j int, to reg.VecVirtual) { VPMOVZXBD_Z(m, k[j], to) },
		wide: func(m Mem, j int, to reg.VecVirtual) { VMOVUPS_Z(m, k[j], to) },
		sums: func(p reg.Register, row []reg.VecVirtual) {
			for j, v := range row {
				VMOVUPS(v, k[j], Mem{Base: p, Disp: 64 * j})
			}
		},
		codes: func(p reg.Register, a acc, next func(int)) {
			CMPQ(n, U32(16*nv))
			JNE(LabelRef("masked"))
			for r := range a {
				VMOVUPS(join(a[r]), Mem{Base: p})
				next(r)
			}
			JMP(LabelRef("next"))
			Label("masked")
			for r := range a {
				VMOVDQU8(join(a[r]), all, Mem{Base: p})
				next(r)
			}
		},
	}
	e.emit(t, a)
}

// join narrows one or two vectors to bytes of one register, the first.
func join(row []reg.VecVirtual) reg.Register {
	lo := row[0]
	VPMOVDB(lo, lo.AsX())
	if len(row) == 1 {
		return lo.AsX()
	}
	VPMOVDB(row[1], row[1].AsX())
	VINSERTI32X4(Imm(1), row[1].AsX(), lo.AsY(), lo.AsY())
	return lo.AsY()
}

// finish2 writes whole tiles: AVX2 cannot mask bytes, so the driver lends
// buffers where columns are missing.
func finish2(t reg.Register, a acc) {
	e := ends{vec: YMM, bytes: 32,
		load: func(m Mem, _ int, to reg.VecVirtual) { VPMOVZXBD(m, to) },
		wide: func(m Mem, _ int, to reg.VecVirtual) { VMOVUPS(m, to) },
		sums: func(p reg.Register, row []reg.VecVirtual) {
			for j, v := range row {
				VMOVUPS(v, Mem{Base: p, Disp: 32 * j})
			}
		},
		codes: func(p reg.Register, a acc, next func(int)) {
			for r, row := range a {
				store8(row, Mem{Base: p})
				next(r)
			}
		},
	}
	e.emit(t, a)
}

// store8 writes int32 of 0..255 as bytes.
func store8(row []reg.VecVirtual, to Mem) {
	hi := XMM()
	if len(row) == 1 {
		VEXTRACTI128(Imm(1), row[0], hi)
		VPACKSSDW(hi, row[0].AsX(), hi)
		VPACKUSWB(hi, hi, hi)
		VMOVQ(hi, to)
		return
	}
	v := YMM()
	VPACKSSDW(row[1], row[0], v)
	VPERMQ(Imm(0xd8), v, v)
	VEXTRACTI128(Imm(1), v, hi)
	VPACKUSWB(hi, v.AsX(), hi)
	VMOVDQU(hi, to)
}
