package main

import . "pare-asm/neon"

// General registers of transposes.
const (
	trDstR   R = 1
	trSrcR   R = 2
	trRowsR  R = 3 // rows left
	trColsR  R = 4 // columns left
	trLDSR   R = 5 // bytes from row to row
	trLDDR   R = 6
	trFromR  R = 7
	trToR    R = 8
	trAtR    R = 9
	trEachR  R = 10
	trCountR R = 11
)

// transpose takes squares of four, and elements one by one beside them.
func transpose(f *File) {
	f.Text("transposeNEON", "(dst, src *float32, rows, cols int)", 32, "writes the transpose of a matrix of rows and columns.")
	f.Go("MOVD dst+0(FP), %v", trDstR)
	f.Go("MOVD src+8(FP), %v", trSrcR)
	f.Go("MOVD rows+16(FP), %v", trRowsR)
	f.Go("MOVD cols+24(FP), %v", trColsR)
	f.Go("LSL $2, %v, %v", trColsR, trLDSR)
	f.Go("LSL $2, %v, %v", trRowsR, trLDDR)
	for _, n := range []int{4, 1} {
		band := f.Unique("band")
		f.Label(band)
		f.Go("CMP $%d, %v", n, trRowsR)
		f.Go("BLT %send", band)
		f.Go("MOVD cols+24(FP), %v", trColsR)
		f.Go("MOVD %v, %v", trSrcR, trFromR)
		f.Go("MOVD %v, %v", trDstR, trToR)
		for _, m := range []int{4, 1} {
			columns(f, n, m)
		}
		f.Go("MOVD $%d, %v", n, trCountR)
		f.Go("MADD %v, %v, %v, %v", trLDSR, trSrcR, trCountR, trSrcR)
		f.Go("ADD $%d, %v, %v", 4*n, trDstR, trDstR)
		f.Go("SUB $%d, %v, %v", n, trRowsR, trRowsR)
		f.Go("B %s", band)
		f.Label(band + "end")
	}
	f.Go("RET")
}

// columns goes along n rows, m columns at a time.
func columns(f *File, n, m int) {
	next := f.Unique("next")
	f.Label(next)
	f.Go("CMP $%d, %v", m, trColsR)
	f.Go("BLT %send", next)
	f.Go("MOVD %v, %v", trFromR, trAtR)
	f.Go("MOVD %v, %v", trToR, trEachR)
	size := map[int]Size{4: Full, 1: Word}
	for r := range n {
		f.Load(size[m], V(r), trAtR, 0)
		f.Go("ADD %v, %v, %v", trLDSR, trAtR, trAtR)
	}
	f.Do(TRN1, 4, 0, 1)
	f.Do(TRN2, 5, 0, 1)
	f.Do(TRN1, 6, 2, 3)
	f.Do(TRN2, 7, 2, 3)
	f.Do(TRN1D, 0, 4, 6)
	f.Do(TRN1D, 1, 5, 7)
	f.Do(TRN2D, 2, 4, 6)
	f.Do(TRN2D, 3, 5, 7)
	for c := range m {
		f.Store(size[n], V(c), trEachR, 0)
		f.Go("ADD %v, %v, %v", trLDDR, trEachR, trEachR)
	}
	f.Go("ADD $%d, %v, %v", 4*m, trFromR, trFromR)
	f.Go("MOVD %v, %v", trEachR, trToR)
	f.Go("SUB $%d, %v, %v", m, trColsR, trColsR)
	f.Go("B %s", next)
	f.Label(next + "end")
}
