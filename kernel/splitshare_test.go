package kernel_test

import (
	"math"
	"slices"
	"testing"

	"pare/kernel"
)

// TestShareSlices: multiples of a slice count once, zeros not at all, and what comes
// of it are the filters again; also where scales of outputs have been multiplied in.
func TestShareSlices(t *testing.T) {
	const outs, ins, taps = 40, 6, 9
	r := random(4)
	kernels := make([]float32, ins*3*taps)
	for i := range kernels {
		kernels[i] = float32(r.NormFloat64())
	}
	w, terms := make([]float32, outs*ins*taps), 0
	for o := range outs {
		scale := float32(math.Exp(r.NormFloat64()))
		for i := range ins {
			factor := []float32{1, -1, 0.3, 0}[(o+i)%4]
			if factor != 0 {
				terms++
			}
			for k := range taps {
				w[(o*ins+i)*taps+k] = kernels[(i*3+o%3)*taps+k] * factor * scale
			}
		}
	}
	f := kernel.ShareSlices(w, outs, ins, taps)
	if n := f.Counts(); n.Kernels != 3*ins || n.Products != 3*ins*taps || n.Terms != terms {
		t.Errorf("%+v, want %d kernels and %d terms", n, 3*ins, terms)
	}
	if n, all := kernel.SampleSlices(w, outs, ins, taps), f.Counts(); n != all {
		t.Errorf("a sample of all channels counts %+v, not %+v", n, all)
	}
	dense := f.Dense(kernel.ConvShape{C: ins, KH: 3, KW: 3})
	for i, x := range dense {
		if math.Abs(float64(x-w[i])) > 1e-5*math.Abs(float64(w[i])) {
			t.Fatalf("weight %d is %v, was %v", i, x, w[i])
		}
	}
}

// TestShareSlicesApart: slices that differ by more than rounding, or are not finite,
// stay apart.
func TestShareSlicesApart(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	w := []float32{1, 2, 1, 2.0001, 2, 1, inf, 1, inf, 1, nan, 1, -1, -2}
	f := kernel.ShareSlices(w, 7, 1, 2)
	if n := f.Counts(); n.Kernels != 6 || n.Terms != 7 {
		t.Errorf("%+v, want 6 kernels", n)
	}
	for o, want := range []kernel.SplitTerm{{Kernel: 0, Factor: 1}, {Kernel: 1, Factor: 1}, {Kernel: 2, Factor: 1}} {
		if !slices.Equal(f.Terms[o], []kernel.SplitTerm{want}) {
			t.Errorf("output %d: %v, want %v", o, f.Terms[o], want)
		}
	}
	if last := f.Terms[6][0]; last != (kernel.SplitTerm{Kernel: 0, Factor: -1}) {
		t.Errorf("the opposite of the first slice: %v", last)
	}
}

// TestShareTaps: every weight that is not zero is a term.
func TestShareTaps(t *testing.T) {
	w := []float32{0, 1, 0, 0, 0, 2, 3, 0, 0, -1, 0, 0}
	f := kernel.ShareTaps(w, 2, 2, 3)
	if n := f.Counts(); n != (kernel.SplitCounts{Kernels: 4, Products: 4, Terms: 4}) {
		t.Errorf("%+v", n)
	}
	if got := f.Dense(kernel.ConvShape{C: 2, KH: 1, KW: 3}); !slices.Equal(got, w) {
		t.Errorf("%v, want %v", got, w)
	}
}

// TestSplitPays: few kernels and many zeros pay, kernels of their own do not, and a
// product that each output needs is best computed in stages.
func TestSplitPays(t *testing.T) {
	for _, c := range []struct {
		s              kernel.ConvShape
		kernels        int // per channel
		zeros          float64
		single         bool // kernels are of one tap
		pays, inStages bool
	}{
		{same(56, 64, 3, 1, 64), 1, 0, false, true, true},
		{same(28, 256, 3, 2, 256), 16, 0, false, true, false},
		{same(28, 256, 3, 2, 256), 256, 0, false, false, false},
		{same(14, 256, 3, 1, 256), 64, 0, false, false, false},
		{same(14, 1024, 1, 1, 256), 1, 0.8, true, true, false},
		{same(14, 1024, 1, 1, 256), 1, 0.2, true, false, false},
		{same(14, 256, 3, 1, 256), 9, 0.8, true, false, false},
	} {
		slots := c.s.C * c.s.O
		n := kernel.SplitCounts{Kernels: c.kernels * c.s.C, Products: c.kernels * c.s.C * c.s.KH * c.s.KW}
		if c.single {
			n.Products, slots = n.Kernels, slots*c.s.KH*c.s.KW
		}
		n.Terms = int((1 - c.zeros) * float64(slots))
		if got := kernel.SplitPays(c.s, n); got != c.pays {
			t.Errorf("%+v, %+v: %v", c.s, n, got)
		}
		if got := kernel.StagesPay(c.s, n); got != c.inStages {
			t.Errorf("%+v, %+v: in stages %v", c.s, n, got)
		}
	}
	if kernel.SplitPays(kernel.ConvShape{N: 1, H: 4, W: 4, C: 4, KH: 3, KW: 3, Groups: 2, O: 4}, kernel.SplitCounts{}) {
		t.Error("groups pay")
	}
}
