package group_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare/engine"
	"pare/group"
	"pare/group/grouptest"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// everyNetwork are all networks among the assets, with the least number of free
// groups that they must have.
var everyNetwork = []struct {
	path string
	free int
}{
	{"cifar10/resnet20.onnx", 12},
	{"cifar10/resnet56.onnx", 30},
	{"cifar10/vit_tiny.onnx", 0},
	{"imagenet/mobilenet_v1_0.75.onnx", 14},
	{"imagenet/mobilenet_v2_1.0.onnx", 24},
	{"language/minilm-l6.onnx", 0},
	{"language/stories260K.onnx", 0},
	{"models/espcn_float.onnx", 0},
	{"models/espcn_qonnx.onnx", 0},
	{"models/ext_weights", 0},
	{"models/fastestdet.onnx", 0},
	{"models/loop.onnx", 0},
	{"models/matmul.bf16.onnx", 0},
	{"models/matmul.fp16.onnx", 0},
	{"models/mnist-cntk.onnx", 0},
	{"models/nonzero.onnx", 0},
	{"models/qdq_conv.onnx", 0},
	{"models/scan.onnx", 0},
	{"models/sparse.conv.onnx", 0},
	{"models/super_resolution_old.onnx", 0},
	{"models/yunet_n.onnx", 0},
	{"speed/densenet121.onnx", 0},
	{"speed/efficientnet_b0.onnx", 0},
	{"speed/mobilenet_v2.onnx", 0},
	{"speed/mobilenet_v3_large.onnx", 0},
	{"speed/resnet18.onnx", 0},
	{"speed/resnet50.onnx", 0},
}

// anyNetwork reads a network of the assets as compress does before pruning.
func anyNetwork(t *testing.T, path string) *ir.Model {
	t.Helper()
	file := assets.Path(t, path)
	if strings.HasPrefix(path, "speed/") {
		var err error
		if file, err = assets.Fill(t.TempDir(), strings.TrimSuffix(filepath.Base(path), ".onnx")); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		list, _ := filepath.Glob(filepath.Join(file, "*.onnx"))
		file = list[0]
	}
	return prepared(t, file)
}

// trained is anyNetwork without the large ones that have no weights of their own,
// which one test is enough for.
func trained(t *testing.T, path string) *ir.Model {
	if strings.HasPrefix(path, "speed/") {
		t.SkipNow()
	}
	return anyNetwork(t, path)
}

func prepared(t *testing.T, file string) *ir.Model {
	t.Helper()
	f, err := onnx.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m, ctx := ir.CloneModel(f.Model), context.Background()
	for _, step := range []func() error{
		func() error { _, err := op.Infer(m); return err },
		func() error { return op.RaiseTo(m, max(13, m.Opset(""))) },
		func() error { _, err := pass.Simplify(ctx, m); return err },
		func() error { _, err := pass.FoldBatchNorms(ctx, m); return err },
		func() error { _, err := pass.Simplify(ctx, m); return err },
		func() error { _, err := op.Infer(m); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// run executes a network on random numbers.
func run(t *testing.T, m *ir.Model) map[string][]float32 {
	t.Helper()
	p, err := engine.Compile(context.Background(), ir.CloneModel(m), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, in := rand.New(rand.NewPCG(3, 4)), map[string]*tensor.Tensor{}
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			in[v.Name] = drawn(t, v, r)
		}
	}
	got, err := p.NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float32{}
	for name, x := range got {
		out[name] = tensor.Float32s(x)
	}
	return out
}

func drawn(t *testing.T, v *ir.Value, r *rand.Rand) *tensor.Tensor {
	shape := []int{}
	for i, d := range v.Type.Shape {
		switch {
		case d.Sym == "seq":
			d.N = 2
		case d.Sym == "pair":
			d.N = 2
		case d.Sym == "past": // nothing is remembered yet
			d.N = 0
		case !d.IsKnown() && i > 0:
			d.N = 64
		case !d.IsKnown():
			d.N = 1
		}
		shape = append(shape, d.N)
	}
	x := make([]float64, tensor.Len(shape))
	for i := range x {
		if x[i] = r.NormFloat64(); !v.Type.DType.IsFloat() {
			x[i] = float64(r.IntN(2))
		}
	}
	out, err := tensor.FromFloat64s(v.Type.DType, shape, x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// same compares outputs, relative to the largest number of each.
func same(t *testing.T, what string, got, want map[string][]float32) {
	t.Helper()
	for name, w := range want {
		if d := distance(got[name], w); !(d <= 1e-5) || len(got[name]) != len(w) {
			t.Errorf("%s: output %q differs by %.2g", what, name, d)
		}
	}
}

// consistent checks that the types in m are those that inference finds.
func consistent(t *testing.T, what string, m *ir.Model) {
	t.Helper()
	types := map[string]string{}
	for v := range m.Graph.Values {
		types[v.Name] = v.Type.String()
	}
	c := ir.CloneModel(m)
	if _, err := op.InferWith(c, op.InferOptions{Redo: true}); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for v := range c.Graph.Values {
		if sizes, ok := v.Type.Sizes(); ok && v.Type.String() != types[v.Name] {
			t.Errorf("%s: %q is %v, inferred %v", what, v.Name, types[v.Name], sizes)
		}
	}
}

func change(t *testing.T, m *ir.Model, a *group.Analysis, c *group.Change) {
	t.Helper()
	p := ir.NewPatch(m.Graph, "change")
	if err := a.Apply(p, c); err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
}

// weightsOf counts the weights of every node, shared ones several times, and
// bounds never: those of single channels take more room than one for all.
func weightsOf(m *ir.Model) (n int) {
	for _, node := range m.Graph.Nodes {
		if slices.Contains([]string{"Clip", "Max", "Min"}, node.Op) {
			continue
		}
		for _, v := range node.In {
			if v != nil && v.Const != nil && v.Const.Type.IsFloat() {
				n += v.Const.Len()
			}
		}
	}
	return n
}

func freeGroups(a *group.Analysis) (n int) {
	for _, g := range a.Groups {
		if !g.Pinned() {
			n++
		}
	}
	return n
}

// equalUnits merges the units of every group whose vectors are equal.
func equalUnits(a *group.Analysis) *group.Change {
	c := a.Keep()
	for _, g := range a.Groups {
		if g.Pinned() {
			continue
		}
		first := map[string]int{}
		for i, v := range a.Vectors(g) {
			key := keyOf(v)
			if u, ok := first[key]; ok {
				c.Into[g.Units[i]] = u
			} else {
				first[key] = g.Units[i]
			}
		}
	}
	return c
}

func keyOf(v []float64) string {
	h := sha256.New()
	binary.Write(h, binary.LittleEndian, v)
	return string(h.Sum(nil))
}

// zeroed makes rows and parameters of about half the units of each free group 0 and
// returns the change that removes them.
func zeroed(t *testing.T, m *ir.Model, a *group.Analysis) *group.Change {
	c, r := a.Keep(), newRand(2)
	for _, g := range a.Groups {
		for i, u := range g.Units {
			if !g.Pinned() && i > 0 && r.IntN(2) == 0 {
				c.Into[u] = group.Gone
			}
		}
	}
	for _, l := range a.Links {
		if l.Role == group.Column || l.Node.Op == "PRelu" {
			continue
		}
		x := l.Value().Const.Clone()
		f, inner := tensor.Float32s(x), tensor.Len(x.Shape[l.Axis+1:])
		for i := range f {
			if c.Into[l.Units[i/inner%x.Shape[l.Axis]]] == group.Gone {
				f[i] = 0
			}
		}
		x, err := tensor.FromFloat32s(x.Type, x.Shape, f)
		if err != nil {
			t.Fatal(err)
		}
		l.Value().Const = x
	}
	return c
}

// TestPlantedDuplicatesAreMerged: what is planted changes no output, and merging
// gives the size and the outputs back.
func TestPlantedDuplicatesAreMerged(t *testing.T) {
	for _, n := range everyNetwork {
		t.Run(n.path, func(t *testing.T) {
			m := anyNetwork(t, n.path)
			want, size := run(t, m), weightsOf(m)
			a := group.Analyse(m, group.Removing)
			before := equalUnits(a)
			change(t, m, a, before)
			size = weightsOf(m)
			done, err := grouptest.Plant(m, grouptest.Options{Every: 3, Seed: 5})
			if err != nil {
				t.Fatal(err)
			}
			consistent(t, "planted", m)
			same(t, "planted", run(t, m), want)
			grown := weightsOf(m)
			a = group.Analyse(m, group.Removing)
			if free := freeGroups(a); free < n.free || free > 0 && grown == size {
				t.Errorf("%d groups are free, %d expected; %d weights became %d", free, n.free, size, grown)
			}
			c := equalUnits(a)
			c.Average = true
			change(t, m, a, c)
			consistent(t, "merged", m)
			same(t, "merged", run(t, m), want)
			if now := weightsOf(m); now != size {
				t.Errorf("%d weights grew to %d and shrank to %d", size, grown, now)
			}
			t.Logf("%d of %d groups free; %d units planted, %d to %d weights and back", freeGroups(a), len(a.Groups), done.Units, size, grown)
		})
	}
}

// TestDeadUnitsAreRemoved: channels whose rows are 0 leave without a trace.
func TestDeadUnitsAreRemoved(t *testing.T) {
	for _, n := range everyNetwork {
		t.Run(n.path, func(t *testing.T) {
			m := trained(t, n.path)
			a := group.Analyse(m, group.Removing)
			c := zeroed(t, m, a)
			want, size := run(t, m), weightsOf(m)
			change(t, m, a, c)
			consistent(t, "removed", m)
			same(t, "removed", run(t, m), want)
			if freeGroups(a) > 0 && weightsOf(m) >= size {
				t.Errorf("%d weights became %d", size, weightsOf(m))
			}
		})
	}
}

// TestOrder: any order of the channels of a group computes the same.
func TestOrder(t *testing.T) {
	for _, n := range everyNetwork {
		t.Run(n.path, func(t *testing.T) {
			m := trained(t, n.path)
			want := run(t, m)
			reorder(t, m)
			consistent(t, "ordered", m)
			same(t, "ordered", run(t, m), want)
		})
	}
}

// reorder shuffles the channels of every free group.
func reorder(t *testing.T, m *ir.Model) {
	a := group.Analyse(m, group.Removing)
	c, r := a.Keep(), newRand(1)
	c.Order = slices.Clone(c.Into)
	for _, g := range a.Groups {
		for i, u := range g.Units {
			if c.Order[u] = i; !g.Pinned() {
				c.Order[u] = r.IntN(1000)
			}
		}
	}
	change(t, m, a, c)
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
