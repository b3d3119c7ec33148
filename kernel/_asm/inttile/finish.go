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
	e.extra(t, a)
	e.mid(t, a)
	e.residual(t, a)
	e.shift(t, a)
	CMPQ(Mem{Base: t, Disp: offStore}, Imm(storeFloat))
	JE(LabelRef("raise"))
	p, next := e.walk(t, a, offC, offLDC)
	e.codes(p, a, next)
	JMP(LabelRef("next"))

	Label("raise")
	lo := e.broadcast(t, offLo)
	e.each(a, func(v reg.VecVirtual) {
		// The bound stands second (Intel order): NaN becomes the lower one.
		VMAXPS(lo, v, v)
	})
	Label("store")
	p, next = e.walk(t, a, offC, offLDC)
	for r := range a {
		e.sums(p, a[r])
		next(r)
	}
	JMP(LabelRef("next"))
}

// leaveSums stores whole lines of sums, whatever is asked for.
func leaveSums(t reg.Register, a acc) {
	p, next := (&ends{}).walk(t, a, offC, offLDC)
	for r := range a {
		for j, v := range a[r] {
			VMOVUPS(v, Mem{Base: p, Disp: j * int(v.Size())})
		}
		next(r)
	}
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

// extra adds floats, of which every row has as many as the tile has columns.
func (e *ends) extra(t reg.Register, a acc) {
	CMPQ(Mem{Base: t, Disp: offExtra}, Imm(0))
	JE(LabelRef("scaled"))
	p, next := e.walk(t, a, offExtra, offLDE)
	for r := range a {
		for j := range a[r] {
			VADDPS(Mem{Base: p, Disp: j * e.bytes}, a[r][j], a[r][j])
		}
		next(r)
	}
	Label("scaled")
}

// mid rounds to a grid between, where there is one.
func (e *ends) mid(t reg.Register, a acc) {
	CMPB(Mem{Base: t, Disp: offMid}, Imm(0))
	JE(LabelRef("residual"))
	e.add(t, a, offAdd)
	lo, hi, m := e.broadcast(t, offMidLo), e.broadcast(t, offMidHi), e.broadcast(t, offMidMul)
	e.each(a, func(v reg.VecVirtual) {
		// The bound stands second (Intel order): NaN becomes the lower one.
		VMAXPS(lo, v, v)
		VMINPS(hi, v, v)
		if e.bytes == 64 {
			VRNDSCALEPS(Imm(0), v, v)
		} else {
			VROUNDPS(Imm(0), v, v)
		}
		VMULPS(m, v, v)
	})
	Label("residual")
}

// add adds one number for each column.
func (e *ends) add(t reg.Register, a acc, off int) {
	p := GP64()
	MOVQ(Mem{Base: t, Disp: off}, p)
	for j := range a[0] {
		v := e.vec()
		e.wide(Mem{Base: p, Disp: j * e.bytes}, j, v)
		for r := range a {
			VADDPS(v, a[r][j], a[r][j])
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

// shift adds the bias and clamps above. Conversion to integers takes what lies
// below their range, and NaN, for the least of them; packing keeps that below
// all codes.
func (e *ends) shift(t reg.Register, a acc) {
	e.add(t, a, offLast)
	hi := e.broadcast(t, offHi)
	e.each(a, func(v reg.VecVirtual) {
		// The sum stands second (Intel order): NaN passes.
		VMINPS(v, hi, v)
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
			CMPQ(Mem{Base: t, Disp: offSteps}, Imm(0))
			JNE(LabelRef("look"))
			pack512(t, a)
			JMP(LabelRef("packed"))
			Label("look")
			look(t, a)
			Label("packed")
			CMPQ(n, U32(16*nv))
			JNE(LabelRef("masked"))
			rows(a, func(r int, bytes reg.Register) {
				VMOVUPS(bytes, Mem{Base: p})
				next(r)
			})
			JMP(LabelRef("next"))
			Label("masked")
			rows(a, func(r int, bytes reg.Register) {
				VMOVDQU8(bytes, all, Mem{Base: p})
				next(r)
			})
		},
	}
	e.emit(t, a)
}

// fours lists the vectors of all rows in groups of four.
func fours(a acc) [][]reg.VecVirtual {
	var groups [][]reg.VecVirtual
	var group []reg.VecVirtual
	for _, row := range a {
		if group = append(group, row...); len(group) == 4 {
			groups, group = append(groups, group), nil
		}
	}
	if group != nil {
		groups = append(groups, group)
	}
	return groups
}

// pack512 turns the vectors of every group of four into bytes, in the first of
// them and in their order.
func pack512(t reg.Register, a acc) {
	zero, least, order := ZMM(), ZMM(), ZMM()
	VPBROADCASTW(Mem{Base: t, Disp: offZero}, zero)
	VPBROADCASTB(Mem{Base: t, Disp: offLeast}, least)
	VMOVUPS(stepWords.Order, order)
	for _, g := range fours(a) {
		for _, v := range g {
			VCVTPS2DQ(v, v)
		}
		at := func(i int) reg.VecVirtual { return g[min(i, len(g)-1)] }
		VPACKSSDW(at(1), g[0], g[0])
		VPADDSW(zero, g[0], g[0])
		second := g[0]
		if len(g) > 2 {
			second = g[2]
			VPACKSSDW(at(3), g[2], g[2])
			VPADDSW(zero, g[2], g[2])
		}
		VPACKUSWB(second, g[0], g[0])
		VPERMD(g[0], order, g[0])
		VPMAXUB(least, g[0], g[0])
	}
}

// rows calls f with the packed bytes of every row.
func rows(a acc, f func(r int, bytes reg.Register)) {
	nv, r := len(a[0]), 0
	for _, g := range fours(a) {
		for i := 0; i < len(g); i += nv {
			switch {
			case nv == 2 && i == 0:
				f(r, g[0].AsY())
			case nv == 2:
				VEXTRACTI64X4(Imm(1), g[0], g[1].AsY())
				f(r, g[1].AsY())
			case i == 0:
				f(r, g[0].AsX())
			default:
				VEXTRACTI32X4(Imm(uint64(i)), g[0], g[i].AsX())
				f(r, g[i].AsX())
			}
			r++
		}
	}
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
			zero, least := YMM(), XMM()
			VPBROADCASTW(Mem{Base: t, Disp: offZero}, zero)
			VPBROADCASTB(Mem{Base: t, Disp: offLeast}, least)
			for r, row := range a {
				store8(row, zero, least, Mem{Base: p})
				next(r)
			}
		},
	}
	e.emit(t, a)
}

// store8 writes one row as bytes.
func store8(row []reg.VecVirtual, zero, least reg.VecVirtual, to Mem) {
	v, hi := row[0], XMM()
	for _, x := range row {
		VCVTPS2DQ(x, x)
	}
	VPACKSSDW(row[len(row)-1], v, v)
	VPADDSW(zero, v, v)
	VPERMQ(Imm(0xd8), v, v)
	VEXTRACTI128(Imm(1), v, hi)
	VPACKUSWB(hi, v.AsX(), hi)
	VPMAXUB(least, hi, hi)
	if len(row) == 1 {
		VMOVQ(hi, to)
		return
	}
	VMOVDQU(hi, to)
}
