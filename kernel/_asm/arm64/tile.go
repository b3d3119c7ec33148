package main

import (
	"fmt"

	. "pare-asm/neon"
)

// Fields of kernel.tileArgs.
const (
	tileBias = "tileArgs_bias"
	tileRes  = "tileArgs_res"
	tileLDR  = "tileArgs_ldr"
	tileLo   = "tileArgs_lo"
	tileHi   = "tileArgs_hi"
)

// tiles generates the matrix tiles of floats.
func tiles(f *File) {
	for m := 1; m <= 8; m++ {
		if m <= 6 {
			floatTile(f, m, 16)
		}
		floatTile(f, m, 8)
	}
}

func floatTile(file *File, m, width int) {
	f := &frame{File: file, args: "tileArgs", shift: 2, mul: FMLALane}
	a := newAcc(m, width/4)
	f.begin(fmt.Sprintf("tile%dx%dNEON", m, width), m, width)
	a.each(f.Zero)
	f.sum(a)
	f.ifAny(tileBias, "biased", func() {
		f.column(a, tileBias, tmpV, func(v, x V) { f.Do(FADD, v, v, x) })
	})
	f.ifAny(tileRes, "added", func() { f.floatResidual(a) })
	f.RepeatAt(tmpV, argR, tileLo, xR)
	f.RepeatAt(tmpV+1, argR, tileHi, xR)
	a.each(func(v V) { clamp(f.File, v, tmpV, tmpV+1, tmpV+2) })
	f.words(a)
	f.next(m)
}

// ifAny writes what is done where the pointer at off is not nil.
func (f *frame) ifAny(off, label string, do func()) {
	f.Go("MOVD %s(%v), %v", off, argR, xR)
	f.Go("CBZ %v, %s", xR, label)
	do()
	f.Label(label)
}

func (f *frame) floatResidual(a acc) {
	p, step := f.walk(tileRes, tileLDR)
	for _, row := range a {
		for j, v := range row {
			f.Load(Full, tmpV+V(j), p, 16*j)
			f.Do(FADD, v, v, tmpV+V(j))
		}
		step()
	}
}

// clamp is kernel's clampTo, which keeps NaN and the sign of 0.
func clamp(f *File, v, lo, hi, tmp V) {
	f.Do(FCMGT, tmp, lo, v)
	f.Do(BIT, v, lo, tmp)
	f.Do(FCMGT, tmp, v, hi)
	f.Do(BIT, v, hi, tmp)
}
