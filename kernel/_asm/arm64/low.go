package main

import (
	"fmt"

	. "pare-asm/neon"
)

// Fields of kernel.lowArgs.
const (
	lowSrc    = "lowArgs_src"
	lowLDS    = "lowArgs_lds"
	lowB      = "lowArgs_b"
	lowLevels = "lowArgs_levels"
	lowSums   = "lowArgs_sums"
	lowSteps  = "lowArgs_steps"
	lowBlocks = "lowArgs_blocks"
)

// General registers of products of codes.
const (
	lowStepsR  R = 1 // lines left
	lowBR      R = 2
	lowSumsR   R = 3
	lowBlocksR R = 4
	lowTmpR    R = 5
	lowRowR    R = 8 // and those of further rows
)

// Vector registers of products of codes, behind the sums: levels raised by 128,
// so that they have no sign, a mask, and ones that add up the bytes of a row.
const (
	lowTableV V = 29
	lowMaskV  V = 30
	lowOnesV  V = 31
)

func low(f *File) {
	for _, bits := range []int{2, 4, 8} {
		for m := 1; m <= 3; m++ {
			l := &lowTile{File: f, bits: bits, m: m, sum: newAcc(m, 4)}
			l.total, l.x = l.sum.free(), l.sum.free()+V(m)
			l.w = l.x + V(m)
			l.write()
		}
	}
	worth(f)
}

// lowTile multiplies m rows of bytes by panels of sixteen columns of codes.
type lowTile struct {
	*File
	bits, m int
	sum     acc
	// total is where the sums of the rows' bytes are, x bytes of the rows, w
	// codes and weights.
	total, x, w V
}

func (l *lowTile) write() {
	l.Text(fmt.Sprintf("low%dx%dDotNEON", l.bits, l.m), "(a *byte)", 8, fmt.Sprintf("multiplies %d rows by codes of %d bits.", l.m, l.bits))
	l.Go("MOVD a+0(FP), R0")
	l.Go("MOVD %s(R0), %v", lowB, lowBR)
	l.Go("MOVD %s(R0), %v", lowSums, lowSumsR)
	l.Go("MOVD %s(R0), %v", lowBlocks, lowBlocksR)
	l.Go("MOVD %s(R0), %v", lowSrc, lowRowR)
	l.Go("MOVD %s(R0), %v", lowLDS, lowTmpR)
	for r := 1; r < l.m; r++ {
		l.Go("ADD %v, %v, %v", lowTmpR, lowRowR+R(r-1), lowRowR+R(r))
	}
	l.Bytes(lowOnesV, 128)
	l.Bytes(lowMaskV, 1<<l.bits-1)
	if l.bits == 8 {
		l.Move(lowTableV, lowOnesV)
	} else {
		l.Go("MOVD %s(R0), %v", lowLevels, lowTmpR)
		l.Load(Full, lowTableV, lowTmpR, 0)
		l.Do(EOR, lowTableV, lowTableV, lowOnesV)
	}
	l.Bytes(lowOnesV, 1)
	l.Label("block")
	l.sum.each(l.Zero)
	for r := range l.m {
		l.Zero(l.total + V(r))
	}
	l.Go("MOVD %s(R0), %v", lowSteps, lowStepsR)
	l.turns(16 / l.rows())
	l.turns(1)
	l.finish()
	l.Go("SUBS $1, %v, %v", lowBlocksR, lowBlocksR)
	l.Go("BNE block")
	l.Go("RET")
}

// rows is how many rows of the matrix a line holds.
func (l *lowTile) rows() int { return 4 * max(1, 4/l.bits) }

// turns multiplies n lines at a time, while there are so many.
func (l *lowTile) turns(n int) {
	again, end := l.Unique("again"), l.Unique("end")
	l.Label(again)
	l.Go("CMP $%d, %v", n, lowStepsR)
	l.Go("BLT %s", end)
	size := Size(n * l.rows())
	for r := range l.m {
		l.Load(size, l.x+V(r), lowRowR+R(r), 0)
		l.Go("ADD $%d, %v, %v", size, lowRowR+R(r), lowRowR+R(r))
		l.Do(UDOT, l.total+V(r), lowOnesV, l.x+V(r))
	}
	at := 0
	for line := range n {
		at = l.line(at, line*l.rows()/4)
	}
	l.Go("ADD $%d, %v, %v", at, lowBR, lowBR)
	l.Go("SUB $%d, %v, %v", n, lowStepsR, lowStepsR)
	l.Go("B %s", again)
	l.Label(end)
}

// line multiplies quads of the rows, from the given one on, by a line at an offset,
// and returns the end of the line.
func (l *lowTile) line(at, quad int) int {
	w := group(l.w, 4)
	if l.bits == 8 {
		for j := range w {
			l.Load(Full, w[0], lowBR, at+16*j)
			l.Do(EOR, w[0], w[0], lowTableV)
			l.dot(j, w[0], quad)
		}
		return at + 64
	}
	l.Load(Full, w[0], lowBR, at)
	l.Load(Full, w[1], lowBR, at+16)
	for q := range l.rows() / 4 {
		for half := range 2 {
			for j := range 2 {
				l.codes(w[2+j], w[j], 2*q+half)
				l.Table16(w[2+j], lowTableV, w[2+j])
				l.dot(2*half+j, w[2+j], quad+q)
			}
		}
	}
	return at + 32
}

// codes brings the codes at a place of every byte to its bottom.
func (l *lowTile) codes(d, n V, place int) {
	if place > 0 {
		l.RightBytes(d, n, place*l.bits)
		n = d
	}
	if (place+1)*l.bits < 8 {
		l.Do(AND, d, n, lowMaskV)
	}
}

func (l *lowTile) dot(j int, w V, quad int) {
	for r, row := range l.sum {
		l.ByLane(UDOTLane, row[j], w, l.x+V(r), quad)
	}
}

// finish takes away what raising the levels has added, and stores the sums.
func (l *lowTile) finish() {
	for r, row := range l.sum {
		t := l.total + V(r)
		l.Total(t, t)
		l.Left(t, t, 7)
		for j, v := range row {
			l.Do(SUB, v, v, t)
			l.Store(Full, v, lowSumsR, 16*(4*r+j))
		}
	}
	l.Go("ADD $%d, %v, %v", 64*l.m, lowSumsR, lowSumsR)
}

// Fields of kernel.worthArgs.
const (
	worthDst    = "worthArgs_dst"
	worthSums   = "worthArgs_sums"
	worthPitch  = "worthArgs_pitch"
	worthScale  = "worthArgs_scale"
	worthOffset = "worthArgs_offset"
	worthShift  = "worthArgs_shift"
	worthData   = "worthArgs_data"
	worthBlocks = "worthArgs_blocks"
	worthStep   = "worthArgs_step"
)

// worth writes the loop over blocks, for sixteen columns.
func worth(f *File) {
	const sums, pitch, scale, offset, shift, data, blocks R = 1, 2, 3, 4, 5, 6, 7
	f.Text("lowWorthNEON", "(a *byte)", 8, "turns the sums of blocks into floats.")
	f.Go("MOVD a+0(FP), R0")
	for i, off := range []string{worthSums, worthPitch, worthScale, worthOffset, worthShift, worthData, worthBlocks} {
		f.Go("MOVD %s(R0), %v", off, R(1+i))
	}
	f.RepeatAt(31, 0, worthStep, 8)
	dst := group(0, 4)
	for _, v := range dst {
		f.Zero(v)
	}
	f.Label("block")
	planes(f, sums, scale, offset, dst)
	f.Go("ADD %v, %v, %v", pitch, sums, sums)
	f.Go("ADD $64, %v, %v", scale, scale)
	f.Go("ADD $64, %v, %v", offset, offset)
	f.Go("CBZ %v, unshifted", shift)
	f.Repeat(30, data)
	for j, v := range dst {
		f.Load(Full, 4, shift, 16*j)
		f.Do(FMLA, v, 4, 30)
	}
	f.Go("ADD $4, %v, %v", data, data)
	f.Go("ADD $64, %v, %v", shift, shift)
	f.Label("unshifted")
	f.Go("SUBS $1, %v, %v", blocks, blocks)
	f.Go("BNE block")
	f.Go("MOVD %s(R0), %v", worthDst, R(8))
	for j, v := range dst {
		f.Store(Full, v, 8, 16*j)
	}
	f.Go("RET")
}

// planes adds a block: the sums of its three planes, put together and scaled.
func planes(f *File, sums, scale, offset R, dst []V) {
	for j, v := range dst {
		s, t := V(4+2*j), V(5+2*j)
		f.Load(Full, s, sums, 16*j)
		f.Load(Full, t, offset, 16*j)
		f.Do(SUB, s, s, t)
		f.Do2(SCVTF, s, s)
		for plane := 1; plane < 3; plane++ {
			f.Load(Full, t, sums, 64*plane+16*j)
			f.Do2(SCVTF, t, t)
			f.Do(FMLA, t, s, 31)
			s, t = t, s
		}
		f.Load(Full, t, scale, 16*j)
		f.Do(FMLA, v, s, t)
	}
}
