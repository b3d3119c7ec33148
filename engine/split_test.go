package engine_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pare/engine"
	"pare/ir"
	"pare/tensor"
)

// fillShared makes filters of constants called r…, whose slices are multiples of two
// for each channel, some zero; sparse ones of constants called z…, and sums of
// products, one for each channel, of constants called a….
func fillShared(m *ir.Model) {
	for _, v := range m.Graph.Consts {
		r := rand.New(rand.NewPCG(3, uint64(v.Const.Len())))
		fills := map[byte]func(r *rand.Rand, shape []int) []float32{'r': repeated, 'z': sparse, 'a': picking}
		if f := fills[v.Name[0]]; f != nil {
			v.Const = tensor.Of(v.Const.Shape, f(r, v.Const.Shape))
		}
	}
}

func repeated(r *rand.Rand, shape []int) []float32 {
	o, c, taps := shape[0], shape[1], tensor.Len(shape[2:])
	out := make([]float32, o*c*taps)
	kernels := make([]float32, 2*c*taps)
	for i := range kernels {
		kernels[i] = float32(r.NormFloat64())
	}
	for i := range o * c {
		k := kernels[(2*(i%c)+r.IntN(2))*taps:][:taps]
		factor := []float32{1, 1, -1, 0.7, 0}[r.IntN(5)]
		for j, x := range k {
			out[i*taps+j] = factor * x
		}
	}
	return out
}

func sparse(r *rand.Rand, shape []int) []float32 {
	out := make([]float32, tensor.Len(shape))
	for i := range out {
		if r.IntN(10) == 0 {
			out[i] = float32(r.NormFloat64())
		}
	}
	return out
}

// picking takes one of four neighbouring products for each output.
func picking(r *rand.Rand, shape []int) []float32 {
	out := make([]float32, tensor.Len(shape))
	for o := range shape[0] {
		for j := 0; j+4 <= shape[1]; j += 4 {
			out[o*shape[1]+j+r.IntN(4)] = []float32{1, -1, 0.5}[r.IntN(3)]
		}
	}
	return out
}

var splitCases = []rowCase{
	{"repeated slices", `(x f32[N,64,15,13]) -> (y) { const r = f32[256,64,3,3]{*0.0}
		y = Conv(x, r) {pads=[1,1,1,1]} }`, []string{"to channels last", "split conv 3x3", "to channels first"}},
	{"with all that follows", `(x f32[N,32,27,26]) -> (y) { const r = f32[128,32,3,3]{*0.0}
		const w0 = f32[128,32,1,1]{*0.0}
		const wb = f32[128]{*0.0}
		const g = f32[128]{*2.0}
		a = Conv(x, w0) {strides=[2,2]}
		b = Conv(x, r, wb) {pads=[1,1,1,1], strides=[2,2]}
		c = BatchNormalization(b, g, wb, wb, g)
		d = Add(c, a)
		y = Relu(d) }`, []string{"to channels last", "conv 1x1", "split conv 3x3", "to channels first"}},
	{"strides, dilations and pads", `(x f32[N,24,31,27]) -> (y) { const r = f32[200,24,5,3]{*0.0}
		y = Conv(x, r) {pads=[3,0,1,2], strides=[2,1], dilations=[1,2]} }`, []string{"to channels last", "split conv 5x3", "to channels first"}},
	{"one axis", `(x f32[N,32,500]) -> (y) { const r = f32[128,32,5]{*0.0}
		y = Conv(x, r) {pads=[2,2], strides=[2]} }`, []string{"to channels last", "split conv 1x5", "to channels first"}},
	{"few that are not zero", `(x f32[N,64,16,16]) -> (y) { const z = f32[128,64,1,1]{*0.0}
		y = Conv(x, z) }`, []string{"to channels last", "split conv 1x1", "to channels first"}},
	{"a sparse product", `(x f32[N,40,96]) -> (y) { const z = f32[96,200]{*0.0}
		const wb = f32[200]{*0.0}
		a = MatMul(x, z)
		b = Add(a, wb)
		y = Relu(b) }`, nil},
	{"a sparse product of a transposed matrix", `(x f32[90,64]) -> (y) { const z = f32[150,64]{*0.0}
		const w = f32[90,150]{*0.0}
		y = Gemm(x, z, w) {transB=1} }`, []string{"sparse gemm"}},
	{"slices that differ", `(x f32[N,32,14,14]) -> (y) { const w = f32[64,32,3,3]{*0.0}
		y = Conv(x, w) {pads=[1,1,1,1], strides=[2,2]} }`, []string{"to channels last", "conv 3x3", "to channels first"}},
	{"stages", `(x f32[N,64,31,28]) -> (y) { const i = i64[256]{` + gathered(64, 4) + `}
		const w1 = f32[256,1,3,3]{*0.0}
		const a2 = f32[160,256,1,1]{*0.0}
		const wb = f32[160]{*0.0}
		a = Gather(x, i) {axis=1}
		b = Conv(a, w1) {group=256, pads=[1,1,1,1], strides=[2,2]}
		c = Conv(b, a2, wb)
		y = Relu(c) }`, []string{"to channels last", "split conv 3x3", "to channels first"}},
	{"stages without a gather", `(x f32[N,32,25,24]) -> (y) { const w1 = f32[128,1,5,5]{*0.0}
		const a2 = f32[128,128,1,1]{*0.0}
		b = Conv(x, w1) {group=32, pads=[2,2,2,2]}
		y = Conv(b, a2) }`, []string{"to channels last", "split conv 5x5", "to channels first"}},
	{"stages that are best multiplied out", `(x f32[N,16,12,12]) -> (y) { const i = i64[256]{` + gathered(16, 16) + `}
		const w1 = f32[256,1,3,3]{*0.0}
		const w2 = f32[16,256,1,1]{*0.0}
		a = Gather(x, i) {axis=1}
		b = Conv(a, w1) {group=256, pads=[1,1,1,1]}
		y = Conv(b, w2) }`, []string{"to channels last", "winograd 4x4", "to channels first"}},
	{"stages that are read in between", `(x f32[N,16,12,12]) -> (y, b) { const w1 = f32[64,1,3,3]{*0.0}
		const w2 = f32[16,64,1,1]{*0.0}
		b = Conv(x, w1) {group=16, pads=[1,1,1,1]}
		y = Conv(b, w2) }`, nil},
	{"a separable convolution", `(x f32[N,64,12,12]) -> (y) { const w1 = f32[64,1,3,3]{*0.0}
		const w2 = f32[64,64,1,1]{*0.0}
		b = Conv(x, w1) {group=64, pads=[1,1,1,1]}
		y = Conv(b, w2) }`, []string{"to channels last", "depthwise 3x3", "conv 1x1", "to channels first"}},
}

// gathered lists n channels, each a number of times.
func gathered(n, times int) string {
	var s []string
	for c := range n {
		s = append(s, slices.Repeat([]string{strconv.Itoa(c)}, times)...)
	}
	return strings.Join(s, ",")
}

func TestSplit(t *testing.T) {
	for _, c := range splitCases {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= 3; size++ {
				m := model(t, c.body)
				fillConsts(m)
				fillShared(m)
				if got := compare(t, m, inputsOf(m, size)); c.kernels != nil && !slices.Equal(got, c.kernels) {
					t.Errorf("computed by %q, want %q", got, c.kernels)
				}
			}
		})
	}
}

// TestSplitThreads demands the same bits for any number of threads, and in every run.
func TestSplitThreads(t *testing.T) {
	for _, c := range splitCases[:4] {
		var want []float64
		for _, threads := range []int{1, 2, 3, 8, 1} {
			m := model(t, c.body)
			fillConsts(m)
			fillShared(m)
			s, in := open(t, m, engine.Options{Threads: threads})
			out, err := s.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got := tensor.Float64s(out["y"]); want == nil {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s: %d threads give other results", c.name, threads)
			}
		}
	}
}
