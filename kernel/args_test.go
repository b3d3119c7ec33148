package kernel

import (
	"testing"
	"unsafe"
)

// TestArgsLayout holds the offsets that the generators in _asm write down.
func TestArgsLayout(t *testing.T) {
	var a tileArgs
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
	} {
		if f.got != f.want {
			t.Errorf("%s is at offset %d, assembly expects %d", f.name, f.got, f.want)
		}
	}
}
