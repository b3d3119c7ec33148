package group_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/dataset"
	"pare/engine"
	"pare/group"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// networks are real ones with pictures to run them on.
var networks = []struct {
	path, data string
	free       int // groups that may be rescaled, at least
}{
	{"cifar10/resnet20.onnx", "cifar10:%scifar10/test_5000.bin?mean=0.485,0.456,0.406&std=0.229,0.224,0.225", 11},
	{"imagenet/mobilenet_v1_0.75.onnx", "images:%simagenet/val?crop=224&mean=0.5&std=0.5", 27},
	{"imagenet/mobilenet_v2_1.0.onnx", "images:%simagenet/val?crop=224&mean=0.5&std=0.5", 42},
}

func load(t *testing.T, path string, fold bool) *ir.Model {
	t.Helper()
	f, err := onnx.Open(assets.Path(t, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m := ir.CloneModel(f.Model)
	ctx := context.Background()
	if _, err := pass.Simplify(ctx, m); err != nil {
		t.Fatal(err)
	}
	if fold {
		if _, err := pass.FoldBatchNorms(ctx, m); err != nil {
			t.Fatal(err)
		}
		if _, err := pass.Simplify(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	return m
}

func output(t *testing.T, m *ir.Model, set dataset.Set, n int) []float32 {
	t.Helper()
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := set.Batch(context.Background(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]*tensor.Tensor{m.Graph.Inputs[0].Name: b.Inputs[""]}
	out, err := p.NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float32s(out[m.Graph.Outputs[0].Name])
}

// distance is the largest difference relative to the largest number.
func distance(got, want []float32) float64 {
	var d, top float64
	for i := range want {
		d, top = max(d, math.Abs(float64(got[i]-want[i]))), max(top, math.Abs(float64(want[i])))
	}
	return d / top
}

// TestRescaleKeepsTheFunction rescales every free channel by a random factor, with
// batch-norms in place and folded.
func TestRescaleKeepsTheFunction(t *testing.T) {
	for _, n := range networks {
		for _, fold := range []bool{false, true} {
			m := load(t, n.path, fold)
			set, err := dataset.Open(fmt.Sprintf(n.data, assets.Path(t, "")+"/"))
			if err != nil {
				t.Fatal(err)
			}
			want := output(t, m, set, 2)
			a := group.Analyse(m, group.Rescaling)
			r, scale, free := rand.New(rand.NewPCG(1, 2)), make([]float64, len(a.Pinned)), 0
			for u, why := range a.Pinned {
				if scale[u] = 1; why == "" {
					scale[u] = math.Exp(1.5 * r.NormFloat64())
				}
			}
			for _, g := range a.Groups {
				if !g.Pinned() {
					free++
				}
			}
			p := ir.NewPatch(m.Graph, "rescale")
			if err := a.Rescale(p, scale); err != nil {
				t.Fatal(err)
			}
			if err := p.Apply(); err != nil {
				t.Fatal(err)
			}
			d := distance(output(t, m, set, 2), want)
			t.Logf("%s folded %v: %d of %d groups free, distance %.2g", n.path, fold, free, len(a.Groups), d)
			if d > 1e-5 || free < n.free {
				t.Errorf("%s, folded %v: %d of %d groups are free, outputs differ by %.2g", n.path, fold, free, len(a.Groups), d)
			}
		}
	}
}

// TestLabelsAreComplete: once the columns of all free units are 0, their rows and
// parameters cannot matter, and once these are 0, the columns cannot. A missing
// link shows in either.
func TestLabelsAreComplete(t *testing.T) {
	for _, path := range []string{"cifar10/resnet20.onnx", "imagenet/mobilenet_v2_1.0.onnx", "models/yunet_n.onnx", "models/fastestdet.onnx", "cifar10/vit_tiny.onnx"} {
		for _, first := range []group.Role{group.Column, group.Row} {
			m := load(t, path, true)
			a := group.Analyse(m, group.Removing)
			changeFree(m, a, first, 0)
			want := randomOutputs(t, m)
			if first == group.Column {
				changeFree(m, a, group.Row, -3)
			} else {
				changeFree(m, a, group.Column, -3)
			}
			for i, got := range randomOutputs(t, m) {
				if d := distance(got, want[i]); d > 1e-6 || math.IsNaN(d) {
					t.Errorf("%s: output %d changes by %.2g after the %ss are 0", path, i, d, first)
				}
			}
		}
	}
}

// changeFree multiplies the columns of every second free unit, or its rows and
// parameters, by f. Parameters that do not scale stay.
func changeFree(m *ir.Model, a *group.Analysis, role group.Role, f float32) {
	p := ir.NewPatch(m.Graph, "change")
	for _, l := range a.Links {
		if (l.Role == group.Column) != (role == group.Column) || l.Power == 0 {
			continue
		}
		c := l.Value().Const.Clone()
		x, inner := tensor.Data[float32](c), tensor.Len(c.Shape[l.Axis+1:])
		for i := range x {
			if u := l.Units[i/inner%c.Shape[l.Axis]]; a.Pinned[u] == "" && u%2 == 0 {
				x[i] *= f
			}
		}
		p.SetConst(l.Value(), c)
		if err := p.Apply(); err != nil {
			panic(err)
		}
		p = ir.NewPatch(m.Graph, "change")
	}
}

func randomOutputs(t *testing.T, m *ir.Model) [][]float32 {
	t.Helper()
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, in := rand.New(rand.NewPCG(3, 4)), map[string]*tensor.Tensor{}
	for _, v := range m.Graph.Inputs {
		shape := []int{}
		for i, d := range v.Type.Shape {
			if !d.IsKnown() && i > 0 {
				d.N = 64
			}
			shape = append(shape, max(1, d.N))
		}
		x := tensor.New(tensor.Float32, shape...)
		for i := range tensor.Data[float32](x) {
			tensor.Data[float32](x)[i] = float32(r.NormFloat64())
		}
		in[v.Name] = x
	}
	got, err := p.NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, v := range m.Graph.Outputs {
		out = append(out, tensor.Float32s(got[v.Name]))
	}
	return out
}
