package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pare/internal/guard"
	"pare/kernel"
)

// gradCases are the shapes of convCases, and what gradients treat in ways of their own:
// strides beyond the filter, dilations that share a factor with the stride, padding
// beyond the filter, depthwise ones, and every number of channels up to 40.
func gradCases() []kernel.ConvShape {
	cases := append(slices.Clone(convCases),
		kernel.ConvShape{N: 2, H: 9, W: 8, C: 5, KH: 2, KW: 2, StrideH: 3, StrideW: 3, O: 7},
		kernel.ConvShape{N: 1, H: 11, W: 12, C: 4, KH: 3, KW: 3, StrideH: 2, StrideW: 2, DilH: 2, DilW: 3, PadT: 2, PadL: 1, PadB: 1, PadR: 3, O: 6},
		kernel.ConvShape{N: 1, H: 10, W: 9, C: 3, KH: 3, KW: 3, StrideH: 4, StrideW: 6, DilH: 6, DilW: 4, PadT: 5, PadL: 4, PadB: 5, PadR: 4, O: 5},
		kernel.ConvShape{N: 2, H: 5, W: 4, C: 3, KH: 1, KW: 1, PadT: 1, PadL: 2, PadB: 1, PadR: 1, O: 4},
		kernel.ConvShape{N: 1, H: 6, W: 7, C: 6, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 2, O: 8, SrcStride: 9, DstStride: 11},
		kernel.ConvShape{N: 5, H: 32, W: 32, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 16},
		kernel.ConvShape{N: 9, H: 16, W: 16, C: 16, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 32},
		kernel.ConvShape{N: 2, H: 12, W: 12, C: 256, KH: 1, KW: 1, StrideH: 2, StrideW: 2, O: 64},
		kernel.ConvShape{N: 2, H: 9, W: 9, C: 48, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 48, O: 48},
		kernel.ConvShape{N: 2, H: 12, W: 11, C: 33, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 33, O: 33},
		kernel.ConvShape{N: 1, H: 13, W: 14, C: 17, KH: 5, KW: 5, StrideH: 2, StrideW: 2, PadT: 2, PadL: 2, PadB: 2, PadR: 2, Groups: 17, O: 17, SrcStride: 19, DstStride: 18},
		kernel.ConvShape{N: 2, H: 9, W: 8, C: 24, KH: 5, KW: 5, PadT: 2, PadL: 2, PadB: 2, PadR: 2, Groups: 24, O: 24},
		kernel.ConvShape{N: 1, H: 9, W: 8, C: 7, KH: 3, KW: 4, StrideH: 3, StrideW: 2, DilH: 2, DilW: 2, PadT: 5, PadL: 4, PadB: 3, PadR: 2, Groups: 7, O: 7},
		kernel.ConvShape{N: 3, H: 4, W: 4, C: 9, KH: 1, KW: 1, StrideH: 2, StrideW: 3, Groups: 9, O: 9},
	)
	for c := 1; c <= 40; c++ {
		cases = append(cases,
			kernel.ConvShape{N: 1, H: 5, W: 6, C: c, KH: 3, KW: 3, StrideH: 1 + c%2, StrideW: 1 + c%2, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 41 - c},
			kernel.ConvShape{N: 2, H: 4, W: 5, C: c, KH: 1, KW: 1, O: c},
			kernel.ConvShape{N: 1, H: 6, W: 5, C: c, KH: 3, KW: 3, StrideH: 1 + c%2, StrideW: 1 + c%2, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: c, O: c})
	}
	return cases
}

// eachProduct calls f for every pair of a source element and a weight that the
// convolution multiplies for an element of its result: their indices, weights in OIHW
// order.
func eachProduct(s kernel.ConvShape, f func(x, w, y int)) {
	cg, og := s.C/s.Groups, s.O/s.Groups
	for p := range s.N * s.OH() * s.OW() {
		n, oy, ox := p/(s.OH()*s.OW()), p/s.OW()%s.OH(), p%s.OW()
		for tap := range s.KH * s.KW {
			y, x := oy*s.StrideH-s.PadT+tap/s.KW*s.DilH, ox*s.StrideW-s.PadL+tap%s.KW*s.DilW
			if y < 0 || y >= s.H || x < 0 || x >= s.W {
				continue
			}
			for o := range s.O {
				for c := range cg {
					f(((n*s.H+y)*s.W+x)*s.SrcStride+o/og*cg+c, (o*cg+c)*s.KH*s.KW+tap, p*s.DstStride+o)
				}
			}
		}
	}
}

// gradRef is the obvious gradients, in float64.
func gradRef(s kernel.ConvShape, x, w, dy []float32) (dx, dw, db []float64) {
	dx, dw, db = make([]float64, len(x)), make([]float64, len(w)), make([]float64, s.O)
	eachProduct(s, func(i, k, j int) {
		dx[i] += float64(w[k]) * float64(dy[j])
		dw[k] += float64(x[i]) * float64(dy[j])
	})
	for p := range s.N * s.OH() * s.OW() {
		for o := range s.O {
			db[o] += float64(dy[p*s.DstStride+o])
		}
	}
	return dx, dw, db
}

func TestConvGradients(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		kernel.CoverOuter()
		for i, s := range gradCases() {
			t.Run(fmt.Sprintf("%d:%dx%dx%d,%d->%d", i, s.KH, s.KW, s.StrideH, s.C, s.O), func(t *testing.T) { testConvGradients(t, s) })
		}
	})
}

func testConvGradients(t *testing.T, s kernel.ConvShape) {
	full, r := defaults(s), random(3)
	x := floats(t, r, extent(s.N*s.H*s.W, s.C, full.SrcStride))
	dy := floats(t, r, extent(s.N*s.OH()*s.OW(), s.O, full.DstStride))
	w := floats(t, r, s.O*s.C/full.Groups*s.KH*s.KW)
	dx, dw, db := gradRef(full, x, w, dy)
	for _, add := range []bool{false, true} {
		checkInputGrad(t, full, w, dy, dx, add)
	}
	for form, plan := range weightGradForms(t, full) {
		t.Run(form, func(t *testing.T) { checkWeightGrad(t, plan, x, dy, slices.Clone(dw), slices.Clone(db)) })
	}
}

// weightGradForms are the forms that there are for a shape, and the one chosen.
func weightGradForms(t *testing.T, s kernel.ConvShape) map[string]*kernel.ConvWeightGrad {
	chosen, err := kernel.NewConvWeightGrad(s)
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]*kernel.ConvWeightGrad{"chosen": chosen}
	for _, m := range []int{0, 2, 4} {
		if g, err := kernel.NewConvWeightGradBy(s, m); err == nil {
			forms[fmt.Sprint("tiles of ", m)] = g
		}
	}
	return forms
}

// checkInputGrad compares dX, and that what lies between its pixels stays.
func checkInputGrad(t *testing.T, s kernel.ConvShape, w, dy []float32, want []float64, add bool) {
	t.Helper()
	g, err := kernel.NewConvInputGrad(s)
	if err != nil {
		t.Fatal(err)
	}
	weights := g.NewWeights()
	pack := guard.Tail[float32](t, weights.PackFloats())
	for task := range weights.PackTasks() {
		weights.Repack(task, w, pack)
	}
	got, scratch := guard.Tail[float32](t, len(want)), guard.Tail[float32](t, g.ScratchFloats())
	var expect []float64
	for i, v := range want {
		got[i] = float32(i%7) - 3
		if add || i%s.SrcStride >= s.C {
			v += float64(got[i])
		}
		expect = append(expect, v)
	}
	fill(scratch, float32(math.NaN()))
	for task := g.Tasks() - 1; task >= 0; task-- {
		g.Run(task, got, dy, weights, add, scratch)
	}
	near(t, fmt.Sprint("input gradient, add ", add), got, expect, 4e-6*math.Sqrt(float64(s.O*s.KH*s.KW)))
}

// checkWeightGrad compares dW and the gradient of the bias, added to what stands there.
func checkWeightGrad(t *testing.T, g *kernel.ConvWeightGrad, x, dy []float32, dw, db []float64) {
	t.Helper()
	s := g.Shape()
	partial, scratch := guard.Tail[float32](t, g.PartialFloats()), guard.Tail[float32](t, g.ScratchFloats())
	gotW, gotB := guard.Tail[float32](t, len(dw)), guard.Tail[float32](t, len(db))
	sums := guard.Tail[float32](t, g.SumFloats())
	for i, s := range [][]float32{gotW, gotB, partial, scratch, sums} {
		fill(s, [...]float32{2, -1, float32(math.NaN())}[min(i, 2)])
	}
	for task := g.Tasks() - 1; task >= 0; task-- {
		g.Run(task, partial, x, dy, true, scratch)
	}
	for task := range g.SumTasks() {
		g.Sum(task, gotW, gotB, partial, sums)
	}
	for i := range dw {
		dw[i] += 2
	}
	for i := range db {
		db[i]--
	}
	tol := 4e-6 * math.Sqrt(float64(s.N*s.OH()*s.OW()))
	near(t, "weight gradient", gotW, dw, tol)
	near(t, "bias gradient", gotB, db, tol)
	for task := range g.Tasks() {
		g.Run(task, partial, x, dy, false, scratch)
	}
	fill(gotW, 2)
	for task := range g.SumTasks() {
		g.Sum(task, gotW, nil, partial, sums)
	}
	near(t, "weight gradient without bias", gotW, dw, tol)
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// TestRepack: weights packed again are those packed at first.
func TestRepack(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, s := range convCases {
			full := defaults(s)
			w := floats(t, random(5), s.O*s.C/full.Groups*s.KH*s.KW)
			packed, err := kernel.PackConv(s, w)
			if err != nil {
				t.Fatal(err)
			}
			again, err := kernel.NewConvWeights(s)
			if err != nil {
				t.Fatal(err)
			}
			repack(t, again, w)
			if !kernel.SameWeights(packed, again) {
				t.Errorf("%+v: weights differ", s)
			}
			for _, m := range []int{2, 4} {
				if packed, err := kernel.PackWinograd(s, m, w); err == nil {
					again, err := kernel.NewWinogradWeights(s, m)
					if err != nil {
						t.Fatal(err)
					}
					repack(t, again, w)
					if !kernel.SameWinogradWeights(packed, again) {
						t.Errorf("%+v: weights of tiles of %d differ", s, m)
					}
				}
			}
		}
	})
}

// repacker is packed weights.
type repacker interface {
	PackTasks() int
	PackFloats() int
	Repack(task int, oihw, scratch []float32)
}

func repack(t *testing.T, p repacker, w []float32) {
	scratch := guard.Tail[float32](t, p.PackFloats())
	for task := p.PackTasks() - 1; task >= 0; task-- {
		p.Repack(task, w, scratch)
	}
}

// TestWinogradGradError holds the error of Winograd's form of the weight gradient beside
// that of the direct one, on rectified normal values.
func TestWinogradGradError(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		s := defaults(kernel.ConvShape{N: 8, H: 16, W: 16, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 16})
		r := random(7)
		x, dy, w := make([]float32, s.N*256*16), make([]float32, s.N*256*16), make([]float32, 16*16*9)
		for i := range x {
			x[i], dy[i] = float32(math.Max(0, r.NormFloat64())), float32(r.NormFloat64())
		}
		_, want, _ := gradRef(s, x, w, dy)
		for m, bound := range map[int]float64{0: 5e-7, 2: 1e-6, 4: 3e-6} {
			g, err := kernel.NewConvWeightGradBy(s, m)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, len(w))
			partial, scratch, sums := make([]float32, g.PartialFloats()), make([]float32, g.ScratchFloats()), make([]float32, g.SumFloats())
			for task := range g.Tasks() {
				g.Run(task, partial, x, dy, false, scratch)
			}
			for task := range g.SumTasks() {
				g.Sum(task, got, nil, partial, sums)
			}
			e := relativeError(got, want)
			t.Logf("tiles of %d: %.2g", m, e)
			if !(e <= bound) {
				t.Errorf("tiles of %d: error %.2g, want at most %.2g", m, e, bound)
			}
		}
	})
}

// TestGradientsAllocateNothing: tasks and packing find all their memory prepared.
func TestGradientsAllocateNothing(t *testing.T) {
	if raced {
		t.Skip("SKIPPED: the race detector drops what pools hold")
	}
	for _, s := range gradCases()[19:] {
		full := defaults(s)
		x, dy := make([]float32, extent(s.N*s.H*s.W, s.C, full.SrcStride)), make([]float32, extent(s.N*s.OH()*s.OW(), s.O, full.DstStride))
		w := make([]float32, s.O*s.C/full.Groups*s.KH*s.KW)
		in, err := kernel.NewConvInputGrad(s)
		if err != nil {
			t.Fatal(err)
		}
		out, err := kernel.NewConvWeightGrad(s)
		if err != nil {
			t.Fatal(err)
		}
		weights, partial := in.NewWeights(), make([]float32, out.PartialFloats())
		scratch := make([]float32, max(in.ScratchFloats(), weights.PackFloats(), out.ScratchFloats(), out.SumFloats()))
		if n := testing.AllocsPerRun(3, func() {
			for task := range weights.PackTasks() {
				weights.Repack(task, w, scratch)
			}
			for task := range in.Tasks() {
				in.Run(task, x, dy, weights, true, scratch)
			}
			for task := range out.Tasks() {
				out.Run(task, partial, x, dy, true, scratch)
			}
			for task := range out.SumTasks() {
				out.Sum(task, w, nil, partial, scratch)
			}
		}); n > 1 {
			t.Errorf("%+v: %v allocations", s, n)
		}
	}
}
