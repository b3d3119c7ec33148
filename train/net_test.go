package train_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/calib"
	"pare/dataset"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// patterns are noisy stripes of four kinds, horizontal and vertical, wide and narrow,
// which a small network learns in a few hundred steps.
type patterns struct {
	n          int
	unlabelled bool
}

const (
	side    = 8
	classes = 4
)

func (p patterns) Len() int         { return p.n }
func (p patterns) Prepared() string { return "" }

func (p patterns) Task() dataset.Task {
	if p.unlabelled {
		return dataset.Unlabelled
	}
	return dataset.Classification
}

func (p patterns) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	x := tensor.New(tensor.Float32, hi-lo, 3, side, side)
	data, b := tensor.Data[float32](x), dataset.Batch{Inputs: map[string]*tensor.Tensor{"": x}}
	for i := lo; i < hi; i++ {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		class, phase, ink := r.IntN(classes), r.IntN(8), float32(0.5+r.Float64())
		picture := data[(i-lo)*3*side*side:][:3*side*side]
		for k := range picture {
			at := []int{k / side % side, k % side}[class%2] + phase
			v := ink * float32(at/(1+class/2)%2*2-1)
			picture[k] = v + float32(0.8*r.NormFloat64())
		}
		if !p.unlabelled {
			b.Labels = append(b.Labels, class)
		}
	}
	return b, nil
}

// data are n patterns that package grad evaluates.
func data(n int) calib.Data { return calib.Data{Set: patterns{n: n}} }

// net is a small residual network with batch-norms and random weights.
func net(t testing.TB, batch string) *ir.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	text := fmt.Sprintf(`ir_version 8
opset 13

graph net(x f32[%s,3,8,8]) -> (y) {
  const w1 = f32[8,3,3,3]{he}
  const g1 = f32[8]{one}
  const b1 = f32[8]{zero}
  const m1 = f32[8]{zero}
  const v1 = f32[8]{one}
  const w2 = f32[8,8,3,3]{he}
  const g2 = f32[8]{one}
  const b2 = f32[8]{zero}
  const m2 = f32[8]{zero}
  const v2 = f32[8]{one}
  const w3 = f32[16,8,3,3]{he}
  const c3 = f32[16]{zero}
  const w4 = f32[4,16]{he}
  const c4 = f32[4]{zero}
  a = Conv(x, w1) {pads=[1, 1, 1, 1]}
  an = BatchNormalization(a, g1, b1, m1, v1)
  ar = Relu(an)
  b = Conv(ar, w2) {pads=[1, 1, 1, 1]}
  bn = BatchNormalization(b, g2, b2, m2, v2)
  s = Add(ar, bn)
  sr = Relu(s)
  c = Conv(sr, w3, c3) {strides=[2, 2], pads=[1, 1, 1, 1]}
  cr = Relu(c)
  p = GlobalAveragePool(cr)
  f = Flatten(p)
  y = Gemm(f, w4, c4) {transB=1}
}
`, batch)
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(fill(line, r))
	}
	m, err := ir.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fill writes the elements of a constant: "he" for normal weights of the deviation
// that keeps variances, "one" and "zero".
func fill(line string, r *rand.Rand) string {
	head, kind, ok := strings.Cut(line, "]{")
	kind = strings.TrimSuffix(strings.TrimSpace(kind), "}")
	if !ok || kind != "he" && kind != "one" && kind != "zero" {
		return line
	}
	n, in := 1, 1
	for i, d := range strings.Split(head[strings.Index(head, "[")+1:], ",") {
		var k int
		fmt.Sscan(d, &k)
		if n *= k; i > 0 {
			in *= k
		}
	}
	list := make([]string, n)
	for i := range list {
		switch kind {
		case "he":
			list[i] = fmt.Sprint(float32(r.NormFloat64() * math.Sqrt(2/float64(in))))
		case "one":
			list[i] = "1.0"
		default:
			list[i] = "0.0"
		}
	}
	return head + "]{" + strings.Join(list, ", ") + "}\n"
}

// run evaluates a graph of the model by the operators' reference.
func run(t testing.TB, g *ir.Graph, m *ir.Model, x *tensor.Tensor) []float32 {
	t.Helper()
	c := *m
	c.Graph = g
	out, err := op.Run(context.Background(), &c, map[string]op.Val{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float32s(out[0].(*tensor.Tensor))
}
