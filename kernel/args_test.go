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
	var i intArgs
	var d addArgs
	var e expandArgs
	var o winogradOut
	var st stepArgs
	var g gridArgs
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
		{"int.src", unsafe.Offsetof(i.src), 0},
		{"int.rows", unsafe.Offsetof(i.rows), 24},
		{"int.segs", unsafe.Offsetof(i.segs), 48},
		{"int.b", unsafe.Offsetof(i.b), 72},
		{"int.c", unsafe.Offsetof(i.c), 96},
		{"int.start", unsafe.Offsetof(i.start), 120},
		{"int.mul", unsafe.Offsetof(i.mul), 144},
		{"int.add", unsafe.Offsetof(i.add), 168},
		{"int.res", unsafe.Offsetof(i.res), 192},
		{"int.ldc", unsafe.Offsetof(i.ldc), 216},
		{"int.ldr", unsafe.Offsetof(i.ldr), 224},
		{"int.n", unsafe.Offsetof(i.n), 232},
		{"int.store", unsafe.Offsetof(i.store), 240},
		{"int.tiles", unsafe.Offsetof(i.tiles), 248},
		{"int.resMul", unsafe.Offsetof(i.resMul), 256},
		{"int.lo", unsafe.Offsetof(i.lo), 260},
		{"int.hi", unsafe.Offsetof(i.hi), 264},
		{"int.zero", unsafe.Offsetof(i.zero), 268},
		{"int.flush", unsafe.Offsetof(i.flush), 272},
		{"int.least", unsafe.Offsetof(i.least), 280},
		{"int.mid", unsafe.Offsetof(i.mid), 281},
		{"int.midLo", unsafe.Offsetof(i.midLo), 284},
		{"int.midHi", unsafe.Offsetof(i.midHi), 288},
		{"int.midMul", unsafe.Offsetof(i.midMul), 292},
		{"int.last", unsafe.Offsetof(i.last), 296},
		{"int.extra", unsafe.Offsetof(i.extra), 320},
		{"int.lde", unsafe.Offsetof(i.lde), 344},
		{"int.steps", unsafe.Offsetof(i.steps), 352},
		{"int.more", unsafe.Offsetof(i.more), 360},
		{"expand.dst", unsafe.Offsetof(e.dst), 0},
		{"expand.src", unsafe.Offsetof(e.src), 24},
		{"expand.ldd", unsafe.Offsetof(e.ldd), 48},
		{"expand.lds", unsafe.Offsetof(e.lds), 56},
		{"expand.rows", unsafe.Offsetof(e.rows), 64},
		{"expand.mask", unsafe.Offsetof(e.mask), 72},
		{"expand.add", unsafe.Offsetof(e.add), 76},
		{"grid.dst", unsafe.Offsetof(g.dst), 0},
		{"grid.src", unsafe.Offsetof(g.src), 24},
		{"grid.step", unsafe.Offsetof(g.step), 48},
		{"grid.lo", unsafe.Offsetof(g.lo), 52},
		{"grid.hi", unsafe.Offsetof(g.hi), 56},
		{"grid.zero", unsafe.Offsetof(g.zero), 60},
		{"grid.cuts", unsafe.Offsetof(g.cuts), 64},
		{"grid.levels", unsafe.Offsetof(g.levels), 128},
		{"grid.square", unsafe.Offsetof(g.square), 192},
		{"grid.energy", unsafe.Offsetof(g.energy), 256},
		{"grid.top", unsafe.Offsetof(g.top), 320},
		{"add.x", unsafe.Offsetof(d.x), 0},
		{"add.y", unsafe.Offsetof(d.y), 24},
		{"add.dst", unsafe.Offsetof(d.dst), 48},
		{"add.mulX", unsafe.Offsetof(d.mulX), 72},
		{"add.mulY", unsafe.Offsetof(d.mulY), 76},
		{"add.shift", unsafe.Offsetof(d.shift), 80},
		{"add.lo", unsafe.Offsetof(d.lo), 84},
		{"add.hi", unsafe.Offsetof(d.hi), 88},
		{"add.zero", unsafe.Offsetof(d.zero), 92},
		{"step.dst", unsafe.Offsetof(st.dst), 0},
		{"step.src", unsafe.Offsetof(st.src), 24},
		{"step.tree", unsafe.Offsetof(st.tree), 48},
		{"step.more", unsafe.Offsetof(st.more), 56},
		{"step.rows", unsafe.Offsetof(st.rows), 64},
		{"step.cols", unsafe.Offsetof(st.cols), 72},
		{"step.ldd", unsafe.Offsetof(st.ldd), 80},
		{"step.lds", unsafe.Offsetof(st.lds), 88},
		{"step.factor", unsafe.Offsetof(st.factor), 96},
		{"step.offset", unsafe.Offsetof(st.offset), 100},
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
		{"wino.src", unsafe.Offsetof(o.src), 0},
		{"wino.dst", unsafe.Offsetof(o.dst), 24},
		{"wino.res", unsafe.Offsetof(o.res), 48},
		{"wino.bias", unsafe.Offsetof(o.bias), 72},
		{"wino.tap", unsafe.Offsetof(o.tap), 96},
		{"wino.row", unsafe.Offsetof(o.row), 104},
		{"wino.pixel", unsafe.Offsetof(o.pixel), 112},
		{"wino.resRow", unsafe.Offsetof(o.resRow), 120},
		{"wino.resPixel", unsafe.Offsetof(o.resPixel), 128},
		{"wino.h", unsafe.Offsetof(o.h), 136},
		{"wino.w", unsafe.Offsetof(o.w), 144},
		{"wino.n", unsafe.Offsetof(o.n), 152},
		{"wino.lo", unsafe.Offsetof(o.lo), 160},
		{"wino.hi", unsafe.Offsetof(o.hi), 164},
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
