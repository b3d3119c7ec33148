package main

import (
	"fmt"
	. "math"

	. "pare-asm/neon"
)

// Fields of kernel.winArgs.
const (
	winDst     = "winArgs_dst"
	winSrc     = "winArgs_src"
	winW       = "winArgs_w"
	winBias    = "winArgs_bias"
	winRes     = "winArgs_res"
	winTaps    = "winArgs_taps"
	winNTaps   = "(winArgs_taps+8)"
	winDstStep = "winArgs_dstStep"
	winSrcStep = "winArgs_srcStep"
	winResStep = "winArgs_resStep"
	winPx      = "winArgs_px"
	winC       = "winArgs_c"
	winScale   = "winArgs_scale"
	winLo      = "winArgs_lo"
	winHi      = "winArgs_hi"
)

// reduction is what differs between the families.
type reduction struct {
	name string
	// start fills an accumulator; a bias takes its place.
	start func(w *window, acc V)
	// step accumulates x, times weight where the family has weights.
	step     func(w *window, acc, x, weight V)
	weighted bool
	finish   func(w *window, acc [][]V)
}

func windows(f *File) {
	for _, op := range []*reduction{depthwise, maxpool, sumpool} {
		windowLoop(f, op)
	}
}

// General registers of windows.
const (
	winSrcR   R = 1 // of the first pixel
	winDstR   R = 2
	winResR   R = 3
	winPxR    R = 4 // pixels left
	winCR     R = 5 // channels left
	winAtR    R = 6 // bytes of the channels done
	winTapR   R = 7
	winTapsR  R = 8 // taps left
	winOffR   R = 9
	winWR     R = 10 // weights of the block
	winPixelR R = 11 // and three more
	winTmpR   R = 15
)

// window is a block of pixels and channels under way.
type window struct {
	*File
	// size and parts are what a pixel's channels take.
	size  Size
	parts int
}

// Registers besides the accumulators.
const winWeightV, winXV, winLoV, winHiV V = 16, 20, 30, 31

// windowLoop passes over pixels by four and one, and over their channels by
// sixteen, four and one.
func windowLoop(f *File, op *reduction) {
	f.Text(op.name+"NEON", "(a *byte)", 8, "reduces the windows of one call.")
	f.Go("MOVD a+0(FP), R0")
	f.Go("MOVD %s(R0), %v", winSrc, winSrcR)
	f.Go("MOVD %s(R0), %v", winDst, winDstR)
	f.Go("MOVD %s(R0), %v", winRes, winResR)
	f.Go("MOVD %s(R0), %v", winPx, winPxR)
	f.RepeatAt(winLoV, 0, winLo, winTmpR)
	f.RepeatAt(winHiV, 0, winHi, winTmpR)
	for _, pixels := range []int{4, 1} {
		next := fmt.Sprintf("pixels%dend", pixels)
		f.Label(fmt.Sprintf("pixels%d", pixels))
		f.Go("CMP $%d, %v", pixels, winPxR)
		f.Go("BLT %s", next)
		channels(f, op, pixels)
		w := &window{File: f}
		w.advance(winSrcR, winSrcStep, pixels)
		w.advance(winDstR, winDstStep, pixels)
		w.advanceRes(pixels)
		f.Go("SUB $%d, %v, %v", pixels, winPxR, winPxR)
		f.Go("B pixels%d", pixels)
		f.Label(next)
	}
	f.Go("RET")
}

// channels passes over the channels of some pixels.
func channels(f *File, op *reduction, pixels int) {
	f.Go("MOVD %s(R0), %v", winC, winCR)
	f.Go("MOVD ZR, %v", winAtR)
	for _, c := range []struct {
		n     int
		size  Size
		parts int
	}{{16, Full, 4}, {4, Full, 1}, {1, Word, 1}} {
		w := &window{f, c.size, c.parts}
		id := fmt.Sprintf("pixels%dby%d", pixels, c.n)
		f.Label(id)
		f.Go("CMP $%d, %v", c.n, winCR)
		f.Go("BLT %send", id)
		w.block(op, pixels, id)
		f.Go("SUB $%d, %v, %v", c.n, winCR, winCR)
		f.Go("ADD $%d, %v, %v", 4*c.n, winAtR, winAtR)
		f.Go("B %s", id)
		f.Label(id + "end")
	}
}

// advance moves a pointer by some pixels.
func (w *window) advance(p R, step string, pixels int) {
	w.Go("MOVD %s(R0), %v", step, winTmpR)
	w.Go("ADD %v<<%d, %v, %v", winTmpR, map[int]int{1: 2, 4: 4}[pixels], p, p)
}

// advanceRes leaves a residual that is not there so.
func (w *window) advanceRes(pixels int) {
	label := w.Unique("nores")
	w.Go("CBZ %v, %s", winResR, label)
	w.advance(winResR, winResStep, pixels)
	w.Label(label)
}

// pointers sets registers from winPixelR on to the block's channels of each pixel.
func (w *window) pointers(n int, base R, step string) {
	w.Go("ADD %v, %v, %v", base, winAtR, winPixelR)
	if n == 1 {
		return
	}
	w.Go("MOVD %s(R0), %v", step, winTmpR)
	for i := 1; i < n; i++ {
		w.Go("ADD %v<<2, %v, %v", winTmpR, winPixelR+R(i-1), winPixelR+R(i))
	}
}

// block computes some pixels of the channels at winAtR.
func (w *window) block(op *reduction, pixels int, id string) {
	acc := make([][]V, pixels)
	for i := range acc {
		acc[i] = group(V(i*w.parts), w.parts)
	}
	w.starts(op, acc, id)
	w.pointers(pixels, winSrcR, winSrcStep)
	if op.weighted {
		w.Go("MOVD %s(R0), %v", winW, winWR)
		w.Go("ADD %v, %v, %v", winAtR, winWR, winWR)
	}
	w.Go("MOVD %s(R0), %v", winTaps, winTapR)
	w.Go("MOVD %s(R0), %v", winNTaps, winTapsR)
	w.Go("CBZ %v, %ssummed", winTapsR, id)
	w.Label(id + "tap")
	w.tap(op, acc)
	w.Go("SUBS $1, %v, %v", winTapsR, winTapsR)
	w.Go("BNE %stap", id)
	w.Label(id + "summed")
	op.finish(w, acc)
	w.pointers(pixels, winDstR, winDstStep)
	for i, row := range acc {
		for j, v := range row {
			w.Store(w.size, v, winPixelR+R(i), 16*j)
		}
	}
}

// starts fills the accumulators of the first pixel and copies them.
func (w *window) starts(op *reduction, acc [][]V, id string) {
	for _, v := range acc[0] {
		op.start(w, v)
	}
	if op.weighted {
		w.Go("MOVD %s(R0), %v", winBias, winTmpR)
		w.Go("CBZ %v, %sstarted", winTmpR, id)
		w.Go("ADD %v, %v, %v", winAtR, winTmpR, winTmpR)
		for j, v := range acc[0] {
			w.Load(w.size, v, winTmpR, 16*j)
		}
		w.Label(id + "started")
	}
	for _, row := range acc[1:] {
		for j, v := range row {
			w.Move(v, acc[0][j])
		}
	}
}

// tap accumulates one position of the windows.
func (w *window) tap(op *reduction, acc [][]V) {
	w.Go("MOVW (%v), %v", winTapR, winOffR)
	if op.weighted {
		w.Go("MOVW 4(%v), %v", winTapR, winTmpR)
		w.Go("ADD %v<<2, %v, %v", winTmpR, winWR, winTmpR)
		for j := range acc[0] {
			w.Load(w.size, winWeightV+V(j), winTmpR, 16*j)
		}
	}
	w.Go("ADD $8, %v, %v", winTapR, winTapR)
	for i, row := range acc {
		w.Go("ADD %v<<2, %v, %v", winOffR, winPixelR+R(i), winTmpR)
		for j, v := range row {
			x := winXV + V((i*len(row)+j)%8)
			w.Load(w.size, x, winTmpR, 16*j)
			op.step(w, v, x, winWeightV+V(j))
		}
	}
}

// depthwise starts from the bias and ends with residual and clamp.
var depthwise = &reduction{
	name:     "depthwise",
	weighted: true,
	start:    func(w *window, acc V) { w.Zero(acc) },
	step:     func(w *window, acc, x, weight V) { w.Do(FMLA, acc, x, weight) },
	finish: func(w *window, acc [][]V) {
		label := w.Unique("clamp")
		w.Go("CBZ %v, %s", winResR, label)
		w.pointers(len(acc), winResR, winResStep)
		for i, row := range acc {
			for j, v := range row {
				w.Load(w.size, winXV, winPixelR+R(i), 16*j)
				w.Do(FADD, v, v, winXV)
			}
		}
		w.Label(label)
		for _, row := range acc {
			for _, v := range row {
				clamp(w.File, v, winLoV, winHiV, winXV)
			}
		}
	},
}

// maxpool passes over NaN.
var maxpool = &reduction{
	name: "maxpool",
	start: func(w *window, acc V) {
		w.Consts(winTmpR)
		w.Const(acc, winTmpR, float32(Inf(-1)))
	},
	step: func(w *window, acc, x, _ V) {
		w.Do(FCMGT, winWeightV, x, acc)
		w.Do(BIT, acc, x, winWeightV)
	},
	finish: func(*window, [][]V) {},
}

var sumpool = &reduction{
	name:  "sumpool",
	start: func(w *window, acc V) { w.Zero(acc) },
	step:  func(w *window, acc, x, _ V) { w.Do(FADD, acc, acc, x) },
	finish: func(w *window, acc [][]V) {
		w.RepeatAt(winXV, 0, winScale, winTmpR)
		for _, row := range acc {
			for _, v := range row {
				w.Do(FMUL, v, v, winXV)
			}
		}
	},
}
