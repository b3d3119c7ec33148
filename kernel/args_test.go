package kernel

import (
	"testing"
	"unsafe"
)

// TestArgsLayout holds the offsets that the generators in _asm write down.
func TestArgsLayout(t *testing.T) {
	var a tileArgs
	var w winArgs
	var c Scales
	for _, f := range []struct {
		name      string
		got, want uintptr
	}{
		{"src", unsafe.Offsetof(a.src), 0},
		{"rows", unsafe.Offsetof(a.rows), 24},
		{"segs", unsafe.Offsetof(a.segs), 48},
		{"b", unsafe.Offsetof(a.b), 72},
		{"c", unsafe.Offsetof(a.c), 96},
		{"bias", unsafe.Offsetof(a.bias), 120},
		{"res", unsafe.Offsetof(a.res), 144},
		{"ldc", unsafe.Offsetof(a.ldc), 168},
		{"ldr", unsafe.Offsetof(a.ldr), 176},
		{"n", unsafe.Offsetof(a.n), 184},
		{"lo", unsafe.Offsetof(a.lo), 192},
		{"hi", unsafe.Offsetof(a.hi), 196},
		{"tiles", unsafe.Offsetof(a.tiles), 200},
		{"seg.n", unsafe.Offsetof(seg{}.n), 8},
		{"seg", unsafe.Sizeof(seg{}), 16},
		{"win.dst", unsafe.Offsetof(w.dst), 0},
		{"win.src", unsafe.Offsetof(w.src), 24},
		{"win.w", unsafe.Offsetof(w.w), 48},
		{"win.bias", unsafe.Offsetof(w.bias), 72},
		{"win.res", unsafe.Offsetof(w.res), 96},
		{"win.taps", unsafe.Offsetof(w.taps), 120},
		{"win.dstStep", unsafe.Offsetof(w.dstStep), 144},
		{"win.srcStep", unsafe.Offsetof(w.srcStep), 152},
		{"win.resStep", unsafe.Offsetof(w.resStep), 160},
		{"win.px", unsafe.Offsetof(w.px), 168},
		{"win.c", unsafe.Offsetof(w.c), 176},
		{"win.scale", unsafe.Offsetof(w.scale), 184},
		{"win.lo", unsafe.Offsetof(w.lo), 188},
		{"win.hi", unsafe.Offsetof(w.hi), 192},
		{"tap.w", unsafe.Offsetof(tap{}.w), 4},
		{"tap", unsafe.Sizeof(tap{}), 8},
		{"scales.step", unsafe.Offsetof(c.step), 0},
		{"scales.zero", unsafe.Offsetof(c.zero), 24},
		{"scales.lo", unsafe.Offsetof(c.lo), 48},
		{"scales.hi", unsafe.Offsetof(c.hi), 72},
	} {
		if f.got != f.want {
			t.Errorf("%s is at offset %d, assembly expects %d", f.name, f.got, f.want)
		}
	}
}
