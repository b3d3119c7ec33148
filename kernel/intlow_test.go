package kernel

import (
	"fmt"
	"slices"
	"testing"

	"pare/internal/cpu"
	"pare/internal/guard"
)

// fewLevels are values that weights of at most 4 bits may have.
var fewLevels = [][]int8{
	{-7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7},
	{-128, -127, -100, -64, -33, -5, -1, 0, 1, 6, 30, 63, 64, 65, 100, 127},
	{-1, 0, 1},
	{-64, 0, 1, 64},
	{-127, 127},
}

// TestIntFew compares products whose weights stay codes with sums of integers,
// and all they store with products of whole bytes.
func TestIntFew(t *testing.T) {
	for _, level := range cpu.Levels() {
		restore, full := cpu.Cap(level)
		for i, levels := range fewLevels {
			for _, s := range []GemmShape{{M: 1, N: 1, K: 4}, {M: 1, N: 70, K: 264}, {M: 3, N: 32, K: 516}, {M: 8, N: 33, K: 1024}, {M: 7, N: 160, K: 2048, LDA: 2080, LDC: 163}} {
				if full {
					t.Run(fmt.Sprint(level, i, s), func(t *testing.T) { testIntFew(t, levels, s) })
				}
			}
		}
		restore()
	}
}

func testIntFew(t *testing.T, levels []int8, s GemmShape) {
	r := seeded(uint64(s.K + len(levels)))
	zero := []uint8{0, 255, 77}[r.IntN(3)]
	w := make([]int8, s.N*s.K)
	for i := range w {
		w[i] = levels[r.IntN(len(levels))]
	}
	conv := ConvShape{N: 1, H: s.M, W: 1, C: s.K, KH: 1, KW: 1, O: s.N, SrcStride: s.LDA, DstStride: s.LDC}
	few, err := PackIntFew(conv, w, zero)
	if err != nil {
		t.Fatal(err)
	}
	if (LowRows() > 0) != (few.CodeBits() > 0) {
		t.Fatal("the weights do not stay codes where they should")
	}
	whole, err := PackIntConv(conv, w, zero)
	if err != nil {
		t.Fatal(err)
	}
	if err := conv.check(); err != nil {
		t.Fatal(err)
	}
	src := tailBytes(t, r, extent(s.M, s.K, conv.SrcStride))
	for i := range min(len(src), s.K/2) {
		src[i] = 255
	}
	got := fewSums(t, conv, few, src)
	if !slices.Equal(got, fewSums(t, conv, whole, src)) {
		t.Fatal("sums differ from those of whole weights")
	}
	for i, sum := range intSums(conv, src, w, zero) {
		if at := i/s.N*conv.DstStride + i%s.N; got[at] != sum {
			t.Fatalf("sum %d is %d, want %d", i, got[at], sum)
		}
	}
	ep := IntEpilogue{Mul: make([]float32, s.N), Add: make([]float32, s.N), Zero: 9}
	for j := range ep.Mul {
		ep.Mul[j], ep.Add[j] = 1/float32(500+100*s.K), float32(j%50)
	}
	if !slices.Equal(fewCodes(t, conv, few, src, &ep), fewCodes(t, conv, whole, src, &ep)) {
		t.Fatal("codes differ from those of whole weights")
	}
}

func fewSums(t *testing.T, s ConvShape, w *IntWeights, src []uint8) []int32 {
	c, err := NewIntConv(s, w)
	if err != nil {
		t.Fatal(err)
	}
	out := guard.Tail[int32](t, extent(s.H, s.O, s.DstStride))
	for task := range c.Tasks() {
		c.RunSums(task, out, src, guard.Tail[uint8](t, (c.ScratchBytes()+3)&^3))
	}
	return out
}

func fewCodes(t *testing.T, s ConvShape, w *IntWeights, src []uint8, ep *IntEpilogue) []uint8 {
	c, err := NewIntConv(s, w)
	if err != nil {
		t.Fatal(err)
	}
	out := guard.Tail[uint8](t, extent(s.H, s.O, s.DstStride))
	for task := range c.Tasks() {
		c.Run(task, out, src, ep, guard.Tail[uint8](t, (c.ScratchBytes()+3)&^3))
	}
	return out
}

// TestFewFallsBack keeps bytes where there are more than sixteen values.
func TestFewFallsBack(t *testing.T) {
	w := make([]int8, 64)
	for i := range w {
		w[i] = int8(i)
	}
	p, err := PackIntFew(ConvShape{C: 64, O: 1, KH: 1, KW: 1}, w, 0)
	if err != nil || p.codes != nil {
		t.Fatal(err, p.codes)
	}
}
