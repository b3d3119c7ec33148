package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/internal/guard"
	"pare/kernel"
)

// splitFilters makes filters with up to most kernels for every channel, of which
// some outputs have none, or twice one, and some channels are not read at all.
func splitFilters(r *rand.Rand, s kernel.ConvShape, most int) *kernel.SplitFilters {
	f := &kernel.SplitFilters{Terms: make([][]kernel.SplitTerm, s.O)}
	for c := range s.C {
		n := r.IntN(most + 1)
		first := len(f.Channel)
		for range n {
			f.Channel = append(f.Channel, c)
			for range s.KH * s.KW {
				f.Kernels = append(f.Kernels, 2*r.Float32()-1)
			}
		}
		for o := range s.O {
			for n > 0 && r.IntN(4) > 0 {
				factor := []float32{1, -1, 0.75}[r.IntN(3)]
				f.Terms[o] = append(f.Terms[o], kernel.SplitTerm{Kernel: first + r.IntN(n), Factor: factor})
				if r.IntN(8) > 0 {
					break
				}
			}
		}
	}
	// Kernels may come in any order.
	for i := len(f.Channel) / 2; i > 0; i-- {
		swapKernels(f, r.IntN(len(f.Channel)), r.IntN(len(f.Channel)))
	}
	return f
}

func swapKernels(f *kernel.SplitFilters, a, b int) {
	taps := len(f.Kernels) / len(f.Channel)
	f.Channel[a], f.Channel[b] = f.Channel[b], f.Channel[a]
	for i := range taps {
		f.Kernels[a*taps+i], f.Kernels[b*taps+i] = f.Kernels[b*taps+i], f.Kernels[a*taps+i]
	}
	for _, terms := range f.Terms {
		for i := range terms {
			switch terms[i].Kernel {
			case a:
				terms[i].Kernel = b
			case b:
				terms[i].Kernel = a
			}
		}
	}
}

func TestSplit(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		kernel.CoverSplit()
		for i, s := range convCases {
			if s.Groups > 1 {
				continue
			}
			for _, most := range []int{2, 9, 130} {
				if most*s.C > 4000 || most != 9 && s.Flops() > 3e6 {
					continue
				}
				t.Run(fmt.Sprint(i, " up to ", most), func(t *testing.T) { testSplit(t, s, most) })
			}
		}
	})
}

func testSplit(t *testing.T, s kernel.ConvShape, most int) {
	r := random(uint64(most))
	full := defaults(s)
	pixels := s.N * s.OH() * s.OW()
	src := floats(t, r, extent(s.N*s.H*s.W, s.C, full.SrcStride))
	f := splitFilters(r, s, most)
	bias := floats(t, r, s.O)
	res := floats(t, r, extent(pixels, s.O, full.ResStride))
	sums := convRef(full, src, f.Dense(s))
	weights, conv := planSplit(t, s, f)
	scratch := guard.Tail[float32](t, conv.ScratchFloats())
	for i := range scratch {
		scratch[i] = float32(math.NaN())
	}
	for name, ep := range map[string]kernel.Epilogue{
		"plain": {}, "bias": {Bias: bias}, "residual": {Residual: res},
		"all": {Bias: bias, Residual: res, Lo: -0.5, Hi: 0.75}, "silu": {Bias: bias, Lo: -0.5, Hi: 4, Act: kernel.SiLU.Run},
	} {
		dst := guard.Tail[float32](t, extent(pixels, s.O, full.DstStride))
		for i := range dst {
			dst[i] = 99
		}
		for task := conv.Tasks() - 1; task >= 0; task-- {
			conv.Run(task, dst, src, weights, &ep, scratch)
		}
		checkPixels(t, name, dst, sums, &ep, 2*s.C*s.KH*s.KW, s.O, full.DstStride, full.ResStride)
	}
	if full.DstStride == full.ResStride {
		dst := guard.Tail[float32](t, len(res))
		copy(dst, res)
		ep := kernel.Epilogue{Bias: bias, Residual: dst}
		for task := range conv.Tasks() {
			conv.Run(task, dst, src, weights, &ep, scratch)
		}
		ep.Residual = res
		checkPixels(t, "in place", dst, sums, &ep, 2*s.C*s.KH*s.KW, s.O, full.DstStride, full.ResStride)
	}
}

func planSplit(t testing.TB, s kernel.ConvShape, f *kernel.SplitFilters) (*kernel.SplitWeights, *kernel.Split) {
	t.Helper()
	weights, err := kernel.PackSplit(s, f)
	if err != nil {
		t.Fatal(err)
	}
	conv, err := kernel.NewSplit(s)
	if err != nil {
		t.Fatal(err)
	}
	return weights, conv
}

// TestSplitRefuses: shapes and filters that make no sense are errors.
func TestSplitRefuses(t *testing.T) {
	good := kernel.ConvShape{N: 1, H: 4, W: 4, C: 2, KH: 3, KW: 3, O: 1}
	filters := func() *kernel.SplitFilters {
		return &kernel.SplitFilters{Kernels: make([]float32, 18), Channel: []int{0, 1},
			Terms: [][]kernel.SplitTerm{{{Kernel: 0, Factor: 1}, {Kernel: 1, Factor: 1}}}}
	}
	if _, err := kernel.PackSplit(good, filters()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(f *kernel.SplitFilters){
		"a channel beyond":  func(f *kernel.SplitFilters) { f.Channel[1] = 2 },
		"a kernel beyond":   func(f *kernel.SplitFilters) { f.Terms[0][0].Kernel = 2 },
		"a negative kernel": func(f *kernel.SplitFilters) { f.Terms[0][0].Kernel = -1 },
		"too few outputs":   func(f *kernel.SplitFilters) { f.Terms = nil },
		"too few numbers":   func(f *kernel.SplitFilters) { f.Kernels = f.Kernels[1:] },
	} {
		f := filters()
		if change(f); !slices.ContainsFunc([]error{packError(good, f)}, func(err error) bool { return err != nil }) {
			t.Errorf("%s is accepted", name)
		}
	}
	good.Groups = 2
	if _, err := kernel.NewSplit(good); err == nil {
		t.Error("groups are accepted")
	}
}

func packError(s kernel.ConvShape, f *kernel.SplitFilters) error {
	_, err := kernel.PackSplit(s, f)
	return err
}
