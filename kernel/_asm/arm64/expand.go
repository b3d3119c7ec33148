package main

import . "pare-asm/neon"

// Fields of kernel.expandArgs.
const (
	expDst  = "expandArgs_dst"
	expSrc  = "expandArgs_src"
	expLDD  = "expandArgs_ldd"
	expLDS  = "expandArgs_lds"
	expRows = "expandArgs_rows"
	expAdd  = "expandArgs_add"
)

// expand looks the sixteen numbers of a row up by a table of their bytes.
func expand(f *File) {
	const lddR, ldsR, rowsR R = 5, 6, 4
	f.Text("expandNEON", "(a, index *byte)", 16, "spreads rows over the lanes that an index of bytes names.")
	f.Go("MOVD a+0(FP), R0")
	f.Go("MOVD index+8(FP), %v", R(7))
	for j := range 4 {
		f.Load(Full, 16+V(j), 7, 16*j)
	}
	f.Go("MOVD %s(R0), %v", expDst, dstR)
	f.Go("MOVD %s(R0), %v", expSrc, srcAR)
	f.Go("MOVD %s(R0), %v", expLDD, lddR)
	f.Go("MOVD %s(R0), %v", expLDS, ldsR)
	f.Go("MOVD %s(R0), %v", expRows, rowsR)
	f.Go("MOVBU %s(R0), %v", expAdd, R(7))
	f.Go("CBZ %v, done", rowsR)
	f.Label("row")
	for j := range 4 {
		f.Load(Full, V(j), srcAR, 16*j)
	}
	for j := range 4 {
		f.Table(4+V(j), 0, 16+V(j), false)
	}
	f.Go("CBZ %v, store", R(7))
	for j := range 4 {
		f.Load(Full, 8+V(j), dstR, 16*j)
		f.Do(FADD, 4+V(j), 4+V(j), 8+V(j))
	}
	f.Label("store")
	for j := range 4 {
		f.Store(Full, 4+V(j), dstR, 16*j)
	}
	f.Go("ADD %v<<2, %v, %v", lddR, dstR, dstR)
	f.Go("ADD %v<<2, %v, %v", ldsR, srcAR, srcAR)
	f.Go("SUBS $1, %v, %v", rowsR, rowsR)
	f.Go("BNE row")
	f.Label("done")
	f.Go("RET")
}
