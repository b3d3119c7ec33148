package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pare/engine"
	"pare/format"
	"pare/internal/cpu"
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// lowModel is y = relu(x·w + b) or a Gemm with wᵀ, with weights in a format, and
// with data and result as codes of 8 bits if asked.
func lowModel(t testing.TB, m, k, n int, gemm, codes bool, spec format.Spec) *ir.Model {
	t.Helper()
	shape, product := []int{k, n}, "MatMul(d, w)\ns = Add(a, b)"
	if gemm {
		shape, product = []int{n, k}, "Gemm(d, w, b) {transB=1, alpha=0.5}\ns = Identity(a)"
	}
	head, tail := "d = Identity(x)", "y = Relu(s)"
	if codes {
		head = "xq = QuantizeLinear(x, xs, xz)\nd = DequantizeLinear(xq, xs, xz)"
		tail = "yq = QuantizeLinear(s, ys, xz)\ny = DequantizeLinear(yq, ys, xz)"
	}
	body := fmt.Sprintf(`ir_version 11
opset 25
graph g(x f32[%d,%d]) -> (y) {
	const w = f32[%d,%d]{*0.0}
	const b = f32[%d]{*0.5}
	const xs = f32[]{0.01}
	const xz = u8[]{117}
	const ys = f32[]{0.4}
	%s
	a = %s
	%s
}`, m, k, shape[0], shape[1], n, head, product, tail)
	model, err := ir.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	w := tensor.New(tensor.Float32, shape...)
	r := rand.New(rand.NewPCG(uint64(k), uint64(n)))
	for i := range tensor.Data[float32](w) {
		tensor.Data[float32](w)[i] = float32(r.NormFloat64())
	}
	e, _, err := format.Encode(w, spec, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := ir.NewPatch(model.Graph, "encode")
	p.Replace(model.Graph.Value("w"), format.Emit(p, model, "w", e, tensor.Float32))
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	return model
}

// lowSpecs are formats by the kernel of a product with few rows of floats: "" where
// weights are decoded when the program is compiled.
func lowSpecs(outputs int) map[string]format.Spec {
	return map[string]format.Spec{
		"w4 channel":  {Bits: 4, Grain: format.PerChannel, Axis: outputs},
		"w4 three":    {Bits: 3, Grain: format.PerChannel, Axis: outputs, Wide: true},
		"w4 block":    {Bits: 4, Grain: format.PerBlock, Axis: 1 - outputs, Block: 32},
		"w4 zeros":    {Bits: 4, Grain: format.PerBlock, Axis: 1 - outputs, Block: 16, Asymmetric: true},
		"w4 power":    {Kind: format.Power, Bits: 4, Exponent: 0.5, Grain: format.PerChannel, Axis: outputs},
		"w4 codebook": {Kind: format.Codebook, Bits: 4, Top: 48, Grain: format.PerChannel, Axis: outputs},
		"w2 tensor":   {Bits: 2},
		"w8 zeros":    {Bits: 8, Grain: format.PerChannel, Axis: outputs, Asymmetric: true},
		"w8 six":      {Bits: 6, Grain: format.PerBlock, Axis: 1 - outputs, Block: 64},
		" other way":  {Bits: 4, Grain: format.PerChannel, Axis: 1 - outputs},
		" odd blocks": {Bits: 4, Grain: format.PerBlock, Axis: 1 - outputs, Block: 18},
		" reals":      {Kind: format.Codebook, Bits: 4, Grain: format.PerChannel, Axis: outputs},
	}
}

// TestLowProduct compares weights that stay codes with their float evaluation, and
// which products keep them.
func TestLowProduct(t *testing.T) {
	for _, level := range cpu.Levels() {
		restore, full := cpu.Cap(level)
		for _, gemm := range []bool{false, true} {
			outputs := 1
			if gemm {
				outputs = 0
			}
			for name, spec := range lowSpecs(outputs) {
				for _, m := range []int{1, 3} {
					if full {
						t.Run(fmt.Sprint(level, "/", name, "/", gemm, "/", m), func(t *testing.T) {
							model := lowModel(t, m, 288, 250, gemm, false, spec)
							kernels := compare(t, model, inputsOf(model, 1))
							stays := slices.ContainsFunc(kernels, func(k string) bool { return strings.Contains(k, " w") })
							if want := kernel.LowRows() > 0 && m == 1 && name[0] == 'w'; stays != want {
								t.Fatalf("kernels %v", kernels)
							}
							if stays && !slices.Contains(kernels, map[bool]string{false: "matmul ", true: "gemm "}[gemm]+name[:2]) {
								t.Fatalf("kernels %v, want codes as in %q", kernels, name)
							}
						})
					}
				}
			}
		}
		restore()
	}
}

// TestLowInt: products of codes with weights that stay codes give the same bytes as
// products of whole weights, which processors without assembly compute.
func TestLowInt(t *testing.T) {
	const k, n = 2048, 2050
	for name, spec := range map[string]format.Spec{
		"w4": {Bits: 4, Grain: format.PerChannel, Axis: 1},
		"w2": {Bits: 2, Grain: format.PerChannel, Axis: 1},
	} {
		model := lowModel(t, 1, k, n, false, true, spec)
		var first []byte
		for _, level := range cpu.Levels() {
			restore, full := cpu.Cap(level)
			if full {
				got, kernels := runOnce(t, model)
				if first == nil {
					first = slices.Clone(got)
				}
				if !slices.Equal(got, first) {
					t.Errorf("%s: %s differs from generic", name, level)
				}
				if want := "int8 matmul " + name; slices.Contains(kernels, want) != (kernel.LowRows() > 0) {
					t.Errorf("%s: kernels are %v", level, kernels)
				}
			}
			restore()
		}
	}
}

// runOnce returns the bytes of y and the kernels of the steps.
func runOnce(t *testing.T, m *ir.Model) (y []byte, kernels []string) {
	p, err := engine.Compile(context.Background(), m, engine.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	s := p.NewSession()
	out, err := s.Run(context.Background(), inputsOf(m, 1))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := s.Profile(context.Background(), inputsOf(m, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range steps {
		kernels = append(kernels, st.Kernel)
	}
	return out["y"].Bytes(), kernels
}

// TestLowMemory: a program all of whose products keep codes holds no floats of its
// weights.
func TestLowMemory(t *testing.T) {
	if kernel.LowRows() == 0 {
		t.Skip("SKIPPED: this machine, or PARE_CPU, keeps no codes")
	}
	const k, n = 2048, 2048
	for _, codes := range []bool{false, true} {
		model := lowModel(t, 1, k, n, false, codes, format.Spec{Bits: 4, Grain: format.PerChannel, Axis: 1})
		before := heap()
		p, err := engine.Compile(context.Background(), model, engine.Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		s := p.NewSession()
		if _, err := s.Run(context.Background(), inputsOf(model, 1)); err != nil {
			t.Fatal(err)
		}
		if grown := int64(heap()) - int64(before); grown > k*n {
			t.Errorf("integers %v: a program of %d KB of codes keeps %d KB", codes, k*n/2>>10, grown>>10)
		}
		runtime.KeepAlive(s)
		runtime.KeepAlive(model)
	}
}

// heap is the live memory.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
