package engine_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pare/engine"
	"pare/internal/cpu"
	"pare/ir"
	"pare/tensor"
)

// intCase is a graph that ends with a pair of QuantizeLinear, with scale "ys",
// and DequantizeLinear of the value "p"; or that ends with floats.
type intCase struct {
	name, body string
	kernels    []string
}

// grids are the constants that the cases share.
const grids = `
	const xs = f32[]{0.02}
	const xz = u8[]{117}
	const ys = f32[]{0.05}
	const yz = u8[]{30}
	const is = f32[]{0.03}
	const iz = i8[]{-5}
	const cs = f32[6]{0.011, 0.02, 0.005, 0.013, 0.004, 0.01}
	const ts = f32[]{0.01}
`

// end brings p to the grid of the output.
const end = `
	yq = QuantizeLinear(p, ys, yz)
	y = DequantizeLinear(yq, ys, yz)
}`

// codesOfX quantises x.
const codesOfX = `
	xq = QuantizeLinear(x, xs, xz)
	d = DequantizeLinear(xq, xs, xz)
`

var intCases = []intCase{
	{"convolution", `(x f32[N,5,9,7]) -> (y) {
		const q = i8[6,5,3,3]{*0}
		const wb = f32[6]{*0.0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w, wb) {pads=[1,1,1,1], strides=[2,1]}
		p = Relu(a)` + end, []string{"to channels last", "quantize", "int8 conv 3x3", "dequantize", "to channels first"}},
	{"signed codes in groups", `(x f32[N,8,6,6]) -> (y) {
		const q = i8[6,4,3,3]{*0}` + grids + `
		xq = QuantizeLinear(x, is, iz)
		d = DequantizeLinear(xq, is, iz)
		w = DequantizeLinear(q, ts)
		a = Conv(d, w) {group=2, dilations=[1,2], pads=[1,2,0,2]}
		p = Identity(a)` + end, []string{"to channels last", "quantize", "int8 conv 3x3", "dequantize", "to channels first"}},
	{"depthwise", `(x f32[N,6,9,8]) -> (y) {
		const q = i8[6,1,3,3]{*0}
		const ws = f32[6]{*0.0}
		const wb = f32[6]{*0.0}
		const wm = f32[6]{*0.0}
		const v = f32[6]{*2.0}
		const lo = f32[]{0.0}
		const hi = f32[]{6.0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w) {group=6, pads=[1,1,1,1]}
		n = BatchNormalization(a, ws, wb, wm, v)
		p = Clip(n, lo, hi)` + end, []string{"to channels last", "quantize", "int8 depthwise 3x3", "dequantize", "to channels first"}},
	{"residual in the epilogue", `(x f32[N,6,5,5]) -> (y) {
		const q = i8[6,6,1,1]{*0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w)
		s = Add(a, d)
		p = Relu(s)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"sum behind a grid", `(x f32[N,6,5,5]) -> (y) {
		const q = i8[6,6,1,1]{*0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w)
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		s = Add(d, e)
		p = Relu(s)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"sums of codes", `(x f32[N,6,5,5]) -> (y) {
		const q = i8[6,6,1,1]{*0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w)
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		s = Add(d, e)
		sq = QuantizeLinear(s, ys, yz)
		u = DequantizeLinear(sq, ys, yz)
		r = Add(u, e)
		p = Relu(r)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "int8 add", "int8 add", "dequantize", "to channels first"}},
	{"pool, flatten, product", `(x f32[N,6,7,7]) -> (y) {
		const q = i8[6,6,3,3]{*0}
		const q2 = i8[11,6]{*0}
		const wb = f32[11]{*0.0}
		const gs = f32[11]{*0.01}` + grids + codesOfX + `
		m = MaxPool(d) {kernel_shape=[3,3], strides=[2,2]}
		mq = QuantizeLinear(m, xs, xz)
		e = DequantizeLinear(mq, xs, xz)
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(e, w)
		aq = QuantizeLinear(a, ys, yz)
		b = DequantizeLinear(aq, ys, yz)
		f = Flatten(b)
		w2 = DequantizeLinear(q2, gs) {axis=0}
		y = Gemm(f, w2, wb) {transB=1, alpha=0.5, beta=2.0}
	}`, []string{"to channels last", "quantize", "int8 maxpool 3x3", "int8 conv 3x3", "int8 gemm"}},
	{"product of rows", `(x f32[N,4,9]) -> (y) {
		const q = i8[9,6]{*0}
		const wb = f32[6]{*0.0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=1}
		a = MatMul(d, w)
		b = Add(wb, a)
		p = Relu(b)` + end, []string{"quantize", "int8 matmul", "dequantize"}},
	{"unsigned weights", `(x f32[N,6,4,4]) -> (y) {
		const q = u8[6,6,1,1]{*0}
		const z = u8[]{128}` + grids + codesOfX + `
		w = DequantizeLinear(q, ts, z)
		p = Conv(d, w)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"weights beyond 8 bits", `(x f32[N,6,4,4]) -> (y) {
		const q = u8[6,6,1,1]{*0}
		const z = u8[]{20}` + grids + codesOfX + `
		w = DequantizeLinear(q, ts, z)
		p = Conv(d, w)` + end, []string{"fake quantize", "to channels last", "conv 1x1", "fake quantize", "to channels first"}},
	{"weights on a power grid", `(x f32[N,6,4,4]) -> (y) {
		const k = u8[6,6,1,1]{*0}
		const levels = f32[7]{-127, -56, -14, 0, 14, 56, 127}
		const ps = f32[6,1,1,1]{0.01, 0.02, 0.015, 0.01, 0.01, 0.02}
		const one = f32[]{1.0}` + grids + codesOfX + `
		k1 = DequantizeLinear(k, one)
		k2 = Cast(k1) {to=6}
		k3 = Gather(levels, k2)
		w = Mul(k3, ps)
		p = Conv(d, w)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"moved codes", `(x f32[N,9,7,6]) -> (y) {
		const q = i8[6,16,3,3]{*0}
		const from = i64[1]{1}
		const to = i64[1]{9}
		const axes = i64[1]{2}
		const by = i64[1]{2}
		const pads = i64[8]{0, 1, 1, 0, 0, 1, 0, 2}` + grids + codesOfX + `
		t = Transpose(d) {perm=[0,3,1,2]}
		tq = QuantizeLinear(t, xs, xz)
		u = DequantizeLinear(tq, xs, xz)
		l = Slice(u, from, to, axes, by)
		lq = QuantizeLinear(l, xs, xz)
		lu = DequantizeLinear(lq, xs, xz)
		o = Pad(lu, pads)
		oq = QuantizeLinear(o, xs, xz)
		ou = DequantizeLinear(oq, xs, xz)
		c = Concat(ou, ou) {axis=1}
		cq = QuantizeLinear(c, xs, xz)
		cu = DequantizeLinear(cq, xs, xz)
		w = DequantizeLinear(q, cs) {axis=0}
		p = Conv(cu, w)` + end, []string{"quantize", "int8 transpose", "int8 slice", "int8 fill", "int8 pad", "int8 concat", "int8 concat",
		"int8 conv 3x3", "dequantize", "to channels first"}},
	{"read as floats, too", `(x f32[N,6,5,5]) -> (y) {
		const q = i8[6,6,1,1]{*0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w)
		g = Sigmoid(d)
		y = Mul(a, g)
	}`, []string{"to channels last", "quantize", "int8 conv 1x1", "dequantize", "sigmoid", "mul", "to channels first"}},
	{"no integers behind", `(x f32[N,6,5,5]) -> (y) {` + grids + codesOfX + `
		y = Sigmoid(d)
	}`, []string{"fake quantize", "sigmoid"}},
}

// fillCodes makes random codes of the constants whose names begin with q, all
// values among them, of k, of seven, and of j, of -8..7.
func fillCodes(m *ir.Model) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, v := range m.Graph.Consts {
		span := map[byte][2]int{'q': {0, 256}, 'k': {0, 7}, 'j': {-8, 16}}[v.Name[0]]
		if span[1] == 0 {
			continue
		}
		codes := make([]byte, v.Const.Len())
		for i := range codes {
			codes[i] = byte(span[0] + r.IntN(span[1]))
		}
		v.Const = tensor.FromCodes(v.Const.Type, v.Const.Shape, codes)
	}
}

func TestIntegers(t *testing.T) { testIntegers(t, intCases) }

func testIntegers(t *testing.T, cases []intCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= 3; size += 2 {
				m := model(t, c.body)
				fillConsts(m)
				fillCodes(m)
				in := inputsOf(m, size)
				var first *tensor.Tensor
				for _, level := range cpu.Levels() {
					for threads := 1; threads <= 2; threads++ {
						y, kernels := onLevel(t, m, in, level, threads)
						if first == nil {
							first = y
							checkCodes(t, m, in, y)
						}
						if !tensor.Equal(y, first) && !floats(kernels) {
							t.Errorf("%s with %d threads computes other bits", level, threads)
						}
						if !slices.Equal(kernels, c.kernels) {
							t.Errorf("computed by %q, want %q", kernels, c.kernels)
						}
					}
				}
			}
		})
	}
}

// floats reports whether a kernel ran whose bits depend on the processor.
func floats(kernels []string) bool {
	return slices.Contains(kernels, "sigmoid") || slices.Contains(kernels, "conv 1x1")
}

// onLevel returns the output y, and the kernels that computed it.
func onLevel(t *testing.T, m *ir.Model, in map[string]*tensor.Tensor, level string, threads int) (*tensor.Tensor, []string) {
	t.Helper()
	return onLevelOf(t, m, in, level, threads, "y")
}

func onLevelOf(t *testing.T, m *ir.Model, in map[string]*tensor.Tensor, level string, threads int, output string) (*tensor.Tensor, []string) {
	t.Helper()
	restore, _ := cpu.Cap(level)
	defer restore()
	s, _ := open(t, m, engine.Options{Threads: threads})
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := s.Profile(context.Background(), in, 1)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, st := range steps {
		names = append(names, st.Kernel)
	}
	return out[output], names
}

// checkCodes compares with the reference: floats within rounding, codes equal
// but where the exact result lies in the middle between two.
func checkCodes(t *testing.T, m *ir.Model, in map[string]*tensor.Tensor, y *tensor.Tensor) {
	t.Helper()
	m = ir.CloneModel(m)
	p := m.Graph.Value("p")
	if p == nil {
		if err := distance(y, byReference(t, m, in)["y"]); err != nil {
			t.Fatal(err)
		}
		return
	}
	m.Graph.Outputs = append(m.Graph.Outputs, p)
	out := byReference(t, m, in)
	step := tensor.Float64s(m.Graph.Value("ys").Const)[0]
	before := tensor.Float64s(out["p"])
	spread := map[float64]bool{}
	for i, want := range tensor.Float64s(out["y"]) {
		got := tensor.Float64s(y)[i]
		q := before[i] / step
		tie := math.Abs(q-math.Floor(q)-0.5) < 1e-3
		if d := math.Abs(got-want) / step; d > 1.001 || d > 0.001 && !tie {
			t.Fatalf("element %d is %v, want %v: %v steps", i, got, want, q)
		}
		spread[want] = true
	}
	if len(spread) < 5 {
		t.Errorf("results take only the values %v", slices.Sorted(maps.Keys(spread)))
	}
}

// TestIntegersShared: outputs and values that other nodes read keep their
// meaning whatever is computed on codes.
func TestIntegersShared(t *testing.T) {
	body := intCases[4].body
	for _, extra := range []string{"d", "a", "e", "s", "p", "yq"} {
		t.Run(extra, func(t *testing.T) {
			m := model(t, strings.Replace(body, "-> (y)", fmt.Sprintf("-> (y, %s)", extra), 1))
			fillCodes(m)
			in := inputsOf(m, 2)
			p, err := engine.Compile(context.Background(), m, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.NewSession().Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			want := byReference(t, m, in)
			differ := 0
			for i, w := range tensor.Float64s(want[extra]) {
				if math.Abs(tensor.Float64s(got[extra])[i]-w) > 2e-5*max(1, math.Abs(w)) {
					differ++
				}
			}
			if differ > want[extra].Len()/100 {
				t.Errorf("%d of %d elements differ", differ, want[extra].Len())
			}
		})
	}
}
