package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/internal/guard"
	"pare/kernel"
)

// lowCase is a matrix of codes and what it stands for.
type lowCase struct {
	k, n, bits, block int
	shift             bool
	levels            []int8
}

var lowCases = []lowCase{
	{k: 1, n: 1, bits: 4, levels: ramp(16)},
	{k: 64, n: 32, bits: 4, levels: ramp(16)},
	{k: 96, n: 50, bits: 4, block: 32, shift: true, levels: ramp(16)},
	{k: 403, n: 33, bits: 4, levels: []int8{-127, -88, -64, -45, -31, -20, -11, -5, 0, 5, 11, 20, 31, 64, 88, 127}},
	{k: 100, n: 70, bits: 2, levels: []int8{-2, -1, 0, 1}},
	{k: 136, n: 15, bits: 2, block: 40, shift: true, levels: []int8{-64, 0, 1, 64}},
	{k: 72, n: 20, bits: 2, levels: []int8{-127, 0, 1, 127}},
	{k: 517, n: 49, bits: 8},
	{k: 70, n: 16, bits: 8, block: 16, shift: true},
}

// ramp is n integers around zero.
func ramp(n int) []int8 {
	out := make([]int8, n)
	for i := range out {
		out[i] = int8(i - n/2)
	}
	return out
}

func (c *lowCase) source(r *rand.Rand) kernel.LowSource {
	s := kernel.LowSource{Codes: make([]uint8, c.k*c.n), StepK: 1, StepJ: c.k, Bits: c.bits, Levels: c.levels, Block: c.block}
	for i := range s.Codes {
		s.Codes[i] = uint8(r.IntN(1 << c.bits))
	}
	blocks := 1
	if c.block > 0 {
		blocks = (c.k + c.block - 1) / c.block
	}
	for range blocks * c.n {
		s.Scale = append(s.Scale, r.Float32()+0.1)
		if c.shift {
			s.Shift = append(s.Shift, 3*r.Float32()-1)
		}
	}
	return s
}

// weight is element (k, j) of the matrix.
func (c *lowCase) weight(s *kernel.LowSource, k, j int) float64 {
	q, b := s.Codes[k*s.StepK+j*s.StepJ], 0
	v := float64(int8(q))
	if c.bits < 8 {
		v = float64(s.Levels[q])
	}
	if c.block > 0 {
		b = k / c.block
	}
	v *= float64(s.Scale[b*c.n+j])
	if c.shift {
		v += float64(s.Shift[b*c.n+j])
	}
	return v
}

// TestLowGemm compares with sums in float64, by the error that LowGemm states.
func TestLowGemm(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, c := range lowCases {
			for _, m := range []int{1, 2, 3, 5} {
				t.Run(fmt.Sprintf("%dx%dx%d,bits=%d,block=%d", m, c.n, c.k, c.bits, c.block), func(t *testing.T) { testLow(t, c, m) })
			}
		}
		kernel.CoverLow()
	})
}

func testLow(t *testing.T, c lowCase, m int) {
	r := random(uint64(c.k))
	src := c.source(r)
	w, err := kernel.PackLow(c.k, c.n, src)
	if err != nil {
		t.Fatal(err)
	}
	a := floats(t, r, m*c.k)
	a[0] = -1 // the largest magnitude, a power of two
	ep := &kernel.Epilogue{Bias: floats(t, r, c.n), Residual: floats(t, r, m*c.n), Lo: -1000, Hi: 900, Act: kernel.SiLU.Run}
	got := runLow(t, kernel.NewLowGemm(m, w), m, c, a, ep)
	rel := math.Ldexp(1, -20) // the most of any machine
	if c.bits == 4 && largestOf(c.levels) <= 64 || c.bits == 2 && largestOf(c.levels) <= 32 {
		rel = math.Ldexp(1, -23)
	}
	for i, g := range got {
		row, j := a[i/c.n*c.k:][:c.k], i%c.n
		sum, size, top := 0.0, 0.0, 0.0
		for k, x := range row {
			v := c.weight(&src, k, j)
			sum += float64(x) * v
			size += math.Abs(v)
			top = max(top, math.Abs(float64(x)))
		}
		want := min(max(sum+float64(ep.Bias[j])+float64(ep.Residual[i]), -1000), 900)
		want /= 1 + math.Exp(-want)
		// Sums of blocks are added as floats, whose rounding comes on top.
		if limit := (rel + 16*math.Ldexp(1, -24)) * top * (size + 1) * 1.1; !(math.Abs(float64(g)-want) <= limit) {
			t.Fatalf("element %d is %v, want %v within %v", i, g, want, limit)
		}
	}
}

func largestOf(levels []int8) int {
	most := 0
	for _, v := range levels {
		most = max(most, int(v), -int(v))
	}
	return most
}

// runLow runs all tasks on memory that ends at unmapped pages.
func runLow(t testing.TB, g *kernel.LowGemm, m int, c lowCase, a []float32, ep *kernel.Epilogue) []float32 {
	fixed := guard.Tail[float32](t, g.FixedFloats())
	for i := range fixed {
		fixed[i] = float32(math.NaN()) // as arenas may hold
	}
	for r := range m {
		g.Fix(r, fixed, a[r*c.k:][:c.k])
	}
	dst, scratch := guard.Tail[float32](t, m*c.n), guard.Tail[float32](t, g.ScratchFloats())
	for task := range g.Tasks() {
		g.Run(task, dst, a, fixed, ep, scratch)
	}
	return dst
}

// TestLowRows meets rows of extreme magnitudes and such as are not finite.
func TestLowRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		c := lowCase{k: 8, n: 3, bits: 4, levels: ramp(16)}
		src := c.source(random(1))
		for k := range src.Codes {
			src.Codes[k] = 9 // level 1
		}
		src.Scale = []float32{1, 1, 1}
		w, err := kernel.PackLow(c.k, c.n, src)
		if err != nil {
			t.Fatal(err)
		}
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, x := range []float32{0, math.SmallestNonzeroFloat32, 1e-42, 1e-38, 1, 4e37, inf, -inf, nan} {
			a := []float32{x, 0, 0, 0, x, 0, 0, 0}
			for _, g := range runLow(t, kernel.NewLowGemm(1, w), 1, c, a, &kernel.Epilogue{}) {
				if want := x + x; g != want && g == g || (g == g) != (want == want) {
					t.Errorf("%v + %v is %v", x, x, g)
				}
			}
		}
	})
}

func TestPackLowRefuses(t *testing.T) {
	good := func() kernel.LowSource {
		return kernel.LowSource{Codes: make([]uint8, 64), StepK: 1, StepJ: 64, Bits: 4, Levels: ramp(16), Scale: []float32{1}}
	}
	if _, err := kernel.PackLow(64, 1, good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*kernel.LowSource){
		"bits":   func(s *kernel.LowSource) { s.Bits = 3 },
		"levels": func(s *kernel.LowSource) { s.Levels = nil },
		"block":  func(s *kernel.LowSource) { s.Block = 6 },
		"scales": func(s *kernel.LowSource) { s.Scale = nil },
		"NaN":    func(s *kernel.LowSource) { s.Scale[0] = float32(math.NaN()) },
	} {
		s := good()
		spoil(&s)
		if _, err := kernel.PackLow(64, 1, s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
