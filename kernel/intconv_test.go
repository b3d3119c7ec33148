package kernel

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/internal/cpu"
	"pare/internal/guard"
)

// intCases hold every feature of ConvShape at sizes that leave tails.
var intCases = []ConvShape{
	{N: 1, H: 8, W: 8, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 32},
	{N: 2, H: 7, W: 7, C: 33, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 47},
	{N: 1, H: 9, W: 5, C: 5, KH: 1, KW: 1, O: 70},
	{N: 2, H: 9, W: 11, C: 8, KH: 1, KW: 1, StrideH: 2, StrideW: 2, O: 16},
	{N: 1, H: 23, W: 21, C: 3, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadT: 3, PadL: 3, PadB: 3, PadR: 3, O: 64},
	{N: 1, H: 12, W: 13, C: 6, KH: 3, KW: 2, O: 9},
	{N: 1, H: 12, W: 13, C: 8, KH: 3, KW: 3, O: 8},
	{N: 3, H: 6, W: 6, C: 4, KH: 3, KW: 3, StrideH: 2, PadL: 1, PadB: 1, O: 1},
	{N: 1, H: 11, W: 10, C: 7, KH: 3, KW: 3, DilH: 2, DilW: 3, PadT: 2, PadL: 3, PadB: 2, PadR: 3, O: 19},
	{N: 2, H: 10, W: 9, C: 12, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 3, O: 51},
	{N: 1, H: 6, W: 5, C: 6, KH: 3, KW: 3, Groups: 2, O: 4},
	{N: 1, H: 5, W: 6, C: 6, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 6, O: 12},
	{N: 1, H: 5, W: 6, C: 6, KH: 1, KW: 1, Groups: 2, O: 8},
	{N: 2, H: 8, W: 7, C: 10, KH: 3, KW: 3, O: 21, SrcStride: 13, DstStride: 40, ResStride: 25},
	{N: 2, H: 8, W: 7, C: 12, KH: 3, KW: 3, O: 21, SrcStride: 16, DstStride: 21, ResStride: 25},
	{N: 1, H: 3, W: 3, C: 1024, KH: 1, KW: 1, O: 130},
	{N: 1, H: 20, W: 70, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 16},
	{N: 1, H: 4, W: 4, C: 2, KH: 3, KW: 3, PadT: 4, PadL: 4, PadB: 4, PadR: 4, O: 3},
	{N: 3, H: 8, W: 8, C: 96, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 40},
}

// intDepthCases are depthwise.
var intDepthCases = []ConvShape{
	{N: 2, H: 9, W: 8, C: 32, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 32, O: 32},
	{N: 1, H: 9, W: 8, C: 48, KH: 3, KW: 3, Groups: 48, O: 48},
	{N: 1, H: 11, W: 10, C: 19, KH: 5, KW: 5, StrideH: 2, StrideW: 2, PadT: 2, PadL: 2, PadB: 2, PadR: 2, Groups: 19, O: 19},
	{N: 1, H: 7, W: 9, C: 16, KH: 1, KW: 3, DilW: 2, Groups: 16, O: 16, SrcStride: 17, DstStride: 20, ResStride: 16},
	{N: 1, H: 7, W: 9, C: 3, KH: 1, KW: 1, Groups: 3, O: 3},
}

// eachIntTile runs a test for every integer tile that the machine has.
func eachIntTile(t *testing.T, family string, tiles []intTile, f func(t *testing.T, tile *intTile)) {
	for i := range tiles {
		tile := &tiles[i]
		t.Run(tile.name, func(t *testing.T) {
			if !cpu.Has(tile.needs) {
				t.Skipf("SKIPPED: this machine, or PARE_CPU, has no %v", tile.needs)
			}
			f(t, tile)
			covered[family+"/"+tile.name] = true
		})
	}
}

// tailBytes returns random codes that end at an unmapped page; some are
// extreme.
func tailBytes(t testing.TB, r *rand.Rand, n int) []uint8 {
	s := guard.Tail[uint8](t, n)
	for i := range s {
		if s[i] = uint8(r.IntN(256)); r.IntN(3) > 0 {
			s[i] = uint8(255 * r.IntN(2))
		}
	}
	return s
}

// extremeWeights are mostly ±largest, long runs of one sign among them.
func extremeWeights(r *rand.Rand, n, largest int) []int8 {
	w := make([]int8, n)
	for i := range w {
		switch i / 50 % 3 {
		case 0:
			w[i] = int8(r.IntN(2*largest+1) - largest)
		case 1:
			w[i] = int8(-largest)
		default:
			w[i] = int8(largest * (1 - 2*r.IntN(2)))
		}
	}
	return w
}

// intSums is the obvious convolution.
func intSums(s ConvShape, src []uint8, w []int8, zero uint8) []int32 {
	cg, og := s.C/s.Groups, s.O/s.Groups
	var out []int32
	for p := range s.N * s.OH() * s.OW() {
		n, oy, ox := p/(s.OH()*s.OW()), p/s.OW()%s.OH(), p%s.OW()
		for o := range s.O {
			sum := 0
			for i := range s.KH * s.KW {
				y, x := oy*s.StrideH-s.PadT+i/s.KW*s.DilH, ox*s.StrideW-s.PadL+i%s.KW*s.DilW
				if y < 0 || y >= s.H || x < 0 || x >= s.W {
					continue
				}
				for c := range cg {
					v := int(src[((n*s.H+y)*s.W+x)*s.SrcStride+o/og*cg+c]) - int(zero)
					sum += v * int(w[(o*cg+c)*s.KH*s.KW+i])
				}
			}
			out = append(out, int32(sum))
		}
	}
	return out
}

// intEnd is the epilogue in steps that float64 holds exactly before rounding.
func intEnd(e *IntEpilogue, sum int32, extra []float32, o int, res uint8) float32 {
	y, add := float32(float64(float32(sum))*float64(e.Mul[o])), e.Add[o]
	total := float32(0)
	for _, x := range extra {
		total += x
	}
	y = float32(float64(y) + float64(total))
	if m := e.Mid; m != nil {
		y = min(max(float32(float64(y)+float64(add)), m.Lo), m.Hi)
		y, add = float32(math.RoundToEven(float64(y))*float64(m.Mul)), m.Shift
	}
	if e.Residual != nil {
		y = float32(float64(y) + float64(float32(float64(res)*float64(e.ResMul))))
	}
	y = float32(float64(y) + float64(add))
	if e.Lo < e.Hi {
		y = min(max(y, e.Lo), e.Hi)
	}
	return y
}

func TestIntConv(t *testing.T) {
	eachIntTile(t, "inttile", intTiles, func(t *testing.T, tile *intTile) {
		for i, s := range intCases {
			largest := []int{127}
			if tile.grouped {
				largest = []int{127, 64, 63, 32, 31, 16, 8, 7, 3, 1}
			}
			for _, l := range largest {
				t.Run(fmt.Sprint(i, "/", l), func(t *testing.T) { testIntConv(t, tile, s, l) })
			}
		}
	})
}

func TestIntDepthwise(t *testing.T) {
	eachIntTile(t, "intdepthwise", intDepthTiles, func(t *testing.T, tile *intTile) {
		for i, s := range intDepthCases {
			t.Run(fmt.Sprint(i), func(t *testing.T) { testIntConv(t, tile, s, 127) })
		}
	})
}

func testIntConv(t *testing.T, tile *intTile, s ConvShape, largest int) {
	testIntConvOf(t, s, largest, func(s ConvShape, w []int8, zero uint8) *IntWeights { return tile.pack(s, w, zero) })
}

func testIntConvOf(t *testing.T, s ConvShape, largest int, pack func(s ConvShape, w []int8, zero uint8) *IntWeights) {
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	r := seeded(uint64(largest))
	zero := []uint8{0, 128, 255, 77}[r.IntN(4)]
	src := tailBytes(t, r, extent(s.N*s.H*s.W, s.C, s.SrcStride))
	w := extremeWeights(r, s.O*s.C/s.Groups*s.KH*s.KW, largest)
	weights := pack(s, w, zero)
	conv, err := NewIntConv(s, weights)
	if err != nil {
		t.Fatal(err)
	}
	testIntPlan(t, conv, s, src, w, zero, largest)
}

// intPlan is what plans of convolutions of codes have in common.
type intPlan interface {
	Shape() ConvShape
	Tasks() int
	ScratchBytes() int
	Run(task int, dst, src []uint8, ep *IntEpilogue, scratch []uint8)
	RunFloat(task int, dst []float32, src []uint8, ep *IntEpilogue, scratch []uint8)
	RunSums(task int, dst []int32, src, scratch []uint8)
}

// testIntPlan compares sums, codes and floats with the definition.
func testIntPlan(t *testing.T, conv intPlan, s ConvShape, src []uint8, w []int8, zero uint8, largest int) {
	r := seeded(uint64(largest))
	scratch := guard.Tail[uint8](t, (conv.ScratchBytes()+3)&^3)
	sums := intSums(s, src, w, zero)
	pixels := s.N * s.OH() * s.OW()
	each := func(f func(i int, sum int32, extra []float32, o, p int)) {
		for p := range pixels {
			for o := range s.O {
				f(p*s.DstStride+o, sums[p*s.O+o], nil, o, p)
			}
		}
	}

	got := guard.Tail[int32](t, extent(pixels, s.O, s.DstStride))
	want := make([]int32, len(got))
	for task := range conv.Tasks() {
		conv.RunSums(task, got, src, scratch)
	}
	each(func(i int, sum int32, _ []float32, _, _ int) { want[i] = sum })
	if g, w := rawBytes(got), rawBytes(want); !bytes.Equal(g, w) {
		t.Fatalf("sums differ: %v, want %v", got[:min(40, len(got))], want[:min(40, len(want))])
	}

	for name, e := range intEpilogues(t, r, s, pixels, largest) {
		testIntEnd(t, name, conv, src, &e, scratch, each, len(got))
	}
}

// intEpilogues returns one of every kind, scaled so that codes spread.
func intEpilogues(t *testing.T, r *rand.Rand, s ConvShape, pixels, largest int) map[string]IntEpilogue {
	k := float64(s.C / s.Groups * s.KH * s.KW)
	mul, add := tail(t, r, s.O, float32(1/(float64(largest)*math.Sqrt(k))), false), tail(t, r, s.O, 50, false)
	res := tailBytes(t, r, extent(pixels, s.O, s.ResStride))
	extra := tail(t, r, pixels*s.O+ExtraRoom, 30, false)
	huge := tail(t, r, s.O, 1e12, false)
	return map[string]IntEpilogue{
		"huge":     {Mul: huge, Add: add, Zero: 7},
		"above":    {Mul: mul, Add: add, Zero: 7, Lo: 300, Hi: 310},
		"below":    {Mul: mul, Add: add, Zero: 7, Lo: -50, Hi: -40},
		"between":  {Mul: mul, Add: add, Zero: 60, Lo: -10.5, Hi: 20.5},
		"plain":    {Mul: mul, Add: add, Zero: 128},
		"relu":     {Mul: mul, Add: add, Hi: inf},
		"mid":      {Mul: mul, Add: add, Residual: res, ResMul: 0.37, Zero: 30, Lo: -20, Hi: 100, Mid: &Mid{-30, 60.5, 0.71, -3}},
		"extra":    {Mul: mul, Add: add, Extra: extra, Zero: 60, Lo: -20, Hi: 100},
		"residual": {Mul: mul, Add: add, Residual: res, ResMul: 0.37, Zero: 30, Lo: -20, Hi: 100},
		"steps":    {Mul: mul, Add: add, Residual: res, ResMul: 0.37, Lo: -20, Hi: 100, Steps: randomSteps(r, 120, 12)},
		"far":      {Mul: huge, Add: add, Steps: randomSteps(r, 4096, 60)},
		"many":     {Mul: mul, Add: add, Steps: randomSteps(r, 50, 40)},
		"rest":     {Mul: mul, Add: add, Extra: extra, Residual: res, ResMul: 0.37, Lo: -20, Hi: 100, Steps: randomSteps(r, 120, 12)},
	}
}

// testIntEnd compares codes and floats with the definition, gaps included.
func testIntEnd(t *testing.T, name string, c intPlan, src []uint8, e *IntEpilogue, scratch []uint8,
	each func(func(i int, sum int32, extra []float32, o, p int)), size int) {
	codes, floats := guard.Tail[uint8](t, size), guard.Tail[float32](t, size)
	wantCodes, wantFloats := make([]uint8, size), make([]float32, size)
	for task := range c.Tasks() {
		c.Run(task, codes, src, e, scratch)
		c.RunFloat(task, floats, src, e, scratch)
	}
	each(func(i int, sum int32, extra []float32, o, p int) {
		var res uint8
		if e.Residual != nil {
			res = e.Residual[p*c.Shape().ResStride+o]
		}
		if e.Extra != nil {
			extra = append([]float32{e.Extra[p*c.Shape().O+o]}, extra...)
		}
		wantFloats[i] = intEnd(e, sum, extra, o, res)
		q := math.RoundToEven(float64(wantFloats[i])) + float64(e.Zero)
		wantCodes[i] = uint8(min(max(q, 0), 255))
		if e.Steps != nil {
			wantCodes[i] = stepAt(e.Steps.values, wantFloats[i])
		}
	})
	bitsEqual(t, name, floats, wantFloats)
	if !bytes.Equal(codes, wantCodes) {
		t.Fatalf("%s: codes differ:\n%v, want\n%v", name, codes[:min(40, size)], wantCodes[:min(40, size)])
	}
}

func TestIntGemm(t *testing.T) {
	for _, s := range []GemmShape{{M: 1, N: 10, K: 64}, {M: 37, N: 33, K: 51}, {M: 5, N: 48, K: 16, LDA: 20, LDC: 50, LDR: 48}} {
		r := seeded(5)
		w := extremeWeights(r, s.N*s.K, 127)
		p, err := PackIntGemm(s.N, s.K, w, 9)
		if err != nil {
			t.Fatal(err)
		}
		g, err := NewIntGemm(s, p)
		if err != nil {
			t.Fatal(err)
		}
		full := g.Shape()
		src := tailBytes(t, r, extent(s.M, s.K, full.SrcStride))
		dst := guard.Tail[int32](t, extent(s.M, s.N, full.DstStride))
		for task := range g.Tasks() {
			g.RunSums(task, dst, src, make([]uint8, g.ScratchBytes()))
		}
		want := intSums(full, src, w, 9)
		for m := range s.M {
			for n := range s.N {
				if got := dst[m*full.DstStride+n]; got != want[m*s.N+n] {
					t.Fatalf("%+v: element %d,%d is %d, want %d", s, m, n, got, want[m*s.N+n])
				}
			}
		}
	}
}

func TestIntWeightsRefused(t *testing.T) {
	long := make([]int8, 70000)
	for i := range long {
		long[i] = 127
	}
	if _, err := PackIntGemm(1, len(long), long, 0); err == nil {
		t.Error("sums beyond 32 bits are accepted")
	}
	if _, err := PackIntGemm(2, 8, long[:15], 0); err == nil {
		t.Error("a missing weight is accepted")
	}
	p, err := PackIntGemm(1, 8, long[:8], 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewIntGemm(GemmShape{M: 1, N: 1, K: 12}, p); err == nil {
		t.Error("weights of another shape are accepted")
	}
}
