package quant_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// alike yields batches whose channels are alike, as those of networks are.
type alike struct {
	n     int
	shape []int
}

func (a alike) Len() int         { return a.n }
func (alike) Task() dataset.Task { return dataset.Unlabelled }
func (alike) Prepared() string   { return "" }
func (a alike) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	x := tensor.New(tensor.Float32, append([]int{hi - lo}, a.shape...)...)
	d, inner := tensor.Data[float32](x), tensor.Len(a.shape[1:])
	for n := lo; n < hi; n++ {
		r := rand.New(rand.NewPCG(uint64(n), 3))
		common := make([]float64, inner)
		for i := range common {
			common[i] = r.NormFloat64()
		}
		for i := range a.shape[0] * inner {
			d[(n-lo)*a.shape[0]*inner+i] = float32(common[i%inner]*float64(1+i/inner%3) + 0.4*r.NormFloat64())
		}
	}
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": x}}, nil
}

func alikeData(n int) *calib.Data {
	return &calib.Data{Set: alike{n, []int{6, 8, 8}}, Batch: 5, Run: func(m *ir.Model, v []*ir.Value) (calib.Runner, error) { return reference{m, v}, nil }}
}

// gptqNet has a residual, a depthwise layer, a shared weight and a dense layer.
func gptqNet(t *testing.T) *ir.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	var consts strings.Builder
	for _, c := range []struct {
		name string
		dims []int
	}{{"w1", []int{12, 6, 3, 3}}, {"wd", []int{12, 1, 3, 3}}, {"ws", []int{12, 12, 1, 1}}, {"wf", []int{12, 10}}} {
		fmt.Fprintf(&consts, "  const %s = f32%s{", c.name, strings.ReplaceAll(fmt.Sprint(c.dims), " ", ","))
		for i := range tensor.Len(c.dims) {
			if i > 0 {
				consts.WriteString(", ")
			}
			fmt.Fprint(&consts, float32(0.3*r.NormFloat64()))
		}
		consts.WriteString("}\n")
	}
	m, err := ir.Parse(strings.NewReader("ir_version 10\nopset 21\ngraph g(x f32[N,6,8,8]) -> (y) {\n" + consts.String() + `  c1 = Conv(x, w1) {pads=[1, 1, 1, 1]} @conv1
  r1 = Relu(c1)
  d1 = Conv(r1, wd) {pads=[1, 1, 1, 1], group=12} @dw
  s1 = Conv(d1, ws) @once
  a1 = Add(s1, r1)
  s2 = Conv(a1, ws) @twice
  p = GlobalAveragePool(s2)
  f = Flatten(p)
  y = MatMul(f, wf) @fc
}
`))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func runRecipe(ctx context.Context, t *testing.T, m *ir.Model, recipe string, o compress.Options) (*compress.Report, error) {
	t.Helper()
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	return r.Run(ctx, m, o)
}

// lossOf is the energy of the difference that a recipe makes in the outputs, on samples
// of their own, relative to that of the outputs.
func lossOf(t *testing.T, m, q *ir.Model) float64 {
	t.Helper()
	b, _ := alike{90, []int{6, 8, 8}}.Batch(t.Context(), 60, 90)
	var got [2][]float32
	for i, net := range []*ir.Model{m, q} {
		out, err := op.Run(t.Context(), net, map[string]op.Val{"x": b.Inputs[""]})
		if err != nil {
			t.Fatal(err)
		}
		got[i] = tensor.Float32s(out[0].(*tensor.Tensor))
	}
	return format.Difference(got[0], got[1]).Relative()
}

// TestGPTQ: on every grid the outputs of samples that were not calibrated on err less
// than with the base alone, and every layer says what was done.
func TestGPTQ(t *testing.T) {
	for _, base := range []string{
		"uniform(w=3)", "uniform(w=4,a=8)", "powerquant(w=3)", "powerquant(w=4,a=8,exponent=layer)", "codebook(w=3,gain=false)",
		"uniform(w=3,granularity=block,block=4)", "uniform(w=3,symmetric=false)", "uniform(w=3,rounding=squant)", "mixed(base=uniform(w=4),budget=4)",
	} {
		m := gptqNet(t)
		plain := ir.CloneModel(m)
		if _, err := runRecipe(t.Context(), t, plain, base, compress.Options{Data: alikeData(60)}); err != nil {
			t.Fatal(err)
		}
		rounded := ir.CloneModel(m)
		rep, err := runRecipe(t.Context(), t, rounded, "gptq(base="+base+")", compress.Options{Data: alikeData(60)})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := lossOf(t, m, plain), lossOf(t, m, rounded); !(b < 0.9*a) {
			t.Errorf("%s: error %.4f, with gptq %.4f", base, a, b)
		}
		for _, l := range rep.Layers {
			if l.Skipped && l.Name != "twice" || !l.Skipped && !strings.Contains(l.Reason, "error of its results times") {
				t.Errorf("%s: %+v", base, l)
			}
		}
	}
}

// TestGPTQReference computes the weights of the last layer by definition: from what the
// layers before it, rounded, make of the samples.
func TestGPTQReference(t *testing.T) {
	m := gptqNet(t)
	q := ir.CloneModel(m)
	if _, err := runRecipe(t.Context(), t, q, "gptq(w=4,order=memory)", compress.Options{Data: alikeData(20)}); err != nil {
		t.Fatal(err)
	}
	w, now := m.Graph.Value("wf").Const, decodedWeight(t, q, "fc")
	h := productsOf(t, q, "f", 20)
	for c := range w.Shape[1] {
		row := column(w, c)
		want, nearest := publishedRow(row, h), publishedRow(row, diagonal(h))
		if rowError(row, nearest, h) <= rowError(row, want, h) {
			want = nearest
		}
		if got := column(now, c); !slices.Equal(got, want) {
			t.Errorf("channel %d: %v\nwant %v", c, got, want)
		}
	}
}

// diagonal is h without what would tell how to make up for errors.
func diagonal(h [][]float64) [][]float64 {
	out := make([][]float64, len(h))
	for i := range h {
		out[i] = make([]float64, len(h))
		out[i][i] = h[i][i]
	}
	return out
}

// rowError is (w-q)·h·(w-q)ᵀ.
func rowError(w, q []float64, h [][]float64) (sum float64) {
	for i := range w {
		for j := range w {
			sum += (w[i] - q[i]) * h[i][j] * (w[j] - q[j])
		}
	}
	return sum
}

func column(w *tensor.Tensor, c int) (out []float64) {
	for i := range w.Shape[0] {
		out = append(out, float64(tensor.Float32s(w)[i*w.Shape[1]+c]))
	}
	return out
}

// decodedWeight is what the weights of a node stand for.
func decodedWeight(t *testing.T, m *ir.Model, name string) *tensor.Tensor {
	t.Helper()
	for _, l := range compress.Layers(m) {
		if l.Name == name {
			d, err := l.Encoded.Decode(1)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	t.Fatalf("no layer %s", name)
	return nil
}

// productsOf sums the products of the rows of a value over n samples.
func productsOf(t *testing.T, m *ir.Model, name string, n int) [][]float64 {
	t.Helper()
	b, _ := alike{n, []int{6, 8, 8}}.Batch(t.Context(), 0, n)
	got, err := reference{m, []*ir.Value{m.Graph.Value(name)}}.Run(t.Context(), map[string]*tensor.Tensor{"x": b.Inputs[""]})
	if err != nil {
		t.Fatal(err)
	}
	k := got[0].Shape[1]
	h := make([][]float64, k)
	for i := range h {
		h[i] = make([]float64, k)
		for j := range h {
			for s := range n {
				h[i][j] += float64(tensor.Float32s(got[0])[s*k+i]) * float64(tensor.Float32s(got[0])[s*k+j])
			}
		}
	}
	return h
}

// publishedRow rounds a row of 4-bit weights by the published updates: with the inverse
// of the products of what is not rounded yet, found anew each time by elimination. The
// scale is that of the largest weight.
func publishedRow(w []float64, h [][]float64) []float64 {
	k, mean, top := len(w), 0.0, 0.0
	for i := range k {
		mean += h[i][i] / float64(k)
		top = max(top, math.Abs(w[i]))
	}
	scale := float64(float32(top) / 7)
	rest, out := append([]float64{}, w...), make([]float64, k)
	for i := range k {
		q := float64(float32(min(max(math.RoundToEven(rest[i]/scale), -7), 7)) * float32(scale))
		out[i] = q
		inverse := invert(h, i, 0.01*mean)
		for j := i; j < k; j++ {
			if j != i {
				rest[j] -= (rest[i] - q) * inverse[j-i][0] / inverse[0][0]
			}
		}
	}
	return out
}

// invert inverts the part of h from row and column i on, damped.
func invert(h [][]float64, i int, damp float64) [][]float64 {
	n := len(h) - i
	a, out := make([][]float64, n), make([][]float64, n)
	for r := range n {
		a[r], out[r] = append([]float64{}, h[i+r][i:]...), make([]float64, n)
		a[r][r] += damp
		out[r][r] = 1
	}
	for c := range n {
		p := a[c][c]
		for j := range n {
			a[c][j], out[c][j] = a[c][j]/p, out[c][j]/p
		}
		for r := range n {
			if f := a[r][c]; r != c {
				for j := range n {
					a[r][j], out[r][j] = a[r][j]-f*a[c][j], out[r][j]-f*out[c][j]
				}
			}
		}
	}
	return out
}

// TestGPTQResumed breaks off in the middle, goes on, and compares with a run that was
// not interrupted; results do not depend on threads either.
func TestGPTQResumed(t *testing.T) {
	const recipe = "gptq(w=4,a=8)"
	whole := gptqNet(t)
	if _, err := runRecipe(t.Context(), t, whole, recipe, compress.Options{Data: alikeData(20), Threads: 1}); err != nil {
		t.Fatal(err)
	}
	o := compress.Options{
		Data: alikeData(20), Threads: 3,
		Journal: &compress.Journal{Dir: filepath.Join(t.TempDir(), "j"), Input: func() (string, error) { return "net", nil }},
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	o.Progress = func(p compress.Progress) {
		if p.What == "measuring data" && p.Done > 45 {
			cancel(stop)
		}
	}
	if _, err := runRecipe(ctx, t, gptqNet(t), recipe, o); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	again := gptqNet(t)
	o.Progress = nil
	rep, err := runRecipe(t.Context(), t, again, recipe, o)
	if err != nil || rep.Resumed != 2 {
		t.Fatalf("%v: %+v", err, rep)
	}
	for i, v := range whole.Graph.Consts {
		if w := again.Graph.Consts[i]; v.Name != w.Name || !tensor.Equal(v.Const, w.Const) {
			t.Errorf("%s differs", v.Name)
		}
	}
}
