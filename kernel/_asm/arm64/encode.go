package main

import . "pare-asm/neon"

// Fields of kernel.gridArgs.
const (
	gridDst    = "gridArgs_dst"
	gridSrc    = "gridArgs_src"
	gridStep   = "gridArgs_step"
	gridLo     = "gridArgs_lo"
	gridHi     = "gridArgs_hi"
	gridZero   = "gridArgs_zero"
	gridCuts   = "gridArgs_cuts"
	gridLevels = "gridArgs_levels"
	gridSquare = "gridArgs_square"
	gridEnergy = "gridArgs_energy"
	gridTop    = "gridArgs_top"
	gridN      = "gridArgs_n"
)

// Registers of encoders: what it costs in eight parts, the numbers, their codes
// and what these stand for.
const (
	squareV V = 0
	energyV V = 4
	topV    V = 8
	gridXV  V = 12
	gridYV  V = 14
	gridQV  V = 16
	gridTV  V = 18 // spare, and five more
	stepV   V = 28
	gridLoV V = 29
	gridHiV V = 30
	zeroV   V = 31
)

func encoders(f *File) {
	encoder(f, "encodeSteps", "rounds to steps", func() {
		f.Const(24, constsR, 3<<22)
	}, func(j V) {
		x, y, q := gridXV+j, gridYV+j, gridQV+j
		f.Do(FDIV, y, x, stepV)
		f.Do(FMAX, y, y, gridLoV)
		f.Do(FMIN, y, y, gridHiV)
		// The sum with so large a number rounds to integers.
		f.Do(FADD, y, y, 24)
		f.Do(FSUB, y, y, 24)
		f.Do2(FCVTZS, q, y)
		f.Do(FMUL, y, y, stepV)
	})
	encodeLevels(f)
}

// encoder writes a loop over groups of eight: code finds code and value of a
// vector of numbers.
func encoder(f *File, name, doc string, ready func(), code func(j V)) {
	f.Text(name+"NEON", "(a *byte)", 8, doc+" and adds up what that costs, of the first n/8*8 numbers.")
	blockArgs(f, gridDst, map[R]string{srcAR: gridSrc}, []string{gridStep, gridLo, gridHi, gridZero}, stepV)
	f.Consts(constsR)
	ready()
	tally(f, f.Load)
	f.Label("turn")
	f.Go("CMP $8, %v", countR)
	f.Go("BLT end")
	for j := range V(2) {
		f.Load(Full, gridXV+j, srcAR, 16*int(j))
	}
	for j := range V(2) {
		code(j)
		f.Do(ADD, gridQV+j, gridQV+j, zeroV)
	}
	f.Do(UZP1H, gridQV, gridQV, gridQV+1)
	f.Do2(XTN, gridQV, gridQV)
	f.Store(Half, gridQV, dstR, 0)
	for i := range V(4) {
		count(f, i)
	}
	f.Go("ADD $8, %v, %v", dstR, dstR)
	f.Go("ADD $32, %v, %v", srcAR, srcAR)
	f.Go("SUB $8, %v, %v", countR, countR)
	f.Go("B turn")
	f.Label("end")
	tally(f, f.Store)
	f.Go("RET")
}

// tally moves the sums of all parts.
func tally(f *File, move func(Size, V, R, int)) {
	for _, part := range []struct {
		first V
		field string
	}{{squareV, gridSquare}, {energyV, gridEnergy}, {topV, gridTop}} {
		f.Go("ADD $%s, R0, R6", part.field)
		for i := range 4 {
			move(Full, part.first+V(i), 6, 16*i)
		}
	}
}

// count adds two numbers to parts 2i and 2i+1.
func count(f *File, i V) {
	v, d := gridTV, gridTV+1
	widen := FCVTL
	if i%2 == 1 {
		widen = FCVTL2
	}
	f.Do2(widen, v, gridXV+i/2)
	f.Do2(widen, d, gridYV+i/2)
	f.Do(FSUBD, d, v, d)
	f.Do(FMULD, v, v, v)
	f.Do(FADDD, energyV+i, energyV+i, v)
	f.Do(FMULD, v, d, d)
	f.Do(FADDD, squareV+i, squareV+i, v)
	f.Do2(FABSD, d, d)
	f.Do(FMAXD, topV+i, topV+i, d)
}

// encodeLevels counts the limits that a magnitude reaches and looks its level up
// by bytes, in four registers.
func encodeLevels(f *File) {
	const levelsV, spreadV, bytesV V = 24, 22, 23
	encoder(f, "encodeLevels", "finds levels", func() {
		f.Go("ADD $%s, R0, R6", gridLevels)
		for i := range V(4) {
			f.Load(Full, levelsV+i, 6, 16*int(i))
		}
		f.ConstBits(spreadV, constsR, 0x04040404)
		f.ConstBits(bytesV, constsR, 0x03020100)
	}, func(j V) {
		x, y, q, t, cut := gridXV+j, gridYV+j, gridQV+j, gridTV, gridTV+1
		again, found := f.Unique("cut"), f.Unique("found")
		f.Do(FDIV, y, x, stepV)
		f.Do2(FABS, y, y)
		f.Zero(q)
		f.Go("ADD $(%s+4), R0, R6", gridCuts)
		f.Go("MOVD %s(R0), R7", gridN)
		f.Label(again)
		f.Go("SUBS $1, R7, R7")
		f.Go("BLE %s", found)
		f.RepeatNext(cut, 6)
		f.Do(FCMGE, cut, y, cut)
		f.Do(SUB, q, q, cut)
		f.Go("B %s", again)
		f.Label(found)
		f.Do(MUL, t, q, spreadV)
		f.Do(ADD, t, t, bytesV)
		f.Table(y, levelsV, t, false)
		// What is negative has the negative code and level.
		f.Zero(t)
		f.Do(FCMGT, t, t, x)
		f.Do2(FNEG, cut, y)
		f.Do(BIT, y, cut, t)
		f.Do(EOR, q, q, t)
		f.Do(SUB, q, q, t)
	})
}
