package main

import . "pare-asm/neon"

// Fields of kernel.Scales.
const offStep, offZero, offLo, offHi = "Scales_step", "Scales_zero", "Scales_lo", "Scales_hi"

// scales gives the numbers of a field for vector j of n elements.
type scales func(off string, j, n int) V

// scaled writes a loop for one scale throughout and one for a scale per element.
func scaled(f *File, name, signature, doc string, dst, src int, offs []string, body func(c scales, n int)) {
	f.Text(name+"NEON", signature, 56, doc)
	unaryArgs(f)
	f.Go("MOVD c+48(FP), %v", R(5))
	f.Go("MOVD (%s+8)(R5), %v", offStep, R(6))
	f.Go("CMP $1, %v", R(6))
	f.Go("BNE channels")
	one := map[string]V{offStep: 28, offZero: 29, offLo: 30, offHi: 31}
	pointers := []pointer{{dstR, dst}, {srcAR, src}}
	for _, off := range offs {
		f.Go("MOVD %s(R5), %v", off, R(6))
		f.Repeat(one[off], 6)
	}
	stream(f, 16, pointers, func(n int) {
		body(func(off string, _, _ int) V { return one[off] }, n)
	})
	f.Go("RET")
	f.Label("channels")
	at := map[string]R{}
	for i, off := range offs {
		at[off] = 6 + R(i)
		f.Go("MOVD %s(R5), %v", off, at[off])
		pointers = append(pointers, pointer{at[off], 4})
	}
	stream(f, 16, pointers, func(n int) {
		body(func(off string, j, n int) V {
			if n == 1 {
				f.Load(Word, 20, at[off], 0)
			} else {
				f.Load(Full, 20, at[off], 16*j)
			}
			return 20
		}, n)
	})
	f.Go("RET")
}

// quotient is the clamped, rounded quotient of v. NaN becomes the lower bound.
func quotient(f *File, v V, c scales, j, n int) {
	f.Do(FDIV, v, v, c(offStep, j, n))
	lo := c(offLo, j, n)
	f.Do(FCMGE, 16, v, lo)
	f.Do(BIF, v, lo, 16)
	f.Do(FMIN, v, v, c(offHi, j, n))
	f.Do2(FRINTN, v, v)
}

func quantize(f *File) {
	scaled(f, "quantize", "(dst []uint8, src []float32, c *byte)", "quantises src.", 1, 4,
		[]string{offStep, offZero, offLo, offHi}, func(c scales, n int) {
			x := group(0, vectors(n))
			load(f, x, n, srcAR)
			for j, v := range x {
				quotient(f, v, c, j, n)
				f.Do(FADD, v, v, c(offZero, j, n))
				f.Do2(FCVTZS, v, v)
			}
			storeCodes(f, x, n, dstR)
		})
	scaled(f, "fake", "(dst, src []float32, c *byte)", "writes what quantising leaves of src.", 4, 4,
		[]string{offStep, offLo, offHi}, func(c scales, n int) {
			x := group(0, vectors(n))
			load(f, x, n, srcAR)
			f.Zero(17)
			for j, v := range x {
				quotient(f, v, c, j, n)
				f.Do(FADD, v, v, 17)
				f.Do(FMUL, v, v, c(offStep, j, n))
			}
			store(f, x, n, dstR)
		})
	dequantize(f, "dequantU8", false)
	dequantize(f, "dequantS8", true)
}

func dequantize(f *File, name string, signed bool) {
	scaled(f, name, "(dst []float32, src []uint8, c *byte)", "writes what codes stand for.", 4, 1,
		[]string{offStep, offZero}, func(c scales, n int) {
			x := group(0, vectors(n))
			loadCodes(f, x, n, srcAR, signed)
			for j, v := range x {
				f.Do2(SCVTF, v, v)
				f.Do(FSUB, v, v, c(offZero, j, n))
				f.Do(FMUL, v, v, c(offStep, j, n))
			}
			store(f, x, n, dstR)
		})
}
