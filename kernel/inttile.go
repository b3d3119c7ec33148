package kernel

import (
	"sync"
	"unsafe"

	"pare/internal/cpu"
)

// intStore is what a tile of integers leaves behind.
type intStore int

const (
	storeCodes intStore = iota // bytes
	storeFloat                 // float32
	storeSums                  // int32
)

// size is the bytes of one stored element.
func (s intStore) size() int {
	if s == storeCodes {
		return 1
	}
	return 4
}

// intArgs is one call of an integer tile kernel. It is tileArgs with quads, four
// source bytes in a row, in the place of single elements: seg.n counts quads.
// With acc = start[j] + Σ src·b it stores acc itself, or
//
//	y = min(max(acc·mul[j] + extra[r][j] + res[r*ldr+j]·resMul + last[j], lo), hi)
//
// whose terms are rounded one by one, or round(y) + zero as a byte. ldc counts
// bytes. Assembly reads this struct by offset (TestArgsLayout).
type intArgs struct {
	src            []uint8
	rows           []int32
	segs           []seg
	b              []int8
	c              []uint8
	start          []int32
	mul, add       []float32
	res            []uint8
	ldc, ldr       int
	n              int
	store          intStore
	tiles          int
	resMul, lo, hi float32
	zero           int32
	// least is the code of lo.
	least uint8
	// With mid set, acc·mul[j] + add[j] is clamped, rounded and multiplied in the
	// place of acc·mul[j], and last takes the place of add; else last is add.
	mid                  bool
	midLo, midHi, midMul float32
	last                 []float32
	// extra, unless nil, is added to acc·mul[j]; its rows, lde bytes apart, have as
	// many numbers as the panel has columns.
	extra []float32
	lde   int
	// steps, unless nil, is the tree of what turns y into a code.
	steps *uint16
	more  int
	// order and runs are a grouped panel's: where its quads lie, and how many belong
	// together; runs end with one of no groups. Other tiles do not read them.
	order *int32
	runs  *groupRun
	// codes says what panels of codes stand for; other tiles do not read it.
	codes *intCodes
	// taps, for tiles of words, is how many products follow each other: all tiles go
	// back by so many bytes of rows, and src, b and c on by theirs.
	taps, all, back, srcTap, bTap, cTap int
}

// intTile is a row of the table of integer micro-kernels. All rows give the
// same bytes.
type intTile struct {
	name  string
	needs cpu.Features
	// grouped kernels take the quads of a panel in groups (intgroups.go).
	grouped bool
	// whole kernels compute all columns of a panel.
	whole bool
	// looks kernels turn y into codes by steps with a tree themselves.
	looks bool
	// lowered is what kernels subtract from codes before they multiply.
	lowered int
	// pace is the time of a multiply-add relative to one of the product of words
	// that Winograd's form takes on the same processor.
	pace float64
	// form is what panels hold.
	form   intForm
	panels []panelKernel[intArgs]
}

// intForm is how a panel lays out a line of columns.
type intForm int

const (
	formBytes    intForm = iota // a quad of bytes per column
	formChannels                // one int32 per column, whose channel it is
	formPlanes                  // four lines of bytes: the first of each column's quad, then the second
)

// intTiles is ordered best first; the last row runs everywhere.
var intTiles = append(archIntTiles, intTile{
	name: "u8s8_4x4_go", pace: 1, panels: []panelKernel[intArgs]{{4, 4, intTileGo}},
})

// pickIntTile returns the first tile that the machine has.
func pickIntTile(tiles []intTile) *intTile {
	for i := range tiles {
		if cpu.Has(tiles[i].needs) {
			return &tiles[i]
		}
	}
	panic("kernel: no portable tile")
}

// intDepthTiles are the rows for depthwise convolutions.
var intDepthTiles = append(archIntDepthTiles, intTile{
	name: "u8s8_4x8_go", form: formChannels, panels: []panelKernel[intArgs]{{8, 4, intChannelsGo}},
})

// nr is the width of all panels but the last of a matrix.
func (t *intTile) nr() int { return t.panels[len(t.panels)-1].width }

// put writes a quad, or what there is of it, for one column of a panel.
func (t *intTile) put(to, w []int8) {
	switch t.form {
	case formBytes, formPlanes:
		copy(to, w)
	case formChannels:
		*(*int32)(unsafe.Pointer(&to[0])) = int32(w[0])
	}
}

var intTilePool = sync.Pool{New: func() any { return new(intArgs) }}

// intTileGo is the portable tile of four columns.
func intTileGo(m int, t *intArgs) {
	for r := range m * t.tiles {
		s0, s1, s2, s3 := t.start[0], t.start[1], t.start[2], t.start[3]
		b := t.b
		for _, g := range t.segs {
			at := int(t.rows[r]) + g.off
			src := t.src[at : at+4*g.n]
			for len(src) > 0 {
				x0, x1, x2, x3 := int32(src[0]), int32(src[1]), int32(src[2]), int32(src[3])
				w := b[:16:16]
				s0 += x0*int32(w[0]) + x1*int32(w[1]) + x2*int32(w[2]) + x3*int32(w[3])
				s1 += x0*int32(w[4]) + x1*int32(w[5]) + x2*int32(w[6]) + x3*int32(w[7])
				s2 += x0*int32(w[8]) + x1*int32(w[9]) + x2*int32(w[10]) + x3*int32(w[11])
				s3 += x0*int32(w[12]) + x1*int32(w[13]) + x2*int32(w[14]) + x3*int32(w[15])
				src, b = src[4:], b[16:]
			}
		}
		sums := [4]int32{s0, s1, s2, s3}
		for j := range t.n {
			t.finish(r, j, sums[j])
		}
	}
}

// intChannelsGo is the portable tile for depthwise convolutions.
func intChannelsGo(m int, t *intArgs) {
	for r := range m * t.tiles {
		for j := range t.n {
			sum := t.start[j]
			for i, g := range t.segs {
				w := *(*int32)(unsafe.Pointer(&t.b[4*(8*i+j)]))
				sum += int32(t.src[int(t.rows[r])+g.off+j]) * w
			}
			t.finish(r, j, sum)
		}
	}
}
