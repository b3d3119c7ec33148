package kernel

import (
	"bytes"
	"math"
	"testing"

	"pare/internal/guard"
)

func TestAddCodes(t *testing.T) {
	eachImpl(t, "addcodes", addCodesLoops, func(t *testing.T, run addCodesLoop) {
		r := seeded(3)
		for _, n := range lengths() {
			for _, s := range []Sum{{Shift: -20.5, Zero: 7}, {Shift: 3, Lo: 0, Hi: 90, Zero: 100}, {Shift: 1e9}, {Shift: -1e9, Zero: 255}} {
				e := IntEpilogue{Zero: s.Zero, Lo: s.Lo, Hi: s.Hi}
				a := addArgs{tailBytes(t, r, n), tailBytes(t, r, n), guard.Tail[uint8](t, n), 0.71, 0.5, s.Shift, 0, 0, int32(s.Zero)}
				a.lo, a.hi = e.limits(storeCodes)
				run(&a)
				for i, got := range a.dst {
					y := float32(float32(float64(a.x[i])*float64(a.mulX))) + float32(float64(a.y[i])*0.5)
					y = float32(float64(y) + float64(s.Shift))
					if s.Lo < s.Hi {
						y = min(max(y, s.Lo), s.Hi)
					}
					want := min(max(math.RoundToEven(float64(y))+float64(s.Zero), 0), 255)
					if float64(got) != want {
						t.Fatalf("%+v: %d and %d add up to %d, want %v", s, a.x[i], a.y[i], got, want)
					}
				}
			}
		}
	})
}

func TestAddCodesInPlace(t *testing.T) {
	x, y := []uint8{1, 2, 3, 250}, []uint8{10, 20, 30, 40}
	AddCodes(x, Term{x, 1}, Term{y, 0.5}, Sum{Zero: 1})
	if want := []uint8{7, 13, 19, 255}; !bytes.Equal(x, want) {
		t.Errorf("sums are %d, want %d", x, want)
	}
}

func TestMaxCodes(t *testing.T) {
	eachImpl(t, "maxcodes", maxCodesLoops, func(t *testing.T, run maxCodesLoop) {
		r := seeded(4)
		for _, n := range lengths() {
			a, b := tailBytes(t, r, n), tailBytes(t, r, n)
			want := make([]uint8, n)
			for i := range want {
				want[i] = max(a[i], b[i])
			}
			if run(a, b); !bytes.Equal(a, want) {
				t.Fatalf("%d elements: %d, want %d", n, a, want)
			}
		}
	})
}

// TestCodesPool compares with the pooling of the codes as floats.
func TestCodesPool(t *testing.T) {
	for _, s := range []PoolShape{
		{N: 2, H: 9, W: 10, C: 5, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadT: 1, PadL: 1, PadB: 1, PadR: 1},
		{N: 1, H: 7, W: 7, C: 64, KH: 2, KW: 3, DilW: 2, Ceil: true, StrideH: 2},
	} {
		p, err := NewCodesPool(s)
		if err != nil {
			t.Fatal(err)
		}
		f, err := NewMaxPool(s)
		if err != nil {
			t.Fatal(err)
		}
		src := tailBytes(t, seeded(6), s.N*s.H*s.W*s.C)
		reals := make([]float32, len(src))
		for i, v := range src {
			reals[i] = float32(v)
		}
		n := s.N * s.OH() * s.OW() * s.C
		dst, want := guard.Tail[uint8](t, n), make([]float32, n)
		for task := range p.Tasks() {
			p.Run(task, dst, src, make([]uint8, p.ScratchBytes()))
		}
		for task := range f.Tasks() {
			f.Run(task, want, reals)
		}
		for i, v := range dst {
			if float32(v) != want[i] {
				t.Fatalf("%+v: element %d is %d, want %v", s, i, v, want[i])
			}
		}
	}
	if _, err := NewCodesPool(PoolShape{N: 1, H: 2, W: 2, C: 4, KH: 1, KW: 1, SrcStride: 5}); err == nil {
		t.Error("pixels with gaps are accepted")
	}
}
