package main

import (
	"fmt"

	. "pare-asm/neon"
)

// General registers of loops over elements.
const (
	dstR    R = 1
	srcAR   R = 2
	srcBR   R = 3
	countR  R = 4 // elements left
	constsR R = 16
)

// pointer is a register that a loop moves, by so many bytes per element.
type pointer struct {
	reg   R
	bytes int
}

// stream writes a loop over elements: body gets how many it does, which is wide,
// a multiple of four, then 4, then 1. There is no rest.
func stream(f *File, wide int, pointers []pointer, body func(n int)) {
	id := f.Unique("turn")
	steps := []int{wide, 4, 1}
	if wide == 4 {
		steps = steps[1:]
	}
	for i, n := range steps {
		f.Label(fmt.Sprint(id, "by", n))
		end := fmt.Sprint(id, "end")
		if i+1 < len(steps) {
			end = fmt.Sprint(id, "by", steps[i+1])
		}
		f.Go("CMP $%d, %v", n, countR)
		f.Go("BLT %s", end)
		body(n)
		for _, p := range pointers {
			if p.bytes > 0 {
				f.Go("ADD $%d, %v, %v", n*p.bytes, p.reg, p.reg)
			}
		}
		f.Go("SUB $%d, %v, %v", n, countR, countR)
		f.Go("B %s", fmt.Sprint(id, "by", n))
	}
	f.Label(id + "end")
}

// vectors is how many registers n elements of 32 bits take.
func vectors(n int) int { return (n + 3) / 4 }

// group lists n registers from v on.
func group(v V, n int) []V {
	g := make([]V, n)
	for i := range g {
		g[i] = v + V(i)
	}
	return g
}

// load reads n floats; what a single one leaves free is 0.
func load(f *File, x []V, n int, p R) { words(n, x, p, f.Load) }

// store writes n floats.
func store(f *File, x []V, n int, p R) { words(n, x, p, f.Store) }

func words(n int, x []V, p R, move func(Size, V, R, int)) {
	if n == 1 {
		move(Word, x[0], p, 0)
		return
	}
	for j, v := range x {
		move(Full, v, p, 16*j)
	}
}

// codeSize is what n codes take: 16, 4 or 1.
func codeSize(n int) Size { return Size(n) }

// loadCodes reads n codes as int32. Of 16 it uses four registers.
func loadCodes(f *File, x []V, n int, p R, signed bool) {
	widenB, widenB2, widenH, widenH2 := UXTLB, UXTL2B, UXTLH, UXTL2H
	if signed {
		widenB, widenB2, widenH, widenH2 = SXTLB, SXTL2B, SXTLH, SXTL2H
	}
	f.Load(codeSize(n), x[0], p, 0)
	if len(x) == 1 {
		f.Do2(widenB, x[0], x[0])
		f.Do2(widenH, x[0], x[0])
		return
	}
	f.Do2(widenB2, x[2], x[0])
	f.Do2(widenB, x[0], x[0])
	f.Do2(widenH2, x[1], x[0])
	f.Do2(widenH, x[0], x[0])
	f.Do2(widenH2, x[3], x[2])
	f.Do2(widenH, x[2], x[2])
}

// storeCodes writes the lowest bytes of n int32, which are lost.
func storeCodes(f *File, x []V, n int, p R) {
	at := func(i int) V { return x[min(i, len(x)-1)] }
	f.Do(UZP1H, x[0], x[0], at(1))
	if len(x) > 1 {
		f.Do(UZP1H, x[2], x[2], x[3])
	}
	f.Do(UZP1B, x[0], x[0], at(2))
	f.Store(codeSize(n), x[0], p, 0)
}
