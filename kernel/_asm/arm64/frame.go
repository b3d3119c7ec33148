package main

import (
	"fmt"

	. "pare-asm/neon"
)

// General registers of tiles. Row pointers follow from rowR on.
const (
	argR     R = 0 // the arguments
	lineR    R = 1 // line of the panel
	rowsR    R = 2
	srcR     R = 3
	segR     R = 4
	segsR    R = 5 // segments left
	atR      R = 6 // offset from the rows' pointers
	leftR    R = 7 // elements left
	firstRow R = 8
	// Free for epilogues.
	xR R = 21
	yR R = 22
	zR R = 23
)

// rowR holds the pointer of row r. R18 belongs to the platform.
func rowR(r int) R {
	if x := firstRow + R(r); x < 18 {
		return x
	}
	return firstRow + R(r) + 1
}

// acc is the accumulators by row and vector.
type acc [][]V

func newAcc(m, vectors int) acc {
	a := make(acc, m)
	for r := range a {
		for j := range vectors {
			a[r] = append(a[r], V(r*vectors+j))
		}
	}
	return a
}

// free is the first register behind the accumulators.
func (a acc) free() V { return V(len(a) * len(a[0])) }

// each calls f for every accumulator.
func (a acc) each(f func(v V)) {
	for _, row := range a {
		for _, v := range row {
			f(v)
		}
	}
}

// frame is what tiles of all types share: rows of a source times a panel, of which
// 32 bits of a row, an element, meet four columns in each vector.
type frame struct {
	*File
	// args is the struct of the arguments.
	args string
	// shift turns the places of elements into bytes.
	shift int
	mul   Lane
	// ready prepares what was read of the rows, with a spare register.
	ready func(x []V, tmp V)
}

// field is where the arguments have a field that all tiles have.
func (f *frame) field(name string) string { return f.args + "_" + name }

// sum adds all products to the accumulators, four elements at a time.
func (f *frame) sum(a acc) {
	x := make([]V, len(a))
	for r := range x {
		x[r] = a.free() + V(r)
	}
	f.pointers(len(a))
	f.Go("CBZ %v, summed", segsR)
	f.Label("segment")
	f.seg()
	f.Go("SUBS $4, %v, %v", leftR, leftR)
	f.Go("BLT rest")
	f.Label("four")
	f.elements(a, x, Full)
	f.Go("SUBS $4, %v, %v", leftR, leftR)
	f.Go("BGE four")
	f.Label("rest")
	f.Go("ADDS $4, %v, %v", leftR, leftR)
	f.Go("BEQ end")
	f.Label("one")
	f.elements(a, x, Word)
	f.Go("SUBS $1, %v, %v", leftR, leftR)
	f.Go("BNE one")
	f.Label("end")
	f.Go("SUBS $1, %v, %v", segsR, segsR)
	f.Go("BNE segment")
	f.Label("summed")
}

// pointers readies the registers of m rows and of the segments.
func (f *frame) pointers(m int) {
	f.Go("MOVD %s(%v), %v", f.field("b"), argR, lineR)
	f.Go("MOVD %s(%v), %v", f.field("rows"), argR, rowsR)
	f.Go("MOVD %s(%v), %v", f.field("src"), argR, srcR)
	for r := range m {
		f.Go("MOVW %d(%v), %v", 4*r, rowsR, xR)
		if f.shift == 0 {
			f.Go("ADD %v, %v, %v", xR, srcR, rowR(r))
			continue
		}
		f.Go("ADD %v<<%d, %v, %v", xR, f.shift, srcR, rowR(r))
	}
	f.Go("MOVD %s(%v), %v", f.field("segs"), argR, segR)
	f.Go("MOVD (%s+8)(%v), %v", f.field("segs"), argR, segsR)
}

// seg reads a segment.
func (f *frame) seg() {
	f.Go("MOVD (%v), %v", segR, atR)
	f.Go("MOVD 8(%v), %v", segR, leftR)
	f.Go("ADD $16, %v, %v", segR, segR)
	if f.shift > 0 {
		f.Go("LSL $%d, %v, %v", f.shift, atR, atR)
	}
}

// elements multiplies as many elements of every row as s holds.
func (f *frame) elements(a acc, x []V, s Size) {
	n, w := int(s/Word), a.free()+V(len(x))
	spare := 32 - int(w)
	for r, v := range x {
		f.LoadAt(s, v, rowR(r), atR)
	}
	if f.ready != nil {
		f.ready(x, w)
	}
	total := n * len(a[0])
	ahead(total, func(i int) { f.Load(Full, w+V(i%spare), lineR, 16*i) }, func(i int) {
		for r := range a {
			f.ByLane(f.mul, a[r][i%len(a[0])], w+V(i%spare), x[r], i/len(a[0]))
		}
	})
	f.Go("ADD $%d, %v, %v", s, atR, atR)
	f.Go("ADD $%d, %v, %v", 16*total, lineR, lineR)
}

// ahead does n times load and use, each load before the use of what the one before
// has loaded, for processors that keep to the order of instructions.
func ahead(n int, load, use func(i int)) {
	load(0)
	for i := range n {
		if i+1 < n {
			load(i + 1)
		}
		use(i)
	}
}

// next goes on to the tile below; more advances other pointers.
func (f *frame) next(m int, more ...[2]string) {
	f.Label("next")
	f.Go("MOVD %s(%v), %v", f.field("tiles"), argR, xR)
	f.Go("SUBS $1, %v, %v", xR, xR)
	f.Go("BEQ done")
	f.Go("MOVD %v, %s(%v)", xR, f.field("tiles"), argR)
	f.Go("MOVD %s(%v), %v", f.field("rows"), argR, xR)
	f.Go("ADD $%d, %v, %v", 4*m, xR, xR)
	f.Go("MOVD %v, %s(%v)", xR, f.field("rows"), argR)
	for i, p := range append([][2]string{{f.field("c"), f.field("ldc")}, {f.field("res"), f.field("ldr")}}, more...) {
		f.advance(p[0], p[1], m, fmt.Sprint("absent", i))
	}
	f.Go("B tile")
	f.Label("done")
	f.Go("RET")
}

// advance moves a pointer by m strides; one that is nil stays so.
func (f *frame) advance(at, stride string, m int, absent string) {
	f.Go("MOVD %s(%v), %v", at, argR, xR)
	f.Go("CBZ %v, %s", xR, absent)
	f.Go("MOVD %s(%v), %v", stride, argR, yR)
	if f.shift > 0 {
		f.Go("LSL $%d, %v, %v", f.shift, yR, yR)
	}
	f.Go("MOVD $%d, %v", m, zR)
	f.Go("MADD %v, %v, %v, %v", yR, xR, zR, xR)
	f.Go("MOVD %v, %s(%v)", xR, at, argR)
	f.Label(absent)
}

// walk readies a pointer that steps from row to row.
func (f *frame) walk(at, stride string) (p R, step func()) {
	f.Go("MOVD %s(%v), %v", at, argR, yR)
	f.Go("MOVD %s(%v), %v", stride, argR, zR)
	if f.shift > 0 {
		f.Go("LSL $%d, %v, %v", f.shift, zR, zR)
	}
	return yR, func() { f.Go("ADD %v, %v, %v", zR, yR, yR) }
}

// column calls do with each accumulator and its column's number of those at off,
// in registers from tmp on.
func (f *frame) column(a acc, off string, tmp V, do func(v, x V)) {
	f.Go("MOVD %s(%v), %v", off, argR, yR)
	for j := range a[0] {
		f.Load(Full, tmp+V(j), yR, 16*j)
	}
	for _, row := range a {
		for j, v := range row {
			do(v, tmp+V(j))
		}
	}
}
