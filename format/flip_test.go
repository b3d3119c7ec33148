package format_test

import (
	"math"
	"testing"

	"pare/format"
	"pare/tensor"
)

// errorsOf are code less number, in steps, of every weight.
func errorsOf(t *testing.T, w *tensor.Tensor, e *format.Encoded) []float64 {
	t.Helper()
	d, err := e.Decode(1)
	if err != nil {
		t.Fatal(err)
	}
	scales, per := tensor.Data[float32](e.Scale), w.Len()
	if len(scales) > 1 {
		per /= len(scales)
	}
	out := make([]float64, w.Len())
	for i, v := range tensor.Data[float32](d) {
		out[i] = float64(v-tensor.Data[float32](w)[i]) / float64(scales[i/per])
	}
	return out
}

func total(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

// TestFlip holds the promises: no weight moves by more than a step, the errors of
// a channel add up to at most half of one, those of a kernel to at most one (half,
// and one more weight for the channel's sake).
func TestFlip(t *testing.T) {
	const out, in, taps = 16, 24, 9
	w := normal(5, out*in*taps).Reshape(out, in, 3, 3)
	for name, s := range map[string]format.Spec{
		"channel":    {Bits: 3, Grain: format.PerChannel},
		"tensor":     {Bits: 4},
		"asymmetric": {Bits: 4, Grain: format.PerChannel, Asymmetric: true},
	} {
		e, nearest := encode(t, w, s, format.Options{})
		before := errorsOf(t, w, e)
		cost, n, err := e.Flip(w, 0, taps, 3)
		if err != nil {
			t.Fatal(err)
		}
		after := errorsOf(t, w, e)
		moved := 0
		for i := range after {
			if d := math.Abs(after[i] - before[i]); d > 1.001 || math.Abs(after[i]) > 1.001 {
				t.Errorf("%s: weight %d moved by %v steps to an error of %v", name, i, d, after[i])
			} else if d > 0.5 {
				moved++
			}
		}
		if n < moved || moved == 0 || cost.Square <= nearest.Square {
			t.Errorf("%s: %d flips reported, %d found, squared error %v after %v", name, n, moved, cost.Square, nearest.Square)
		}
		for o := range out {
			if c := total(after[o*in*taps : (o+1)*in*taps]); math.Abs(c) > 0.501 {
				t.Errorf("%s: errors of channel %d add up to %v", name, o, c)
			}
			for k := range in {
				if c := total(after[(o*in+k)*taps:][:taps]); math.Abs(c) > 1.001 {
					t.Errorf("%s: errors of kernel %d of channel %d add up to %v", name, k, o, c)
				}
			}
		}
	}
}

// TestFlipBlocks: dense weights in blocks along the summed axis keep each block's
// sum.
func TestFlipBlocks(t *testing.T) {
	w := normal(6, 64*8).Reshape(64, 8)
	e, _ := encode(t, w, format.Spec{Bits: 4, Grain: format.PerBlock, Axis: 0, Block: 32}, format.Options{})
	if _, n, err := e.Flip(w, 1, 1, 2); err != nil || n == 0 {
		t.Fatalf("%d flips, %v", n, err)
	}
	d, err := e.Decode(1)
	if err != nil {
		t.Fatal(err)
	}
	for b := range 2 {
		for c := range 8 {
			sum := 0.0
			for i := range 32 {
				at := (32*b+i)*8 + c
				sum += float64(tensor.Data[float32](d)[at] - tensor.Data[float32](w)[at])
			}
			if s := float64(tensor.Data[float32](e.Scale)[8*b+c]); math.Abs(sum) > 0.501*s {
				t.Errorf("block %d of channel %d: errors add up to %v steps", b, c, sum/s)
			}
		}
	}
}
