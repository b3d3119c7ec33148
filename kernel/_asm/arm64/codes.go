package main

import . "pare-asm/neon"

func codes(f *File) {
	addCodes(f)
	gateCodes(f)
	maxCodes(f)
	mapCodes(f)
}

// Fields of kernel.addArgs.
const (
	addX     = "addArgs_x"
	addY     = "addArgs_y"
	addDst   = "addArgs_dst"
	addMulX  = "addArgs_mulX"
	addMulY  = "addArgs_mulY"
	addShift = "addArgs_shift"
	addLo    = "addArgs_lo"
	addHi    = "addArgs_hi"
	addZero  = "addArgs_zero"
)

// blockArgs loads pointers and repeats numbers of an argument block at R0.
func blockArgs(f *File, dst string, pointers map[R]string, numbers []string, first V) {
	f.Go("MOVD a+0(FP), R0")
	f.Go("MOVD %s(R0), %v", dst, dstR)
	f.Go("MOVD (%s+8)(R0), %v", dst, countR)
	for p := R(0); p < 32; p++ {
		if off, ok := pointers[p]; ok {
			f.Go("MOVD %s(R0), %v", off, p)
		}
	}
	for i, off := range numbers {
		f.RepeatAt(first+V(i), 0, off, 5)
	}
}

// encode clamps floats, rounds them and adds the zero point. NaN becomes the
// lower bound.
func encode(f *File, x []V, lo, hi, zero V) {
	for _, v := range x {
		f.Do(FMAXNM, v, v, lo)
		f.Do(FMIN, v, v, hi)
		f.Do2(FCVTNS, v, v)
		f.Do(ADD, v, v, zero)
	}
}

func addCodes(f *File) {
	f.Text("addCodesNEON", "(a *byte)", 8, "adds codes of two grids and stores codes.")
	blockArgs(f, addDst, map[R]string{srcAR: addX, srcBR: addY}, []string{addMulX, addMulY, addShift, addLo, addHi, addZero}, 16)
	stream(f, 16, []pointer{{dstR, 1}, {srcAR, 1}, {srcBR, 1}}, func(n int) {
		x, y := group(0, vectors(n)), group(4, vectors(n))
		loadCodes(f, x, n, srcAR, false)
		loadCodes(f, y, n, srcBR, false)
		for j, v := range x {
			f.Do2(SCVTF, v, v)
			f.Do2(SCVTF, y[j], y[j])
			f.Do(FMUL, v, v, 16)
			f.Do(FMUL, y[j], y[j], 17)
			f.Do(FADD, v, v, y[j])
			f.Do(FADD, v, v, 18)
		}
		encode(f, x, 19, 20, 21)
		storeCodes(f, x, n, dstR)
	})
	f.Go("RET")
}

// Fields of kernel.gateArgs.
const (
	gateSrc  = "gateArgs_src"
	gateDst  = "gateArgs_dst"
	gateMul  = "gateArgs_mul"
	gateLo   = "gateArgs_lo"
	gateHi   = "gateArgs_hi"
	gateZero = "gateArgs_zero"
	gateFrom = "gateArgs_from"
	gateStep = "gateArgs_step"
	gateUnit = "gateArgs_unit"
)

func gateCodes(f *File) {
	f.Text("gateCodesNEON", "(a *byte)", 8, "scales codes around a zero point channel by channel and stores codes.")
	blockArgs(f, gateDst, map[R]string{srcAR: gateSrc, srcBR: gateMul}, []string{gateFrom, gateStep, gateUnit, gateLo, gateHi, gateZero}, 16)
	stream(f, 16, []pointer{{dstR, 1}, {srcAR, 1}, {srcBR, 4}}, func(n int) {
		x, mul := group(0, vectors(n)), group(4, vectors(n))
		loadCodes(f, x, n, srcAR, false)
		load(f, mul, n, srcBR)
		for j, v := range x {
			f.Do2(SCVTF, v, v)
			f.Do(FSUB, v, v, 16)
			f.Do(FMUL, v, v, 17)
			f.Do(FMUL, v, v, mul[j])
			f.Do(FDIV, v, v, 18)
		}
		encode(f, x, 19, 20, 21)
		storeCodes(f, x, n, dstR)
	})
	f.Go("RET")
}

func maxCodes(f *File) {
	f.Text("maxCodesNEON", "(dst, src []uint8)", 48, "raises dst to src.")
	unaryArgs(f)
	stream(f, 16, []pointer{{dstR, 1}, {srcAR, 1}}, func(n int) {
		f.Load(codeSize(n), 0, dstR, 0)
		f.Load(codeSize(n), 1, srcAR, 0)
		f.Do(UMAXB, 0, 0, 1)
		f.Store(codeSize(n), 0, dstR, 0)
	})
	f.Go("RET")
}

// mapCodes keeps all values in registers, 64 in four of them.
func mapCodes(f *File) {
	const tables, quarter V = 16, 2
	f.Text("mapCodesNEON", "(dst, src []uint8, values *byte)", 56, "looks up every code of src.")
	unaryArgs(f)
	f.Go("MOVD values+48(FP), %v", R(5))
	for k := range 16 {
		f.Load(Full, tables+V(k), 5, 16*k)
	}
	f.Bytes(quarter, 64)
	stream(f, 16, []pointer{{dstR, 1}, {srcAR, 1}}, func(n int) {
		f.Load(codeSize(n), 0, srcAR, 0)
		for k := range 4 {
			f.Table(1, tables+V(4*k), 0, k > 0)
			f.Do(SUBB, 0, 0, quarter)
		}
		f.Store(codeSize(n), 1, dstR, 0)
	})
	f.Go("RET")
}
