package main

import . "pare-asm/neon"

// tmpV is the first of eight registers that epilogues use.
const tmpV V = 24

// finish emits the arithmetic between int32 sums and what is stored, as
// kernel's intArgs.finish defines it, and falls through to the end of the tile.
func (f *frame) finish(a acc) {
	f.Go("MOVD %s(%v), %v", intStore, argR, xR)
	f.Go("CMP $%d, %v", storeSums, xR)
	f.Go("BEQ store")
	f.scale(a)
	f.extra(a)
	f.mid(a)
	f.residual(a)
	f.column(a, intLast, tmpV, func(v, x V) { f.Do(FADD, v, v, x) })
	f.limit(a, intLo, intHi)
	f.Go("MOVD %s(%v), %v", intStore, argR, xR)
	f.Go("CMP $%d, %v", storeFloat, xR)
	f.Go("BEQ store")
	f.codes(a)
	f.Go("B next")
	f.Label("store")
	f.words(a)
}

// scale turns sums into floats and multiplies them.
func (f *frame) scale(a acc) {
	a.each(func(v V) { f.Do2(SCVTF, v, v) })
	f.column(a, intMul, tmpV, func(v, x V) { f.Do(FMUL, v, v, x) })
}

// extra adds floats, of which every row has as many as the tile has columns.
func (f *frame) extra(a acc) {
	f.Go("MOVD %s(%v), %v", intExtra, argR, xR)
	f.Go("CBZ %v, scaled", xR)
	p, step := f.walk(intExtra, intLDE)
	for _, row := range a {
		for j, v := range row {
			f.Load(Full, tmpV+V(j), p, 16*j)
			f.Do(FADD, v, v, tmpV+V(j))
		}
		step()
	}
	f.Label("scaled")
}

// mid rounds to a grid between, where there is one.
func (f *frame) mid(a acc) {
	f.Go("MOVBU %s(%v), %v", intMid, argR, xR)
	f.Go("CBZ %v, residual", xR)
	f.column(a, intAdd, tmpV, func(v, x V) { f.Do(FADD, v, v, x) })
	f.limit(a, intMidLo, intMidHi)
	f.RepeatAt(tmpV, argR, intMidMul, xR)
	a.each(func(v V) {
		f.Do2(FRINTN, v, v)
		f.Do(FMUL, v, v, tmpV)
	})
	f.Label("residual")
}

// limit clamps to numbers at two offsets. What is not above the lower one, NaN
// too, becomes it, its sign included.
func (f *frame) limit(a acc, lo, hi string) {
	f.RepeatAt(tmpV, argR, lo, xR)
	f.RepeatAt(tmpV+1, argR, hi, xR)
	a.each(func(v V) {
		f.Do(FCMGT, tmpV+2, v, tmpV)
		f.Do(BIF, v, tmpV, tmpV+2)
		f.Do(FMIN, v, v, tmpV+1)
	})
}

// residual adds codes times their multiplier.
func (f *frame) residual(a acc) {
	f.Go("MOVD %s(%v), %v", intRes, argR, xR)
	f.Go("CBZ %v, whole", xR)
	p, step := f.walk(intRes, intLDR)
	f.RepeatAt(tmpV, argR, intResMul, xR)
	for _, row := range a {
		f.bytes(len(row), p, tmpV+1)
		for j, v := range row {
			x := tmpV + 1 + V(j)
			f.Do2(SCVTF, x, x)
			f.Do(FMUL, x, x, tmpV)
			f.Do(FADD, v, v, x)
		}
		step()
	}
	f.Label("whole")
}

// bytes reads 4n bytes as n vectors of int32, from d on; one register more is
// spoilt.
func (f *frame) bytes(n int, p R, d V) {
	if n == 2 {
		f.Load(Half, d, p, 0)
		f.Do2(UXTLB, d, d)
		f.Do2(UXTL2H, d+1, d)
		f.Do2(UXTLH, d, d)
		return
	}
	f.Load(Full, d, p, 0)
	f.Do2(UXTL2B, d+2, d)
	f.Do2(UXTLB, d, d)
	f.Do2(UXTL2H, d+1, d)
	f.Do2(UXTLH, d, d)
	f.Do2(UXTL2H, d+3, d+2)
	f.Do2(UXTLH, d+2, d+2)
}

// codes rounds floats within the range of codes and stores bytes.
func (f *frame) codes(a acc) {
	f.RepeatAt(tmpV, argR, intZero, xR)
	p, step := f.walk(intC, intLDC)
	for _, row := range a {
		for _, v := range row {
			f.Do2(FCVTNS, v, v)
			f.Do(ADD, v, v, tmpV)
		}
		f.Do(UZP1H, row[0], row[0], row[1])
		if len(row) == 2 {
			f.Do2(XTN, row[0], row[0])
			f.Store(Half, row[0], p, 0)
		} else {
			f.Do(UZP1H, row[2], row[2], row[3])
			f.Do(UZP1B, row[0], row[0], row[2])
			f.Store(Full, row[0], p, 0)
		}
		step()
	}
}

// words stores vectors as they are.
func (f *frame) words(a acc) {
	p, step := f.walk(f.field("c"), f.field("ldc"))
	for _, row := range a {
		for j, v := range row {
			f.Store(Full, v, p, 16*j)
		}
		step()
	}
}
