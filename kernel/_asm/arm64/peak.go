package main

import . "pare-asm/neon"

// peaks are loops of multiply-adds on 24 registers.
func peaks(f *File) {
	for _, p := range []struct {
		name string
		op   Op3
	}{{"peakNEON", FMLA}, {"intPeakDotNEON", SDOT}} {
		f.Text(p.name, "(turns int)", 8, "runs a loop of multiply-adds.")
		f.Go("MOVD turns+0(FP), R0")
		for v := range V(26) {
			f.Zero(v)
		}
		f.Label("loop")
		for v := range V(24) {
			f.Do(p.op, v, 24, 25)
		}
		f.Go("SUBS $1, R0, R0")
		f.Go("BNE loop")
		f.Go("RET")
	}
}
