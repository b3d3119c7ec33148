package kernel

import (
	"fmt"
	"math"
	"unsafe"

	"pare/internal/cpu"
)

// IntPanels is the right-hand matrix of a product of codes with codes, packed at
// run time. Signed codes are what the kernels multiply, so unsigned ones are
// taken less 128.
type IntPanels struct {
	k, n   int
	quads  int
	tile   *intTile
	panels []intPanel
	line   []uint8 // codes of one panel side by side
	segs   [1]seg  // all of k
}

// HasIntPanels reports whether the machine has a kernel for products of codes with
// codes of 8 bits; without, the same integers as float32 are as fast.
func HasIntPanels() bool {
	t := pickIntTile(intTiles)
	return t.form == formBytes && (t.needs == 0 || t.needs&cpu.VNNI != 0)
}

// NewIntPanels returns empty panels for a k×n matrix.
func NewIntPanels(k, n int) (*IntPanels, error) {
	if k < 0 || n < 0 || k > math.MaxInt32/(255*128) {
		return nil, fmt.Errorf("panels of a %dx%d matrix of codes: sums of 32 bits do not hold its products", k, n)
	}
	t := pickIntTile(intTiles)
	p := &IntPanels{k: k, n: n, quads: (k + 3) / 4, tile: t}
	p.segs[0] = seg{0, p.quads}
	for j := 0; j < n; j += t.nr() {
		w := narrowest(t.panels, n-j).width
		p.panels = append(p.panels, intPanel{width: w, data: make([]int8, 4*p.quads*w), start: make([]int32, w)})
	}
	p.line = make([]uint8, 4*p.quads*t.nr())
	return p, nil
}

// PackRows fills the panels from codes in [n][k] order, ld from one row to the next.
// Sums with codes of the left-hand matrix are Σ (left-zero)·(code-128). The last of
// the k codes of a column, from known on, are rest.
func (p *IntPanels) PackRows(src []uint8, known, ld int, zero, rest uint8) {
	for i := range p.panels {
		j := i * p.tile.nr()
		q := &p.panels[i]
		cols := min(q.width, p.n-j)
		for c := range cols {
			row := p.line[4*c*p.quads : 4*(c+1)*p.quads]
			sum := signRow(row, src[(j+c)*ld:][:known])
			fill(row[known:p.k], rest^128)
			q.start[c] = -int32(zero) * (sum + int32(p.k-known)*(int32(rest)-128))
		}
		clear(p.line[4*cols*p.quads : 4*q.width*p.quads])
		clear(q.start[cols:])
		// Quads are moved as numbers of 32 bits.
		Transpose(floatView(bytesOf(q.data)), floatView(p.line[:4*q.width*p.quads]), q.width, p.quads)
	}
}

// signRow copies codes less 128, which flips their first bit, and returns their sum.
func signRow(dst, src []uint8) int32 {
	i := 0
	for ; i+8 <= len(src); i += 8 {
		*(*uint64)(unsafe.Pointer(&dst[i])) = *(*uint64)(unsafe.Pointer(&src[i])) ^ 0x8080808080808080
	}
	for ; i < len(src); i++ {
		dst[i] = src[i] ^ 128
	}
	clear(dst[len(src):])
	return int32(CodeSum(src) - 128*len(src))
}

// CodeSum adds up codes.
func CodeSum(src []uint8) int {
	const even = 0x00ff00ff00ff00ff
	sum := 0
	for len(src) >= 8 {
		// Sums of two codes are added in 16 bits, as many as those hold.
		part := src[:min(len(src), 8*128)&^7]
		src = src[len(part):]
		words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(part))), len(part)/8)
		total := uint64(0)
		for _, x := range words {
			total += x&even + x>>8&even
		}
		for ; total > 0; total >>= 16 {
			sum += int(total & 0xffff)
		}
	}
	for _, v := range src {
		sum += int(v)
	}
	return sum
}

// PackColumns is PackRows for codes in [k][n] order.
func (p *IntPanels) PackColumns(src []uint8, known, ld int, zero, rest uint8) {
	whole := known &^ 3
	for i := range p.panels {
		j := i * p.tile.nr()
		q := &p.panels[i]
		clear(q.data)
		clear(q.start)
		cols := min(q.width, p.n-j)
		for r := 0; r < whole; r += 4 {
			q.putQuads(r/4, src[r*ld+j:], ld, cols)
		}
		for r := whole; r < p.k; r++ {
			for x := range cols {
				v := rest
				if r < known {
					v = src[r*ld+j+x]
				}
				q.data[4*(r/4*q.width+x)+r%4] = int8(v ^ 128)
				q.start[x] += int32(v)
			}
		}
		for x := range cols {
			q.start[x] = -int32(zero) * (q.start[x] - 128*int32(p.k))
		}
	}
}

// putQuads interleaves four rows of codes and adds them to the starts.
func (q *intPanel) putQuads(line int, src []uint8, ld, cols int) {
	words := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(q.data))), len(q.data)/4)
	a, b, c, d := src[:cols], src[ld:][:cols], src[2*ld:][:cols], src[3*ld:][:cols]
	out, start := words[line*q.width:][:cols], q.start[:cols]
	for x := range out {
		out[x] = (uint32(a[x]) | uint32(b[x])<<8 | uint32(c[x])<<16 | uint32(d[x])<<24) ^ 0x80808080
		start[x] += int32(a[x]) + int32(b[x]) + int32(c[x]) + int32(d[x])
	}
}

// RunFloat computes m rows of lda codes each, which are read in whole quads, and
// stores y of the epilogue in rows of ldc numbers.
func (p *IntPanels) RunFloat(dst []float32, ldc int, src []uint8, lda, m int, ep *IntEpilogue, scratch []int32) {
	ep.check(storeFloat, p.n)
	rows := scratch[:m]
	for i := range rows {
		rows[i] = int32(i * lda)
	}
	x := intProductPool.Get().(*intProduct)
	*x = intProduct{tile: p.tile, src: src, rows: rows, segs: p.segs[:], store: storeFloat, dst: rawBytes(dst), ldc: ldc, ep: ep}
	t := intTilePool.Get().(*intArgs)
	for i := range p.panels {
		j := i * p.tile.nr()
		x.run(t, 0, m, &p.panels[i], j, min(p.panels[i].width, p.n-j))
	}
	*t = intArgs{}
	intTilePool.Put(t)
	x.release()
}
