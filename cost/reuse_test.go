package cost_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/cost"
	"pare/format"
	"pare/tensor"
)

// values are numbers from a few levels, some 0, some ±1, both zeros included.
func values(r *rand.Rand, n, levels int) []float32 {
	out := make([]float32, n)
	for i := range out {
		switch k := r.IntN(levels + 2); k {
		case 0:
		case 1:
			out[i] = float32(math.Copysign(0, -1))
		default:
			out[i] = float32(k-1) * float32(1-2*r.IntN(2))
		}
	}
	return out
}

// TestReuse counts random layers of few levels and of many against brute force.
func TestReuse(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		shape              []int
		groups             int
		strides, dilations []int
	}{
		{[]int{8, 5, 3, 3}, 1, nil, nil},
		{[]int{8, 5, 3, 3}, 1, []int{2, 2}, nil},
		{[]int{8, 40, 3, 3}, 2, []int{1, 2}, []int{2, 2}},
		{[]int{12, 1, 3, 3}, 12, []int{1, 1}, nil},
		{[]int{12, 1, 5}, 4, []int{3}, []int{2}},
		{[]int{20, 33, 1, 1}, 1, []int{2, 2}, nil},
		{[]int{4, 2, 2, 3, 2}, 1, []int{2, 1, 2}, nil},
	} {
		for _, levels := range []int{1, 2, 5, 1000} {
			w := cost.ConvWeights(values(r, tensor.Len(c.shape), levels), c.shape, c.groups, c.strides, c.dilations)
			repeatKernels(r, w)
			silence(r, w)
			want := brute(w)
			for _, threads := range []int{1, 3} {
				if got := w.Count(threads); got != want {
					t.Errorf("%v, %d levels, %d threads: %+v, want %+v", c.shape, levels, threads, got, want)
				}
			}
		}
	}
}

// repeatKernels makes some kernels multiples of others.
func repeatKernels(r *rand.Rand, w cost.Weights) {
	for range w.Out * w.In / 2 {
		i, a, b, f := r.IntN(w.In), r.IntN(w.Out), r.IntN(w.Out), float32(r.IntN(5)-2)
		for t := range w.Taps {
			w.Values[b*w.Steps.Out+i*w.Steps.In+t] = f * w.Values[a*w.Steps.Out+i*w.Steps.In+t]
		}
	}
}

// silence makes an input unread and an output constant.
func silence(r *rand.Rand, w cost.Weights) {
	g, o, i := r.IntN(w.Groups), r.IntN(w.Out), r.IntN(w.In)
	for t := range w.Taps {
		for k := range w.Out {
			w.Values[g*w.Steps.Group+k*w.Steps.Out+i*w.Steps.In+t] = 0
		}
		for k := range w.In {
			w.Values[g*w.Steps.Group+o*w.Steps.Out+k*w.Steps.In+t] = 0
		}
	}
}

// TestDistinctCodes holds the counts on integer codes of normal weights to the
// expectation of RED++ (arXiv:2110.01397), the sum over magnitudes m of
// 1 - (1 - p_m)^O, and to the figures known for these widths.
func TestDistinctCodes(t *testing.T) {
	const in = 576 // which sets the scales
	for _, c := range []struct {
		bits int
		want [3]float64 // distinct magnitudes for 64, 256 and 1024 outputs
	}{
		{8, [3]float64{43, 81, 105}}, {6, [3]float64{19, 26, 30}}, {4, [3]float64{5.6, 6.7, 7}}, {3, [3]float64{2.5, 2.9, 3}},
	} {
		for k, out := range []int{64, 256, 1024} {
			r := rand.New(rand.NewPCG(uint64(c.bits), uint64(out)))
			w := tensor.New(tensor.Float32, out, in)
			for i := range tensor.Data[float32](w) {
				tensor.Data[float32](w)[i] = float32(r.NormFloat64())
			}
			e, _, err := format.Encode(w, format.Spec{Bits: c.bits, Grain: format.PerChannel}, format.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			codes := make([]float32, out*in)
			counts := map[int16]float64{}
			e.Integers(func(i int, v int16) {
				codes[i] = float32(v)
				counts[max(v, -v)]++
			})
			weights := cost.Weights{Groups: 1, Out: out, In: in, Taps: 1, Values: codes, Steps: cost.Steps{Out: in, In: 1}}
			got := float64(weights.Count(1).Products) / in
			expected := 0.0
			for m, n := range counts {
				if m != 0 {
					expected += 1 - math.Pow(1-n/float64(out*in), float64(out))
				}
			}
			if math.Abs(got/expected-1) > 0.02 || math.Abs(got/c.want[k]-1) > 0.08 {
				t.Errorf("%d bits, %d outputs: %.2f distinct codes, expected %.2f, known %.1f", c.bits, out, got, expected, c.want[k])
			}
		}
	}
}
