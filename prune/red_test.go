package prune_test

import (
	"context"
	"math"
	"testing"

	"pare/compress"
	"pare/cost"
	"pare/engine"
	"pare/group"
	"pare/group/grouptest"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/pass"
	_ "pare/prune"
	_ "pare/quant"
	"pare/tensor"
)

func load(t *testing.T, path string, fold bool) *ir.Model {
	t.Helper()
	f, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m := ir.CloneModel(f.Model)
	ctx := context.Background()
	steps := []func() error{
		func() error { _, err := pass.Simplify(ctx, m); return err },
		func() error {
			if fold {
				_, err := pass.FoldBatchNorms(ctx, m)
				return err
			}
			return nil
		},
		func() error { _, err := pass.Simplify(ctx, m); return err },
		func() error { _, err := op.Infer(m); return err },
	}
	for _, s := range steps {
		if err := s(); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// run applies a recipe.
func run(t *testing.T, m *ir.Model, text string) *compress.Report {
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

func distance(got, want []float32) float64 {
	var d, top float64
	for i := range want {
		d, top = max(d, math.Abs(float64(got[i]-want[i]))), max(top, math.Abs(float64(want[i])))
	}
	return d / top
}

// units counts the units of free groups, which are channels that may go.
func units(m *ir.Model) (n int) {
	for _, g := range group.Analyse(m, group.Removing).Groups {
		if !g.Pinned() {
			n += len(g.Units)
		}
	}
	return n
}

// TestPlantedNeuronsAreFound: a network with duplicates and multiples of neurons
// planted everywhere comes back to its size, with the same outputs: through
// residuals, concatenations and depthwise convolutions, with batch-norms and
// without.
func TestPlantedNeuronsAreFound(t *testing.T) {
	dense, err := assets.Fill(t.TempDir(), "densenet121")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	for _, n := range []struct {
		path         string
		fold, scaled bool
	}{
		{assets.Path(t, "cifar10/resnet20.onnx"), true, true},
		{assets.Path(t, "cifar10/resnet20.onnx"), false, false},
		{assets.Path(t, "imagenet/mobilenet_v1_0.75.onnx"), true, true},
		{assets.Path(t, "imagenet/mobilenet_v2_1.0.onnx"), true, true},
		{dense, true, true},
	} {
		m := load(t, n.path, n.fold)
		want, before := output(t, m), units(m)
		size := stored(m)
		done, err := grouptest.Plant(m, grouptest.Options{Every: 3, Scaled: n.scaled, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		grown := stored(m)
		run(t, m, "red(hash=false)")
		d, after := distance(output(t, m), want), units(m)
		t.Logf("%s: %d units, %d after planting %d (%d scaled), %d after; %d, %d, %d parameters; distance %.2g", n.path, before, before+done.Units, done.Units, done.Scaled, after, size, grown, stored(m), d)
		if after > before || d > 1e-5 {
			t.Errorf("%s: %d units of %d are left, outputs differ by %.2g", n.path, after, before, d)
		}
	}
}

// TestVariancesAreCompared: channels that nothing but the variance of a batch-norm
// tells apart stay.
func TestVariancesAreCompared(t *testing.T) {
	m := load(t, assets.Path(t, "cifar10/resnet20.onnx"), false)
	done, err := grouptest.Plant(m, grouptest.Options{Every: 3, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, l := range group.Analyse(m, group.Removing).Links {
		if l.Node.Op != "BatchNormalization" || l.Operand != 4 {
			continue
		}
		for i, u := range l.Units {
			if done.Into[u] != u {
				tensor.Data[float32](l.Value().Const)[i] *= 4
				changed++
			}
		}
	}
	want := output(t, m)
	run(t, m, "red(hash=false)")
	if d := distance(output(t, m), want); changed == 0 || d > 1e-5 {
		t.Errorf("%d variances changed, outputs differ by %.2g", changed, d)
	}
}

// stored counts the parameters.
func stored(m *ir.Model) int {
	n, _ := cost.Stored(m)
	return n
}
