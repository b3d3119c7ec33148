package main

import (
	"fmt"

	. "pare-asm/neon"
)

// Fields of kernel.splitArgs.
const (
	splitSrc     = "splitArgs_src"
	splitWeights = "splitArgs_weights"
	splitZ       = "splitArgs_z"
	splitY       = "splitArgs_y"
	splitTaps    = "splitArgs_taps"
	splitChunks  = "splitArgs_chunks"
	splitNChunks = "(splitArgs_chunks+8)"
	splitTerms   = "splitArgs_terms"
	splitStarts  = "splitArgs_starts"
	splitNStarts = "(splitArgs_starts+8)"
	splitPitch   = "splitArgs_pitch"
	splitWidth   = "splitArgs_width"
	splitFirst   = "splitArgs_first"
)

// splitStep is the bytes between the products of one kernel and the next.
const splitStep = 256

// split writes the loops of split convolutions: vectors lie along the pixels.
func split(f *File) {
	splitProducts(f)
	splitSums(f)
}

// General registers of both loops.
const (
	spSrcR   R = 1 // the channel's pixels
	spWR     R = 2
	spZR     R = 3
	spChunkR R = 4
	spLeftR  R = 5 // chunks, or outputs
	spTapR   R = 6
	spTapsR  R = 7
	spWideR  R = 8 // pixels left
	spAtR    R = 9 // bytes of the pixels done
	spWAtR   R = 10
	spOffR   R = 11
	spTmpR   R = 12
	spYR     R = 13
	spTermR  R = 14
)

// splitProducts filters channel after channel, by one or two kernels, over 32 or 16
// pixels at a time.
func splitProducts(f *File) {
	f.Text("splitProductsNEON", "(a *byte)", 8, "filters channels by the kernels of a block.")
	f.Go("MOVD a+0(FP), R0")
	f.Go("MOVD %s(R0), %v", splitNChunks, spLeftR)
	f.Go("CBZ %v, end", spLeftR)
	f.Go("MOVD %s(R0), %v", splitWeights, spWR)
	f.Go("MOVD %s(R0), %v", splitZ, spZR)
	f.Go("MOVD %s(R0), %v", splitChunks, spChunkR)
	f.Label("chunk")
	f.Go("MOVW (%v), %v", spChunkR, spSrcR)
	f.Go("MOVD %s(R0), %v", splitPitch, spTmpR)
	f.Go("MUL %v, %v, %v", spTmpR, spSrcR, spSrcR)
	f.Go("MOVD %s(R0), %v", splitSrc, spTmpR)
	f.Go("ADD %v<<2, %v, %v", spSrcR, spTmpR, spSrcR)
	f.Go("MOVW 4(%v), %v", spChunkR, spTmpR)
	f.Go("CMP $1, %v", spTmpR)
	f.Go("BEQ one")
	splitKernels(f, "two", 2)
	f.Go("B next")
	f.Label("one")
	splitKernels(f, "one", 1)
	f.Label("next")
	f.Go("ADD $16, %v, %v", spChunkR, spChunkR)
	f.Go("SUB $1, %v, %v", spLeftR, spLeftR)
	f.Go("CBNZ %v, chunk", spLeftR)
	f.Label("end")
	f.Go("RET")
}

// splitKernels emits n kernels over all pixels.
func splitKernels(f *File, id string, n int) {
	f.Go("MOVD %s(R0), %v", splitWidth, spWideR)
	f.Go("MOVD ZR, %v", spAtR)
	f.Label(id + "wide")
	f.Go("CMP $32, %v", spWideR)
	f.Go("BLT %srest", id)
	splitTile(f, id+"wide", n, 8)
	f.Go("B %swide", id)
	f.Label(id + "rest")
	f.Go("CBZ %v, %sdone", spWideR, id)
	splitTile(f, id+"rest", n, 4)
	f.Label(id + "done")
	f.Go("MOVD %v, %v", spWAtR, spWR)
	f.Go("ADD $%d, %v, %v", n*splitStep, spZR, spZR)
}

// splitTile emits n kernels of count vectors and moves on.
func splitTile(f *File, id string, n, count int) {
	const factors, x V = 16, 20
	for i := range n * count {
		f.Zero(V(i))
	}
	f.Go("MOVD %v, %v", spWR, spWAtR)
	f.Go("MOVW 8(%v), %v", spChunkR, spTapR)
	f.Go("MOVD %s(R0), %v", splitTaps, spTmpR)
	f.Go("ADD %v<<2, %v, %v", spTapR, spTmpR, spTapR)
	f.Go("MOVW 12(%v), %v", spChunkR, spTapsR)
	f.Label(id + "tap")
	f.Go("MOVW.P 4(%v), %v", spTapR, spOffR)
	f.Go("ADD %v<<2, %v, %v", spOffR, spSrcR, spOffR)
	f.Go("ADD %v, %v, %v", spAtR, spOffR, spOffR)
	for j := range n {
		f.RepeatNext(factors+V(j), spWAtR)
	}
	for i := range count {
		f.Load(Full, x+V(i), spOffR, 16*i)
		for j := range n {
			f.Do(FMLA, V(j*count+i), x+V(i), factors+V(j))
		}
	}
	f.Go("SUB $1, %v, %v", spTapsR, spTapsR)
	f.Go("CBNZ %v, %stap", spTapsR, id)
	f.Go("ADD %v, %v, %v", spAtR, spZR, spTmpR)
	for j := range n {
		for i := range count {
			f.Store(Full, V(j*count+i), spTmpR, j*splitStep+16*i)
		}
	}
	f.Go("ADD $%d, %v, %v", 16*count, spAtR, spAtR)
	f.Go("SUB $%d, %v, %v", 4*count, spWideR, spWideR)
}

// splitSums adds the terms of outputs, in a loop for every width.
func splitSums(f *File) {
	f.Text("splitSumsNEON", "(a *byte)", 8, "adds the terms of outputs.")
	f.Go("MOVD a+0(FP), R0")
	f.Go("MOVD %s(R0), %v", splitNStarts, spLeftR)
	f.Go("SUB $1, %v, %v", spLeftR, spLeftR)
	f.Go("CMP $0, %v", spLeftR)
	f.Go("BLE end")
	for _, l := range []struct {
		field string
		to    R
	}{{splitZ, spZR}, {splitY, spYR}, {splitTerms, spTermR}, {splitStarts, spChunkR}, {splitWidth, spWideR}} {
		f.Go("MOVD %s(R0), %v", l.field, l.to)
	}
	f.Go("MOVBU %s(R0), %v", splitFirst, spAtR)
	f.Go("CMP $32, %v", spWideR)
	f.Go("BGT by64")
	f.Go("BEQ by32")
	for _, width := range []int{16, 32, 64} {
		splitOutputs(f, fmt.Sprintf("by%d", width), width/4)
		f.Go("RET")
	}
	f.Label("end")
	f.Go("RET")
}

// splitOutputs emits the walk over outputs of count vectors.
func splitOutputs(f *File, id string, count int) {
	const factor, x V = 16, 20
	f.Label(id)
	f.Go("MOVW (%v), %v", spChunkR, spTmpR)
	f.Go("MOVW 4(%v), %v", spChunkR, spTapsR)
	f.Go("SUB %v, %v, %v", spTmpR, spTapsR, spTapsR)
	f.Go("CBNZ %v, %szero", spAtR, id)
	f.Go("CBZ %v, %snext", spTapsR, id)
	for i := range count {
		f.Load(Full, V(i), spYR, 16*i)
	}
	f.Go("B %sterm", id)
	f.Label(id + "zero")
	for i := range count {
		f.Zero(V(i))
	}
	f.Go("CBZ %v, %sstore", spTapsR, id)
	f.Label(id + "term")
	f.Go("MOVW.P 4(%v), %v", spTermR, spOffR)
	f.RepeatNext(factor, spTermR)
	f.Go("ADD %v<<2, %v, %v", spOffR, spZR, spOffR)
	for i := range count {
		f.Load(Full, x+V(i%8), spOffR, 16*i)
		f.Do(FMLA, V(i), x+V(i%8), factor)
	}
	f.Go("SUB $1, %v, %v", spTapsR, spTapsR)
	f.Go("CBNZ %v, %sterm", spTapsR, id)
	f.Label(id + "store")
	for i := range count {
		f.Store(Full, V(i), spYR, 16*i)
	}
	f.Label(id + "next")
	f.Go("ADD $%d, %v, %v", splitStep, spYR, spYR)
	f.Go("ADD $4, %v, %v", spChunkR, spChunkR)
	f.Go("SUB $1, %v, %v", spLeftR, spLeftR)
	f.Go("CBNZ %v, %s", spLeftR, id)
}
