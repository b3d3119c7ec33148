package main

import (
	"fmt"

	. "pare-asm/neon"
)

// Registers of clamps.
const loV, hiV V = 30, 31

func elementwise(f *File) {
	for _, op := range []struct {
		name string
		do   func(d, a, b V)
	}{
		{"Add", func(d, a, b V) { f.Do(FADD, d, a, b) }},
		{"Sub", func(d, a, b V) { f.Do(FSUB, d, a, b) }},
		{"Mul", func(d, a, b V) { f.Do(FMUL, d, a, b) }},
		{"Div", func(d, a, b V) { f.Do(FDIV, d, a, b) }},
		// The second operand stays where either is NaN.
		{"Min", func(d, a, b V) { f.Do(FCMGT, d, b, a); f.Do(BSL, d, a, b) }},
		{"Max", func(d, a, b V) { f.Do(FCMGT, d, a, b); f.Do(BSL, d, a, b) }},
	} {
		binary(f, op.name, op.do)
	}
	affine(f)
	for _, u := range unary {
		function(f, u.name, u.wide, u.do)
	}
}

// binary writes the loops for two slices and for one number on either side.
func binary(f *File, name string, do func(d, a, b V)) {
	f.Text("binary"+name+"NEON", "(dst, a, b []float32, aOne, bOne bool, lo, hi float32)", 84, "computes clamp(op(a, b)).")
	f.Go("MOVD dst_base+0(FP), %v", dstR)
	f.Go("MOVD dst_len+8(FP), %v", countR)
	f.Go("MOVD a_base+24(FP), %v", srcAR)
	f.Go("MOVD b_base+48(FP), %v", srcBR)
	limits(f, 76, 80)
	f.Go("MOVBU aOne+72(FP), %v", R(5))
	f.Go("CBNZ %v, aOne", R(5))
	f.Go("MOVBU bOne+73(FP), %v", R(5))
	f.Go("CBNZ %v, bOne", R(5))
	for _, one := range []string{"", "aOne", "bOne"} {
		if one != "" {
			f.Label(one)
		}
		binaryLoop(f, one, do)
		f.Go("RET")
	}
}

// binaryLoop is one of them; the operand called one is a single number.
func binaryLoop(f *File, one string, do func(d, a, b V)) {
	const single V = 29
	pointers := []pointer{{dstR, 4}}
	operand := func(name string, p R, v V) func(n int) []V {
		if name == one {
			f.Repeat(single, p)
			return func(n int) []V { return []V{single, single, single, single}[:vectors(n)] }
		}
		pointers = append(pointers, pointer{p, 4})
		return func(n int) []V {
			x := group(v, vectors(n))
			load(f, x, n, p)
			return x
		}
	}
	readA, readB := operand("aOne", srcAR, 4), operand("bOne", srcBR, 8)
	stream(f, 16, pointers, func(n int) {
		a, b, d := readA(n), readB(n), group(0, vectors(n))
		for j := range d {
			do(d[j], a[j], b[j])
			clamp(f, d[j], loV, hiV, 12+V(j))
		}
		store(f, d, n, dstR)
	})
}

// limits loads the bounds of clamps from arguments.
func limits(f *File, lo, hi int) {
	parameter(f, loV, "lo", lo)
	parameter(f, hiV, "hi", hi)
}

// parameter repeats a float32 argument.
func parameter(f *File, d V, name string, off int) {
	f.Go("MOVWU %s+%d(FP), %v", name, off, R(5))
	f.RepeatWord(d, 5)
}

func affine(f *File) {
	f.Text("affineNEON", "(dst, src []float32, scale, shift, lo, hi float32)", 64, "computes clamp(scale·src + shift).")
	unaryArgs(f)
	parameter(f, 28, "scale", 48)
	parameter(f, 29, "shift", 52)
	limits(f, 56, 60)
	stream(f, 16, []pointer{{dstR, 4}, {srcAR, 4}}, func(n int) {
		x := group(0, vectors(n))
		load(f, x, n, srcAR)
		for j, v := range x {
			f.Do(FMUL, v, v, 28)
			f.Do(FADD, v, v, 29)
			clamp(f, v, loV, hiV, 4+V(j))
		}
		store(f, x, n, dstR)
	})
	f.Go("RET")
}

func unaryArgs(f *File) {
	f.Go("MOVD dst_base+0(FP), %v", dstR)
	f.Go("MOVD dst_len+8(FP), %v", countR)
	f.Go("MOVD src_base+24(FP), %v", srcAR)
}

// function writes the loop of a function, wide elements at a time.
func function(f *File, name string, wide int, do func(m *math, x []V)) {
	f.Text(fmt.Sprintf("unary%sNEON", name), "(dst, src []float32)", 48, "computes a function of src.")
	unaryArgs(f)
	f.Consts(constsR)
	stream(f, wide, []pointer{{dstR, 4}, {srcAR, 4}}, func(n int) {
		m := &math{File: f}
		x := m.group(vectors(n))
		load(f, x, n, srcAR)
		do(m, x)
		store(f, x, n, dstR)
	})
	f.Go("RET")
}
