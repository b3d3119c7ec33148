package kernel_test

import (
	"fmt"
	"testing"

	"pare/internal/guard"
	"pare/kernel"
)

func TestGemm(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, s := range []kernel.GemmShape{
			{M: 1, N: 1, K: 1}, {M: 1, N: 1000, K: 37}, {M: 7, N: 16, K: 64}, {M: 13, N: 31, K: 5},
			{M: 197, N: 65, K: 64}, {M: 49, N: 24, K: 1030}, {M: 3, N: 40, K: 0},
			{M: 60, N: 33, K: 20, LDA: 27, LDC: 50, LDR: 34}, {M: 300, N: 290, K: 40},
		} {
			for _, trans := range []bool{false, true} {
				t.Run(fmt.Sprintf("%dx%dx%d,trans=%v", s.M, s.N, s.K, trans), func(t *testing.T) { testGemm(t, s, trans) })
			}
		}
	})
}

// TestGemmTiles meets every height of every width of panel.
func TestGemmTiles(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for m := 1; m <= 25; m++ {
			for _, n := range []int{3, 8, 13, 16, 21, 24, 30, 32, 39, 55} {
				testGemm(t, kernel.GemmShape{M: m, N: n, K: 5}, m%2 == 0)
			}
		}
	})
}

func testGemm(t *testing.T, s kernel.GemmShape, trans bool) {
	r := random(2)
	or := func(v, d int) int {
		if v == 0 {
			return d
		}
		return v
	}
	lda, ldc, ldr := or(s.LDA, s.K), or(s.LDC, s.N), or(s.LDR, s.N)
	a := floats(t, r, max(0, extent(s.M, s.K, lda)))
	b := kernel.Source{LD: s.N + 3, Alpha: 0.5, Trans: trans}
	if trans {
		b.LD = s.K + 2
		b.Data = floats(t, r, max(0, extent(s.N, s.K, b.LD)))
	} else if s.K > 0 {
		b.Data = floats(t, r, extent(s.K, s.N, b.LD))
	}
	panels, err := kernel.PackB(s.K, s.N, b)
	if err != nil {
		t.Fatal(err)
	}
	var sums []float64
	for m := range s.M {
		for n := range s.N {
			sum := 0.0
			for k := range s.K {
				at := k*b.LD + n
				if trans {
					at = n*b.LD + k
				}
				sum += float64(a[m*lda+k]) * float64(b.Data[at]) * 0.5
			}
			sums = append(sums, sum)
		}
	}
	g, err := kernel.NewGemm(s)
	if err != nil {
		t.Fatal(err)
	}
	ep := kernel.Epilogue{Bias: floats(t, r, s.N), Residual: floats(t, r, extent(s.M, s.N, ldr)), Lo: -2, Hi: 1}
	scratch := guard.Tail[float32](t, g.ScratchFloats())
	for name, act := range map[string]func(dst, src []float32){"gemm": nil, "silu": kernel.SiLU.Run} {
		ep.Act = act
		dst := guard.Tail[float32](t, extent(s.M, s.N, ldc))
		for i := range dst {
			dst[i] = 99
		}
		for task := range g.Tasks() {
			g.Run(task, dst, a, panels, &ep, scratch)
		}
		checkPixels(t, name, dst, sums, &ep, s.K, s.N, ldc, ldr)
	}
}

func TestPanelsReuseBuffer(t *testing.T) {
	r := random(3)
	buf := guard.Tail[float32](t, kernel.PanelFloats(9, 21))
	for i := range buf {
		buf[i] = 5
	}
	p, err := kernel.NewPanels(9, 21, buf)
	if err != nil {
		t.Fatal(err)
	}
	b := kernel.Source{Data: floats(t, r, 9*21), LD: 21}
	for i := p.Count() - 1; i >= 0; i-- {
		p.PackRange(i, i+1, b)
	}
	g, err := kernel.NewGemm(kernel.GemmShape{M: 9, N: 21, K: 9})
	if err != nil {
		t.Fatal(err)
	}
	unit := make([]float32, 81)
	for i := range 9 {
		unit[i*10] = 1
	}
	dst := make([]float32, 9*21)
	for task := range g.Tasks() {
		g.Run(task, dst, unit, p, &kernel.Epilogue{}, make([]float32, g.ScratchFloats()))
	}
	for i, v := range dst {
		if v != b.Data[i] {
			t.Fatalf("element %d of I·B is %v, want %v", i, v, b.Data[i])
		}
	}
	if _, err := kernel.NewPanels(9, 21, buf[1:]); err == nil {
		t.Error("a short buffer is accepted")
	}
}
