package main

import (
	"fmt"

	. "pare-asm/neon"
)

// Fields of kernel.intArgs. The compiler tells the assembler where they are.
const (
	intC      = "intArgs_c"
	intLDC    = "intArgs_ldc"
	intStart  = "intArgs_start"
	intMul    = "intArgs_mul"
	intAdd    = "intArgs_add"
	intRes    = "intArgs_res"
	intLDR    = "intArgs_ldr"
	intStore  = "intArgs_store"
	intResMul = "intArgs_resMul"
	intLo     = "intArgs_lo"
	intHi     = "intArgs_hi"
	intZero   = "intArgs_zero"
	intMid    = "intArgs_mid"
	intMidLo  = "intArgs_midLo"
	intMidHi  = "intArgs_midHi"
	intMidMul = "intArgs_midMul"
	intLast   = "intArgs_last"
	intExtra  = "intArgs_extra"
	intLDE    = "intArgs_lde"
)

// Kinds of kernel.intStore.
const storeFloat, storeSums = 1, 2

// intTiles generates the tiles of u8 codes and s8 weights.
func intTiles(f *File) {
	for m := 1; m <= 8; m++ {
		if m <= 6 {
			dotTile(f, m, 16)
		}
		dotTile(f, m, 8)
		if m <= 4 {
			planeTile(f, m, 16)
		}
		planeTile(f, m, 8)
	}
	for m := 1; m <= 12; m++ {
		channelTile(f, m)
	}
}

func intFrame(f *File) *frame {
	return &frame{File: f, args: "intArgs"}
}

// dotTile multiplies quads of bytes. SDOT takes signed ones, so codes are lowered
// by 128, and what the sums start with makes up for it.
func dotTile(file *File, m, width int) {
	f, a := intFrame(file), newAcc(m, width/4)
	f.mul = SDOTLane
	f.ready = func(x []V, tmp V) {
		f.Bytes(tmp, 128)
		for _, v := range x {
			f.Do(EOR, v, v, tmp)
		}
	}
	f.begin(fmt.Sprintf("inttile%dx%dDotNEON", m, width), m, width)
	f.start(a)
	f.sum(a)
	f.finish(a)
	f.next(m, [2]string{intExtra, intLDE})
}

// begin opens a tile.
func (f *frame) begin(name string, m, width int) {
	f.Text(name, "(t *byte)", 8, fmt.Sprintf("computes tiles of %d rows and %d columns.", m, width))
	f.Go("MOVD t+0(FP), %v", argR)
	f.Label("tile")
}

// start loads what every row starts with.
func (f *frame) start(a acc) {
	f.Go("MOVD %s(%v), %v", intStart, argR, xR)
	for j, v := range a[0] {
		f.Load(Full, v, xR, 16*j)
	}
	for _, row := range a[1:] {
		for j, v := range row {
			f.Move(v, a[0][j])
		}
	}
}

// channelTile multiplies channel by channel: a line of the panel, int32 whose
// upper halves are signs, holds one tap, which is a segment.
func channelTile(file *File, m int) {
	f, a := intFrame(file), newAcc(m, 2)
	w, x := a.free(), a.free()+2
	f.begin(fmt.Sprintf("inttile%dx8ChannelsNEON", m), m, 8)
	f.start(a)
	f.pointers(m)
	f.Label("tap")
	f.Go("MOVD (%v), %v", segR, atR)
	f.Go("ADD $16, %v, %v", segR, segR)
	f.Load(Full, w, lineR, 0)
	f.Load(Full, w+1, lineR, 16)
	f.Do(UZP1H, w, w, w+1)
	f.Go("ADD $32, %v, %v", lineR, lineR)
	for r, row := range a {
		v := x + V(r%4)
		f.LoadAt(Half, v, rowR(r), atR)
		f.Do2(UXTLB, v, v)
		f.Do(SMLAL, row[0], w, v)
		f.Do(SMLAL2, row[1], w, v)
	}
	f.Go("SUBS $1, %v, %v", segsR, segsR)
	f.Go("BNE tap")
	f.finish(a)
	f.next(m, [2]string{intExtra, intLDE})
}

// Registers of planeTile. SMLAL takes elements of the first half of all registers
// only, so what is read of rows stands first.
const planeRowsV, planeAccV, planeW V = 0, 8, 24

// planeTile widens codes and weights to words and multiplies one of a quad at a
// time, for processors without dot products.
func planeTile(file *File, m, width int) {
	f, a := intFrame(file), newAcc(m, width/4)
	for _, row := range a {
		for j := range row {
			row[j] += planeAccV
		}
	}
	f.begin(fmt.Sprintf("inttile%dx%dPlanesNEON", m, width), m, width)
	f.start(a)
	f.pointers(m)
	f.Label("segment")
	f.seg()
	f.Go("SUBS $2, %v, %v", leftR, leftR)
	f.Go("BLT rest")
	f.Label("two")
	f.planes(a, Half)
	f.Go("SUBS $2, %v, %v", leftR, leftR)
	f.Go("BGE two")
	f.Label("rest")
	f.Go("ADDS $2, %v, %v", leftR, leftR)
	f.Go("BEQ end")
	f.planes(a, Word)
	f.Label("end")
	f.Go("SUBS $1, %v, %v", segsR, segsR)
	f.Go("BNE segment")
	f.finish(a)
	f.next(m, [2]string{intExtra, intLDE})
}

// planes multiplies so many bytes of every row.
func (f *frame) planes(a acc, s Size) {
	width := 4 * len(a[0])
	for r := range a {
		f.LoadAt(s, planeRowsV+V(r), rowR(r), atR)
		f.Do2(UXTLB, planeRowsV+V(r), planeRowsV+V(r))
	}
	at := func(k int) V { return planeW + V(2*k%8) }
	ahead(int(s), func(k int) {
		w := at(k)
		if width == 16 {
			f.Load(Full, w, lineR, width*k)
			f.Do2(SXTL2B, w+1, w)
		} else {
			f.Load(Half, w, lineR, width*k)
		}
		f.Do2(SXTLB, w, w)
	}, func(k int) {
		for r, row := range a {
			for j, v := range row {
				f.ByWord(v, at(k)+V(j/2), planeRowsV+V(r), k, j%2 == 1)
			}
		}
	})
	f.Go("ADD $%d, %v, %v", s, atR, atR)
	f.Go("ADD $%d, %v, %v", width*int(s), lineR, lineR)
}
