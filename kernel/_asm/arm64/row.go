package main

import (
	"fmt"
	. "math"

	. "pare-asm/neon"
)

// Rows are reduced in 64 parts, element i in part i mod 64, four in each of
// sixteen registers.
const partsV = 16

// reduction of rows: what a row is reduced by.
type reduce struct {
	*File
	// neutral fills the elements that are not there, and the parts at first.
	neutral func(v V)
	// step accumulates x, join two parts.
	step func(acc, x V)
	join Op3
}

// Registers of reductions, behind the parts.
const rowXV, rowTmpV, rowArgV, rowMaskV V = 16, 17, 30, 31

func rows(f *File) {
	number := func(x float32) func(V) { return func(v V) { f.Const(v, constsR, x) } }
	r := &reduce{File: f, neutral: number(float32(Inf(-1))), join: FMAXNM}
	r.step = func(acc, x V) {
		// NaN is passed over.
		f.Do(FCMGT, rowTmpV, x, acc)
		f.Do(BIT, acc, x, rowTmpV)
	}
	r.routine("rowMax", "src []float32", 24, "is the largest element, passing over NaN.", func() {})

	r = &reduce{File: f, neutral: f.Zero, join: SMAX}
	r.step = func(acc, x V) {
		// The bits of magnitudes are ordered as these are, with NaN on top.
		f.Do(AND, x, x, rowMaskV)
		f.Do(SMAX, acc, acc, x)
	}
	r.routine("rowSize", "src []float32", 24, "is the largest magnitude.", func() { f.ConstBits(rowMaskV, constsR, 1<<31-1) })

	r = &reduce{File: f, neutral: f.Zero, join: FADD}
	r.step = func(acc, x V) { f.Do(FADD, acc, acc, x) }
	r.routine("rowSum", "src []float32", 24, "is the sum of the elements.", func() {})

	r = &reduce{File: f, join: FADD}
	r.step = func(acc, x V) {
		f.Do(FSUB, x, x, rowArgV)
		f.Do(FMLA, acc, x, x)
	}
	// Elements that are not there lie at the mean.
	r.neutral = func(v V) { f.Move(v, rowArgV) }
	r.routine("variance", "src []float32, x float32", 28, "is the sum of squares of src-x.", func() { parameter(f, rowArgV, "x", 24) })
	expSum(f)
	normalize(f)
}

// routine writes a reduction; args end at the given offset.
func (r *reduce) routine(name, args string, end int, doc string, ready func()) {
	ret := (end + 7) &^ 7
	r.Text(name+"NEON", "("+args+") float32", ret+4, doc)
	r.Go("MOVD src_base+0(FP), %v", srcAR)
	r.Go("MOVD src_len+8(FP), %v", countR)
	r.Consts(constsR)
	ready()
	for v := range V(partsV) {
		if name == "variance" {
			r.Zero(v)
			continue
		}
		r.neutral(v)
	}
	r.Label("turn")
	r.Go("CMP $64, %v", countR)
	r.Go("BLT rest")
	for v := range V(partsV) {
		r.Load(Full, rowXV, srcAR, 16*int(v))
		r.step(v, rowXV)
	}
	r.Go("ADD $256, %v, %v", srcAR, srcAR)
	r.Go("SUB $64, %v, %v", countR, countR)
	r.Go("B turn")
	r.Label("rest")
	for v := range V(partsV) {
		r.rest(v)
	}
	r.Label("join")
	fold(r.File, r.join)
	r.Go("FMOVS F0, ret+%d(FP)", ret)
	r.Go("RET")
}

// rest adds up to four elements to a part.
func (r *reduce) rest(v V) {
	next := fmt.Sprint("part", v+1)
	some := fmt.Sprint("some", v)
	r.Go("CMP $4, %v", countR)
	r.Go("BLT %s", some)
	r.Load(Full, rowXV, srcAR, 0)
	r.step(v, rowXV)
	r.Go("ADD $16, %v, %v", srcAR, srcAR)
	r.Go("SUB $4, %v, %v", countR, countR)
	r.Go("B %s", next)
	r.Label(some)
	r.Go("CBZ %v, join", countR)
	r.neutral(rowXV)
	for i := range 3 {
		r.LoadLane(rowXV, i, srcAR)
		r.Go("ADD $4, %v, %v", srcAR, srcAR)
		r.Go("SUBS $1, %v, %v", countR, countR)
		if i < 2 {
			r.Go("BEQ %slast", some)
		}
	}
	r.Label(some + "last")
	r.step(v, rowXV)
	r.Go("B join")
	r.Label(next)
}

// fold joins all parts by halves, in the lowest element of V0.
func fold(f *File, join Op3) {
	for n := V(partsV / 2); n > 0; n /= 2 {
		for v := range n {
			f.Do(join, v, v, v+n)
		}
	}
	f.Do(TRN2D, 1, 0, 0)
	f.Do(join, 0, 0, 1)
	f.Do(TRN2, 1, 0, 0)
	f.Do(join, 0, 0, 1)
}

// expSum takes a register at a time through the exponential.
func expSum(f *File) {
	f.Text("expSumNEON", "(dst, src []float32, x float32) float32", 60, "writes the exponentials of src-x and returns their sum.")
	unaryArgs(f)
	f.Consts(constsR)
	parameter(f, rowArgV, "x", 48)
	for v := range V(partsV) {
		f.Zero(v)
	}
	exp := func() {
		m := &math{File: f, next: rowXV}
		x := m.group(1)
		m.Do(FSUB, x[0], x[0], rowArgV)
		m.exp(x)
	}
	f.Label("turn")
	for v := range V(partsV) {
		f.Go("CMP $4, %v", countR)
		f.Go("BLT rest%d", v)
		f.Load(Full, rowXV, srcAR, 0)
		exp()
		f.Store(Full, rowXV, dstR, 0)
		f.Do(FADD, v, v, rowXV)
		f.Go("ADD $16, %v, %v", srcAR, srcAR)
		f.Go("ADD $16, %v, %v", dstR, dstR)
		f.Go("SUB $4, %v, %v", countR, countR)
	}
	f.Go("B turn")
	for v := range V(partsV) {
		f.Label(fmt.Sprint("rest", v))
		f.Go("CBZ %v, join", countR)
		expRest(f, v, exp)
		f.Go("B join")
	}
	f.Label("join")
	fold(f, FADD)
	f.Go("FMOVS F0, ret+56(FP)")
	f.Go("RET")
}

// expRest does the last one to three elements, and adds them to a part.
func expRest(f *File, part V, exp func()) {
	id := fmt.Sprint("rest", part)
	f.Zero(rowXV)
	f.Move(rowMaskV, rowXV)
	f.Go("MOVD $-1, %v", R(5))
	for i := range 3 {
		f.LoadLane(rowXV, i, srcAR)
		f.InsertWord(rowMaskV, i, 5)
		f.Go("ADD $4, %v, %v", srcAR, srcAR)
		f.Go("CMP $%d, %v", i+1, countR)
		f.Go("BEQ %sloaded", id)
	}
	f.Label(id + "loaded")
	exp()
	f.Do(AND, rowXV, rowXV, rowMaskV)
	f.Do(FADD, part, part, rowXV)
	for i := range 3 {
		f.StoreLane(rowXV, i, dstR)
		f.Go("ADD $4, %v, %v", dstR, dstR)
		f.Go("CMP $%d, %v", i+1, countR)
		f.Go("BEQ join")
	}
}

// normalize rounds after every operation, like the portable row.
func normalize(f *File) {
	const gammaR, betaR R = 6, 7
	f.Text("normalizeNEON", "(dst, src, gamma, beta []float32, mean, rstd float32)", 104, "writes (src-mean)·rstd·gamma + beta; beta may be nil.")
	unaryArgs(f)
	f.Go("MOVD gamma_base+48(FP), %v", gammaR)
	f.Go("MOVD beta_base+72(FP), %v", betaR)
	parameter(f, rowArgV, "mean", 96)
	parameter(f, rowMaskV, "rstd", 100)
	f.Go("CBZ %v, plain", betaR)
	for _, shifted := range []bool{true, false} {
		pointers := []pointer{{dstR, 4}, {srcAR, 4}, {gammaR, 4}}
		if shifted {
			pointers = append(pointers, pointer{betaR, 4})
		} else {
			f.Label("plain")
		}
		stream(f, 16, pointers, func(n int) {
			x, g, b := group(0, vectors(n)), group(4, vectors(n)), group(8, vectors(n))
			load(f, x, n, srcAR)
			load(f, g, n, gammaR)
			if shifted {
				load(f, b, n, betaR)
			}
			for j, v := range x {
				f.Do(FSUB, v, v, rowArgV)
				f.Do(FMUL, v, v, rowMaskV)
				f.Do(FMUL, v, v, g[j])
				if shifted {
					f.Do(FADD, v, v, b[j])
				}
			}
			store(f, x, n, dstR)
		})
		f.Go("RET")
	}
}
