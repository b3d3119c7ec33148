package group_test

import (
	"context"
	"strings"
	"testing"

	"pare/compress"
	"pare/group"
	"pare/ir"
	_ "pare/quant"
	"pare/tensor"
)

// quantised compresses a real network.
func quantised(t *testing.T, path, recipe string) *ir.Model {
	t.Helper()
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	m := anyNetwork(t, path)
	o := compress.Options{Input: compress.InputRange{Lo: []float64{-2}, Hi: []float64{2}}}
	if _, err := r.Run(context.Background(), m, o); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCodesFollow: channels of networks whose weights are stored as codes are
// reordered without any change, and dead ones leave.
func TestCodesFollow(t *testing.T) {
	for _, c := range []struct {
		path, recipe string
		free         int
	}{
		{"cifar10/resnet20.onnx", "w8a8", 12},
		{"cifar10/resnet20.onnx", "fold+powerquant(w=4)", 12},
		{"cifar10/resnet20.onnx", "fold+codebook(w=4)", 12},
		{"cifar10/resnet20.onnx", "fold+uniform(w=4,a=8,store=packed)", 12},
		{"cifar10/vit_tiny.onnx", "w8a8", 5},
		{"models/yunet_n.onnx", "w8a8", 20},
	} {
		m := quantised(t, c.path, c.recipe)
		a := group.Analyse(m, group.Removing)
		if free := freeGroups(a); free < c.free {
			t.Errorf("%s %s: %d groups are free:\n%s", c.path, c.recipe, free, list(a))
		}
		want := run(t, m)
		reorder(t, m)
		consistent(t, c.recipe, m)
		same(t, c.recipe+" reordered", run(t, m), want)
		if strings.Contains(c.recipe, "powerquant") || strings.Contains(c.recipe, "codebook") {
			continue // of these, code 0 is no 0
		}
		a = group.Analyse(m, group.Removing)
		change := zeroed(t, m, a)
		want = run(t, m)
		apply(t, m, a, change)
		consistent(t, c.recipe, m)
		same(t, c.recipe+" removed", run(t, m), want)
	}
}

func apply(t *testing.T, m *ir.Model, a *group.Analysis, c *group.Change) {
	t.Helper()
	change(t, m, a, c)
}

const coded = `  const wc = i8[6,4,1,1]{*3}
  const ws = f32[6]{*0.25}
  const zc = i8[2,6,1,1]{*%d}
  const zs = f32[2]{*0.5}
  const xs = f32[]{0.05}
  const xz = u8[]{7}
  wd = DequantizeLinear(wc, ws) {axis=0}
  zd = DequantizeLinear(zc, zs) {axis=0}
  a = Conv(x, wd, b)
  r = Relu(a)
  q = QuantizeLinear(r, xs, xz)
  d = DequantizeLinear(q, xs, xz)
  y = Conv(d, zd)`

// TestCodesAreAdded: columns of equal rows are added while the sum is a code; one
// that is too large is refused, and nothing changes.
func TestCodesAreAdded(t *testing.T) {
	for code, fits := range map[string]bool{"20": true, "60": false} {
		m := parse(t, "  const b = f32[6]{*0.5}\n"+strings.Replace(coded, "%d", code, 1))
		want := run(t, m)
		a := group.Analyse(m, group.Removing)
		c := equalUnits(a)
		c.Average = true
		p := ir.NewPatch(m.Graph, "merge")
		if err := a.Apply(p, c); (err == nil) != fits {
			t.Fatalf("columns of code %s: %v", code, err)
		} else if err != nil {
			if !strings.Contains(err.Error(), "i8 cannot hold") {
				t.Error(err)
			}
			continue
		}
		if err := p.Apply(); err != nil {
			t.Fatal(err)
		}
		consistent(t, "added", m)
		same(t, "added", run(t, m), want)
		if shape := m.Graph.Nodes[0].In[0].Const.Shape; shape[0] != 1 {
			t.Errorf("the codes have the shape %v", shape)
		}
	}
}

// TestCompensateCodes: what a removed channel adds goes into a bias of codes, in
// steps of its scale.
func TestCompensateCodes(t *testing.T) {
	m := parse(t, "  const b = f32[6]{*0.5}\n  const bc = i32[2]{10, -20}\n  const bs = f32[2]{*0.001}\n  bd = DequantizeLinear(bc, bs) {axis=0}\n"+
		strings.Replace(strings.Replace(coded, "%d", "20", 1), "Conv(d, zd)", "Conv(d, zd, bd)", 1))
	for _, v := range m.Graph.Consts {
		if v.Name == "wc" {
			clear(tensor.Data[int8](v.Const)[:4]) // the first channel is its bias
		}
	}
	want := run(t, m)
	a := group.Analyse(m, group.Removing)
	c := a.Keep()
	c.Into[a.Groups[0].Units[0]], c.Compensate = group.Gone, true
	c.Stats = func(*ir.Value) *ir.Stats { return &ir.Stats{Axis: 1, Mean: []float64{0.5, 0, 0, 0, 0, 0}} }
	change(t, m, a, c)
	consistent(t, "compensated", m)
	for name, got := range run(t, m) {
		if d := distance(got, want[name]); d > 1e-3 {
			t.Errorf("the output differs by %.2g", d)
		}
	}
}
