//go:build !noasm

package kernel

import (
	"sync"
	"unsafe"

	"pare/internal/cpu"
)

var archTiles = []tile{
	{name: "f32_6x16_neon", needs: cpu.NEON, nr: 16, kBlock: 256, panels: []panelKernel[tileArgs]{
		byHeight(8, narrowTiles), byHeight(16, wideTiles)}},
}

// Tiles by height, from one row on.
var (
	wideTiles   = []func(*byte){tile1x16NEON, tile2x16NEON, tile3x16NEON, tile4x16NEON, tile5x16NEON, tile6x16NEON}
	narrowTiles = []func(*byte){tile1x8NEON, tile2x8NEON, tile3x8NEON, tile4x8NEON, tile5x8NEON, tile6x8NEON, tile7x8NEON, tile8x8NEON}
)

// byHeight makes kernels of routines that compute all columns of a panel.
func byHeight(width int, f []func(*byte)) panelKernel[tileArgs] {
	return panelKernel[tileArgs]{width, len(f), func(m int, t *tileArgs) {
		run := f[m-1]
		if t.n == width {
			run((*byte)(unsafe.Pointer(t)))
			return
		}
		l := tileLoanPool.Get().(*tileLoan)
		l.run(run, m, width, t)
		tileLoanPool.Put(l)
	}}
}

// tileLoan holds a whole tile where columns are missing.
type tileLoan struct {
	args tileArgs
	bias [16]float32
	res  [8 * 16]float32
	c    [8 * 16]float32
}

var tileLoanPool = sync.Pool{New: func() any { return new(tileLoan) }}

// run computes t tile by tile, m rows high.
func (l *tileLoan) run(f func(*byte), m, width int, t *tileArgs) {
	n := t.n
	for i := range t.tiles {
		l.args = *t
		a := &l.args
		a.rows, a.tiles, a.n = t.rows[i*m:(i+1)*m], 1, width
		if a.bias != nil {
			copy(l.bias[:], t.bias[:n])
			a.bias = l.bias[:]
		}
		if a.res != nil {
			for r := range m {
				copy(l.res[r*width:], t.res[(i*m+r)*t.ldr:][:n])
			}
			a.res, a.ldr = l.res[:], width
		}
		a.c, a.ldc = l.c[:], width
		f((*byte)(unsafe.Pointer(a)))
		for r := range m {
			copy(t.c[(i*m+r)*t.ldc:][:n], l.c[r*width:])
		}
	}
	l.args = tileArgs{}
}
