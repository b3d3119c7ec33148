package main

import . "pare-asm/neon"

// Fields of kernel.stepArgs. In the place of a tree are the values by step, and
// the last step.
const (
	stepDst    = "stepArgs_dst"
	stepSrc    = "stepArgs_src"
	stepTree   = "stepArgs_tree"
	stepMore   = "stepArgs_more"
	stepRows   = "stepArgs_rows"
	stepCols   = "stepArgs_cols"
	stepLDD    = "stepArgs_ldd"
	stepLDS    = "stepArgs_lds"
	stepFactor = "stepArgs_factor"
	stepOffset = "stepArgs_offset"
)

// steps finds the places with vectors and reads their values one by one.
func steps(f *File) {
	const valuesR, rowsR, dR, sR, pairR, oneR R = 5, 6, 7, 8, 9, 10
	const factorV, offsetV, lastV, zeroV V = 28, 29, 30, 31
	f.Text("stepsNEON", "(a *byte)", 8, "writes the values of a matrix.")
	f.Go("MOVD a+0(FP), R0")
	f.Go("MOVD %s(R0), %v", stepTree, valuesR)
	f.Go("MOVD %s(R0), %v", stepMore, R(11))
	f.RepeatWord(lastV, 11)
	f.Do2(SCVTF, lastV, lastV)
	f.RepeatAt(factorV, 0, stepFactor, 11)
	f.RepeatAt(offsetV, 0, stepOffset, 11)
	f.Zero(zeroV)
	f.Go("MOVD %s(R0), %v", stepDst, dR)
	f.Go("MOVD %s(R0), %v", stepSrc, sR)
	f.Go("MOVD %s(R0), %v", stepRows, rowsR)
	f.Go("CBZ %v, done", rowsR)
	f.Label("row")
	f.Go("MOVD %v, %v", dR, dstR)
	f.Go("MOVD %v, %v", sR, srcAR)
	f.Go("MOVD %s(R0), %v", stepCols, countR)
	stream(f, 16, []pointer{{dstR, 1}, {srcAR, 4}}, func(n int) {
		x := group(0, vectors(n))
		load(f, x, n, srcAR)
		for _, v := range x {
			f.Do(FMUL, v, v, factorV)
			f.Do(FADD, v, v, offsetV)
			// NaN counts as the least.
			f.Do(FMAXNM, v, v, zeroV)
			f.Do(FMIN, v, v, lastV)
			f.Do2(FCVTZS, v, v)
		}
		values(f, x, n, valuesR, pairR, oneR)
	})
	f.Go("MOVD %s(R0), %v", stepLDD, oneR)
	f.Go("ADD %v, %v, %v", oneR, dR, dR)
	f.Go("MOVD %s(R0), %v", stepLDS, oneR)
	f.Go("ADD %v<<2, %v, %v", oneR, sR, sR)
	f.Go("SUBS $1, %v, %v", rowsR, rowsR)
	f.Go("BNE row")
	f.Label("done")
	f.Go("RET")
}

// values writes the values at n places.
func values(f *File, x []V, n int, from, pair, one R) {
	for i := range n {
		if i%2 == 0 {
			f.Half(pair, x[i/4], i/2%2)
			f.Go("MOVWU %v, %v", pair, one)
		} else {
			f.Go("LSR $32, %v, %v", pair, one)
		}
		f.Go("MOVBU (%v)(%v), %v", from, one, one)
		f.Go("MOVB %v, %d(%v)", one, i, dstR)
	}
}
