package main

import (
	"fmt"

	. "pare-asm/neon"
)

// Fields of kernel.winogradOut.
const (
	wgSrc      = "winogradOut_src"
	wgDst      = "winogradOut_dst"
	wgRes      = "winogradOut_res"
	wgBias     = "winogradOut_bias"
	wgTap      = "winogradOut_tap"
	wgRow      = "winogradOut_row"
	wgPixel    = "winogradOut_pixel"
	wgResRow   = "winogradOut_resRow"
	wgResPixel = "winogradOut_resPixel"
	wgH        = "winogradOut_h"
	wgW        = "winogradOut_w"
	wgN        = "winogradOut_n"
	wgLo       = "winogradOut_lo"
	wgHi       = "winogradOut_hi"
)

// winogradOut writes the transform of one tile of sums, columns first, with what
// follows a sum.
func winogradOut(f *File, w form) {
	edge := w.m + 2
	f.Text(fmt.Sprintf("winogradOut%dNEON", w.m), "(a *byte)", 8, "transforms a tile of sums and finishes it.")
	f.Go("MOVD a+0(FP), R0")
	f.Go("MOVD %s(R0), %v", wgSrc, wgSrcR)
	f.Go("MOVD %s(R0), %v", wgN, wgLeftR)
	f.Go("MOVD %s(R0), %v", wgTap, wgTapR)
	f.Go("LSL $2, %v, %v", wgTapR, wgTapR)
	f.Go("MOVD $%d, %v", edge, wgTmpR)
	f.Go("MUL %v, %v, %v", wgTmpR, wgTapR, wgFarR)
	multiples(f, wgFarR)
	f.Go("MOVD ZR, %v", wgIndexR)
	f.Consts(wgConstsR)
	f.Label("channels")
	for _, part := range w.outParts {
		f.Go("ADD %v, %v, %v", wgIndexR, wgSrcR, wgAtR)
		p := newPool()
		lines := p.lines(f, edge, part, w.out,
			func(y int, v V) { loadFar(f, v, wgAtR, wgFarR, y) },
			func() { f.Go("ADD %v, %v, %v", wgTapR, wgAtR, wgAtR) })
		for _, y := range part {
			p.scope(func() []V { winogradRow(f, p, w, y, lines[y]); return nil })
		}
	}
	f.Go("ADD $16, %v, %v", wgIndexR, wgIndexR)
	f.Go("SUBS $4, %v, %v", wgLeftR, wgLeftR)
	f.Go("BGT channels")
	f.Go("RET")
}

// winogradRow finishes row y, where there is one.
func winogradRow(f *File, p *pool, w form, y int, values []V) {
	id := fmt.Sprintf("row%d", y)
	f.Go("MOVD %s(R0), %v", wgH, wgTmpR)
	f.Go("CMP $%d, %v", y, wgTmpR)
	f.Go("BLE %send", id)
	out := make([]V, w.m)
	l := &line{File: f, pool: p, from: func(x int) V { return values[x] }, to: func(x int, v V) { out[x] = v }}
	w.out(l, all(w.m))
	x := p.take()
	f.Go("MOVD %s(R0), %v", wgBias, wgTmpR)
	f.Go("CBZ %v, %sbiased", wgTmpR, id)
	f.LoadAt(Full, x, wgTmpR, wgIndexR)
	for _, v := range out {
		f.Do(FADD, v, v, x)
	}
	f.Label(id + "biased")
	f.Go("MOVD %s(R0), %v", wgRes, wgToR)
	f.Go("CBZ %v, %sadded", wgToR, id)
	pixels(f, out, y, wgResRow, wgResPixel, id+"added", func(v V) {
		f.Load(Full, x, wgToR, 0)
		f.Do(FADD, v, v, x)
	})
	lo, hi := p.take(), p.take()
	f.RepeatAt(lo, 0, wgLo, wgTmpR)
	f.RepeatAt(hi, 0, wgHi, wgTmpR)
	for _, v := range out {
		clamp(f, v, lo, hi, x)
	}
	f.Go("MOVD %s(R0), %v", wgDst, wgToR)
	pixels(f, out, y, wgRow, wgPixel, id+"end", func(v V) { f.Store(Full, v, wgToR, 0) })
}

// pixels calls do for the pixels of row y that exist, with wgToR at each; it holds
// the first row's at first. end is the label behind them.
func pixels(f *File, out []V, y int, row, pixel, end string, do func(v V)) {
	f.Go("MOVD %s(R0), %v", row, wgTmpR)
	f.Go("MOVD $%d, %v", 4*y, wgNearR)
	f.Go("MADD %v, %v, %v, %v", wgTmpR, wgToR, wgNearR, wgToR)
	f.Go("ADD %v, %v, %v", wgIndexR, wgToR, wgToR)
	f.Go("MOVD %s(R0), %v", pixel, wgTmpR)
	f.Go("MOVD %s(R0), %v", wgW, wgNearR)
	for x, v := range out {
		if x > 0 {
			f.Go("CMP $%d, %v", x, wgNearR)
			f.Go("BLE %s", end)
			f.Go("ADD %v<<2, %v, %v", wgTmpR, wgToR, wgToR)
		}
		do(v)
	}
	f.Label(end)
}
