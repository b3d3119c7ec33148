package kernel

import (
	"math"
	"testing"

	"pare/internal/guard"
)

// TestWinogradIn compares every row with the portable one, whose sums round
// otherwise.
func TestWinogradIn(t *testing.T) {
	for _, f := range []struct {
		family  string
		in, out int
		rows    []impl[winogradInLoop]
	}{
		{"winograd4in", 6, 6, winogradIn4Loops}, {"winograd2in", 4, 4, winogradIn2Loops},
		{"winograd4spread", 4, 6, winogradSpread4Loops}, {"winograd2spread", 2, 4, winogradSpread2Loops},
		{"winograd4gather", 6, 3, winogradGather4Loops}, {"winograd2gather", 4, 3, winogradGather2Loops},
	} {
		eachImpl(t, f.family, f.rows, func(t *testing.T, run winogradInLoop) {
			edge := f.in
			for _, c := range []int{8, 16, 24, 40, 320, 1, 7, 13, 45} {
				pixel, row := c+3, edge*(c+3)+5
				tap := (c + 15) / 16 * 16
				src := tail(t, seeded(uint64(c)), (edge-1)*(row+pixel)+c, 1, false)
				got := guard.Tail[float32](t, f.out*f.out*tap)
				want := make([]float32, len(got))
				run(got, src, c, row, pixel, tap)
				portable(f.rows)(want, src, c, row, pixel, tap)
				for i := range want {
					if i%tap < c {
						within(t, i, got[i], want[i], 1e-5)
					}
				}
			}
		})
	}
}

// TestWinogradOut does the same with tiles cut off on both sides, with and
// without bias and residual.
func TestWinogradOut(t *testing.T) {
	for _, f := range []struct {
		family string
		m      int
		rows   []impl[winogradOutLoop]
	}{{"winograd4out", 4, winogradOut4Loops}, {"winograd2out", 2, winogradOut2Loops}} {
		eachImpl(t, f.family, f.rows, func(t *testing.T, run winogradOutLoop) {
			for _, n := range []int{8, 16, 24, 32, 3, 15, 21} {
				for h := 1; h <= f.m; h++ {
					for w := 1; w <= f.m; w++ {
						for extra := range 4 {
							testWinogradOut(t, f.m, n, h, w, extra, run, portable(f.rows))
						}
					}
				}
			}
		})
	}
}

func testWinogradOut(t *testing.T, m, n, h, w, extra int, run, reference winogradOutLoop) {
	r := seeded(uint64(n + h + w))
	taps := (m + 2) * (m + 2)
	a := winogradOut{tap: n + 16, pixel: n + 1, row: (n + 1) * w, resPixel: n, resRow: n*w + 7, h: h, w: w, n: n, lo: -1, hi: inf}
	a.src = tail(t, r, (taps-1)*a.tap+n, 1, false)
	if extra&1 != 0 {
		a.bias = tail(t, r, n, 1, false)
	}
	if extra&2 != 0 {
		a.res = tail(t, r, (h-1)*a.resRow+(w-1)*a.resPixel+n, 1, false)
	}
	size := (h-1)*a.row + (w-1)*a.pixel + n
	got, want := guard.Tail[float32](t, size), make([]float32, size)
	for i := range got {
		got[i], want[i] = 99, 99
	}
	a.dst = got
	run(&a)
	a.dst = want
	reference(&a)
	for i := range want {
		within(t, i, got[i], want[i], 1e-4)
	}
}

func within(t *testing.T, i int, got, want float32, tol float64) {
	t.Helper()
	if d := math.Abs(float64(got) - float64(want)); !(d <= tol) {
		t.Fatalf("element %d is %v, want %v", i, got, want)
	}
}

// TestWinogradLines holds the transforms to what defines them: a line of six
// and a filter of three give the four sums of the convolution.
func TestWinogradLines(t *testing.T) {
	for _, f := range []struct {
		m       int
		in, out winogradLine
	}{{4, lineIn4, lineOut4}, {2, lineIn2, lineOut2}} {
		r := seeded(uint64(f.m))
		var d, v [6]float32
		for i := range f.m + 2 {
			d[i] = r.Float32() - 0.5
		}
		filter := [3]float64{r.Float64() - 0.5, r.Float64() - 0.5, r.Float64() - 0.5}
		v = d
		f.in.apply(&v)
		for i, g := range winogradFilter(f.m) {
			v[i] *= float32(g[0]*filter[0] + g[1]*filter[1] + g[2]*filter[2])
		}
		f.out.apply(&v)
		for i := range f.m {
			within(t, i, v[i], float32(float64(d[i])*filter[0]+float64(d[i+1])*filter[1]+float64(d[i+2])*filter[2]), 1e-6)
		}
	}
}

// TestWinogradFilter: transforms of any number of filters have the bits of the portable
// row.
func TestWinogradFilter(t *testing.T) {
	for _, f := range []struct {
		family string
		taps   int
		rows   []impl[winogradFilterLoop]
	}{{"winograd4filter", 36, winogradFilter4Loops}, {"winograd2filter", 16, winogradFilter2Loops}} {
		eachImpl(t, f.family, f.rows, func(t *testing.T, run winogradFilterLoop) {
			for _, n := range lengths() {
				src := tail(t, seeded(uint64(n)), 9*n, 1, true)
				got, want := guard.Tail[float32](t, f.taps*n), make([]float32, f.taps*n)
				run(got, src, n)
				portable(f.rows)(want, src, n)
				bitsEqual(t, f.family, got, want)
			}
		})
	}
}
