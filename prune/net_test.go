package prune

import (
	"context"
	"math"
	"testing"

	"pare/compress"
	"pare/engine"
	"pare/group"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// opened reads a network that comes with the assets.
func opened(t *testing.T, name string) *ir.Model {
	t.Helper()
	return read(t, assets.Path(t, name))
}

func read(t *testing.T, path string) *ir.Model {
	t.Helper()
	f, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return ir.CloneModel(f.Model)
}

// simplified reads a network and simplifies it, with batch-norms folded or left.
func simplified(t *testing.T, path string, fold bool) *ir.Model {
	t.Helper()
	m, ctx := read(t, path), context.Background()
	_, err := pass.Simplify(ctx, m)
	if err == nil && fold {
		_, err = pass.FoldBatchNorms(ctx, m)
	}
	if err == nil {
		_, err = pass.Simplify(ctx, m)
	}
	if err == nil {
		_, err = op.Infer(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// recipe runs a recipe without data.
func recipe(t *testing.T, m *ir.Model, text string) *compress.Report {
	t.Helper()
	r, err := compress.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.Run(context.Background(), m, compress.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// output runs m on numbers made up.
func output(t *testing.T, m *ir.Model) []float32 {
	t.Helper()
	shape := []int{2}
	for _, d := range m.Graph.Inputs[0].Type.Shape[1:] {
		shape = append(shape, d.N)
	}
	x := tensor.New(tensor.Float32, shape...)
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = float32(math.Sin(float64(i)*0.37) + 0.3*math.Sin(float64(i)/91))
	}
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.NewSession().Run(context.Background(), map[string]*tensor.Tensor{m.Graph.Inputs[0].Name: x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float32s(out[m.Graph.Outputs[0].Name])
}

// distance is the largest difference relative to the largest number.
func distance(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var d, top float64
	for i := range want {
		d, top = max(d, math.Abs(float64(got[i]-want[i]))), max(top, math.Abs(float64(want[i])))
	}
	return d / top
}

// distance2 is the root mean square of the difference relative to that of want.
func distance2(got, want []float32) float64 {
	var d, all float64
	for i, v := range want {
		d, all = d+math.Pow(float64(v-got[i]), 2), all+float64(v)*float64(v)
	}
	return math.Sqrt(d / all)
}

// units counts the units of free groups, which are channels that may go.
func units(t *testing.T, m *ir.Model) (n int) {
	t.Helper()
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	for _, g := range group.Analyse(m, group.Removing).Groups {
		if !g.Pinned() {
			n += len(g.Units)
		}
	}
	return n
}
