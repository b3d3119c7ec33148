package kernel

import (
	"errors"
	"fmt"
	"testing"

	"pare/internal/cpu"
)

// intWinogradCases leave tails of tiles, panels and channels, and cut rows of
// tiles into pieces.
var intWinogradCases = []ConvShape{
	{N: 1, H: 8, W: 8, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 32},
	{N: 2, H: 7, W: 7, C: 48, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 47},
	{N: 1, H: 12, W: 13, C: 16, KH: 3, KW: 3, O: 9},
	{N: 3, H: 6, W: 5, C: 32, KH: 3, KW: 3, PadL: 1, PadB: 1, O: 1},
	{N: 1, H: 3, W: 3, C: 80, KH: 3, KW: 3, O: 20},
	{N: 2, H: 8, W: 7, C: 16, KH: 3, KW: 3, O: 21, SrcStride: 19, DstStride: 40, ResStride: 25},
	{N: 1, H: 4, W: 230, C: 32, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 17},
	{N: 1, H: 4, W: 4, C: 16, KH: 3, KW: 3, PadT: 4, PadL: 4, PadB: 4, PadR: 4, O: 3},
	{N: 1, H: 21, W: 19, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 300},
	{N: 3, H: 10, W: 9, C: 96, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 40},
	{N: 1, H: 9, W: 10, C: 45, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 37},
	{N: 2, H: 8, W: 6, C: 23, KH: 3, KW: 3, O: 9},
	{N: 2, H: 8, W: 6, C: 7, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 9, SrcStride: 11, DstStride: 10},
}

// atLevels runs a test for every level of features that the machine has.
func atLevels(t *testing.T, f func(t *testing.T)) {
	for _, level := range cpu.Levels() {
		t.Run(level, func(t *testing.T) {
			restore, full := cpu.Cap(level)
			defer restore()
			if !full {
				t.Skipf("SKIPPED: this machine, or PARE_CPU, has no %s", level)
			}
			f(t)
		})
	}
}

// TestIntWinograd demands the sums of the direct form, bit for bit.
func TestIntWinograd(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		for i, s := range intWinogradCases {
			for _, m := range []int{2, 4} {
				for _, largest := range []int{127, 7} {
					t.Run(fmt.Sprint(i, "/tile=", m, "/", largest), func(t *testing.T) { testIntWinograd(t, s, m, largest) })
				}
			}
		}
		for family, row := range map[string]string{"shorttile": pickIntTile(shortTiles).name, "sumstile": pickIntTile(sumsTiles).name} {
			covered[family+"/"+row] = true
		}
	})
}

func testIntWinograd(t *testing.T, s ConvShape, m, largest int) {
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	r := seeded(uint64(s.W + largest))
	zero := []uint8{0, 128, 255, 77}[r.IntN(4)]
	src := tailBytes(t, r, extent(s.N*s.H*s.W, s.C, s.SrcStride))
	w := extremeWeights(r, s.O*s.C*9, largest)
	if w[5] = int8(-largest); largest == 127 {
		w[5] = -128
	}
	weights, err := PackIntWinograd(s, m, w, zero)
	if err != nil {
		t.Fatal(err)
	}
	conv, err := NewIntWinograd(s, weights)
	if err != nil {
		t.Fatal(err)
	}
	testIntPlan(t, conv, s, src, w, zero, largest)
}

// TestIntWinogradBound goes up to the last sum that fits, in both directions.
func TestIntWinogradBound(t *testing.T) {
	s := ConvShape{N: 1, H: 6, W: 6, C: 128, KH: 3, KW: 3, O: 2}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	// 255·131,586 is the last multiple below 2^25.
	const fits = 131586
	src := make([]uint8, 36*s.C)
	fill(src, 255)
	for _, sign := range []int{1, -1} {
		w := make([]int8, 2*s.C*9)
		for left, i := fits, 0; left > 0; i++ {
			w[i] = int8(sign * min(left, 127))
			left -= min(left, 127)
		}
		atLevels(t, func(t *testing.T) {
			weights, err := PackIntWinograd(s, 4, w, 0)
			if err != nil {
				t.Fatal(err)
			}
			conv, err := NewIntWinograd(s, weights)
			if err != nil {
				t.Fatal(err)
			}
			testIntPlan(t, conv, s, src, w, 0, 127)
		})
		w[s.C*9-1] = int8(sign)
		if _, err := PackIntWinograd(s, 4, w, 0); !errors.Is(err, ErrIntWinograd) {
			t.Errorf("sums beyond 25 bits: %v", err)
		}
		if _, err := PackIntWinograd(s, 2, w, 0); err != nil {
			t.Errorf("tiles of 2x2: %v", err)
		}
	}
}

// TestIntWinogradRows compares every row with the portable one.
func TestIntWinogradRows(t *testing.T) {
	for _, f := range []struct {
		m      int
		in     []impl[intWinogradInLoop]
		filter []impl[intWinogradFilterLoop]
		out    []impl[intWinogradOutLoop]
	}{{4, intWinogradIn4Loops, intWinogradFilter4Loops, intWinogradOut4Loops}, {2, intWinogradIn2Loops, intWinogradFilter2Loops, intWinogradOut2Loops}} {
		edge := f.m + 2
		eachImpl(t, fmt.Sprintf("intwinograd%din", f.m), f.in, func(t *testing.T, run intWinogradInLoop) {
			for _, c := range []int{16, 32, 48, 320} {
				const tiles = 3
				pixel, row := c+3, (tiles*f.m+2)*(c+3)+5
				pitch := (c + 31) / 32 * 32
				tap := tiles*pitch + 32
				src := tailBytes(t, seeded(uint64(c)), (edge-1)*row+(tiles*f.m+1)*pixel+c)
				got, want := make([]int16, edge*edge*tap), make([]int16, edge*edge*tap)
				run(got, src, tiles, pitch, c, row, pixel, tap)
				portable(f.in)(want, src, tiles, pitch, c, row, pixel, tap)
				for i := range want {
					if i%tap%pitch < c && got[i] != want[i] {
						t.Fatalf("%d channels: element %d is %d, want %d", c, i, got[i], want[i])
					}
				}
			}
		})
		eachImpl(t, fmt.Sprintf("intwinograd%dfilter", f.m), f.filter, func(t *testing.T, run intWinogradFilterLoop) {
			const n, tap = 96, 112
			src := extremeWeights(seeded(uint64(f.m)), 9*n, 127)
			src[3*n] = -128
			got, want := make([]int16, edge*edge*tap), make([]int16, edge*edge*tap)
			run(got, src, n, tap)
			portable(f.filter)(want, src, n, tap)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("element %d is %d, want %d", i, got[i], want[i])
				}
			}
		})
		eachImpl(t, fmt.Sprintf("intwinograd%dout", f.m), f.out, func(t *testing.T, run intWinogradOutLoop) {
			const tiles, n, tap = 3, 16, 80
			row := tiles*f.m*n + 16
			r := seeded(uint64(f.m))
			src, got, want := make([]int32, edge*edge*tap), make([]int32, f.m*row), make([]int32, f.m*row)
			for i := range src {
				src[i] = int32(r.Uint32())
			}
			run(got, src, tiles, n, row, tap)
			portable(f.out)(want, src, tiles, n, row, tap)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("element %d is %d, want %d", i, got[i], want[i])
				}
			}
		})
	}
}

// TestIntWinogradRefused: shapes and weights that do not belong are errors.
func TestIntWinogradRefused(t *testing.T) {
	ok := ConvShape{N: 1, H: 6, W: 6, C: 16, KH: 3, KW: 3, O: 4}
	w := make([]int8, 4*16*9)
	for name, change := range map[string]func(s *ConvShape){
		"stride":   func(s *ConvShape) { s.StrideH = 2 },
		"dilation": func(s *ConvShape) { s.DilW = 2 },
		"groups":   func(s *ConvShape) { s.Groups = 2 },
		"filter":   func(s *ConvShape) { s.KW = 1 },
	} {
		s := ok
		change(&s)
		if _, err := PackIntWinograd(s, 4, w, 0); !errors.Is(err, errIntWinograd) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := PackIntWinograd(ok, 3, w, 0); err == nil {
		t.Error("tiles of 3x3 are accepted")
	}
	if _, err := PackIntWinograd(ok, 4, w[:7], 0); err == nil {
		t.Error("missing weights are accepted")
	}
	p, err := PackIntWinograd(ok, 4, w, 0)
	if err != nil {
		t.Fatal(err)
	}
	other := ok
	other.O = 5
	if _, err := NewIntWinograd(other, p); err == nil {
		t.Error("weights of another shape are accepted")
	}
}
