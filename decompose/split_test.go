package decompose_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/compress"
	_ "pare/decompose"
	"pare/engine"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// repeated are filters [outs, ins, taps...] of which each input channel meets
// perChannel(i) distinct kernels, with multiples by the given factors.
func repeated(seed uint64, shape []int, perChannel func(i int) int, factors ...float32) *tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 1))
	t := tensor.New(tensor.Float32, shape...)
	x := tensor.Data[float32](t)
	taps := tensor.Len(shape[2:])
	for i := range shape[1] {
		kernels := make([]float32, perChannel(i)*taps)
		for k := range kernels {
			kernels[k] = float32(r.NormFloat64())
		}
		for o := range shape[0] {
			if len(kernels) == 0 {
				continue
			}
			k := r.IntN(perChannel(i))
			if o < perChannel(i) {
				k = o // each occurs
			}
			for t := range taps {
				x[(o*shape[1]+i)*taps+t] = kernels[k*taps+t] * factors[o%len(factors)]
			}
		}
	}
	return t
}

func uneven(i int) int { return i % 4 }

func two(int) int { return 2 }

// conv is a network of one convolution with a bias behind a Relu.
func conv(input []int, w *tensor.Tensor, attrs ...ir.Attr) *ir.Model {
	g := &ir.Graph{Name: "conv"}
	x := &ir.Value{Name: "x", Type: ir.TensorType(w.Type, ir.Dims(input)...), Declared: true}
	g.Inputs = []*ir.Value{x}
	bias := tensor.New(tensor.Float32, w.Shape[0])
	for o := range w.Shape[0] {
		tensor.Data[float32](bias)[o] = float32(o) / 8
	}
	bias, _ = tensor.Convert(bias, w.Type, tensor.Options{})
	wv, bv := ir.NewConst("w", w), ir.NewConst("b", bias)
	g.Consts = []*ir.Value{wv, bv}
	h, y := &ir.Value{Name: "h"}, &ir.Value{Name: "y"}
	g.Nodes = []*ir.Node{
		{Name: "relu", Op: "Relu", In: []*ir.Value{x}, Out: []*ir.Value{h}},
		{Name: "conv", Op: "Conv", In: []*ir.Value{h, wv, bv}, Out: []*ir.Value{y}, Attrs: attrs},
	}
	g.Outputs = []*ir.Value{y}
	g.Bind()
	return &ir.Model{Graph: g, Opsets: []ir.Opset{{Version: 17}}, IRVersion: 8}
}

// outputsOf are those of the reference and of the engine.
func outputsOf(t *testing.T, m *ir.Model, in map[string]*tensor.Tensor) [2][]float32 {
	t.Helper()
	vals := map[string]op.Val{}
	for name, x := range in {
		vals[name] = x
	}
	ref, err := op.Run(context.Background(), m, vals)
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return [2][]float32{tensor.Float32s(ref[0].(*tensor.Tensor)), tensor.Float32s(out[m.Graph.Outputs[0].Name])}
}

func input(m *ir.Model) map[string]*tensor.Tensor {
	v := m.Graph.Inputs[0]
	shape := make([]int, v.Type.Rank())
	for i, d := range v.Type.Shape {
		shape[i] = d.N
	}
	x := tensor.New(tensor.Float32, shape...)
	r := rand.New(rand.NewPCG(8, 8))
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = float32(r.NormFloat64())
	}
	x, _ = tensor.Convert(x, v.Type.DType, tensor.Options{})
	return map[string]*tensor.Tensor{v.Name: x}
}

func ints(name string, list ...int) ir.Attr { return ir.IntsAttr(name, list...) }

var cases = []struct {
	name   string
	input  []int
	w      *tensor.Tensor
	attrs  []ir.Attr
	gather bool
	groups int
}{
	{"uneven", []int{2, 8, 9, 9}, repeated(1, []int{16, 8, 3, 3}, uneven, 1), []ir.Attr{ints("pads", 1, 1, 1, 1)}, true, 12},
	{"even", []int{1, 8, 9, 7}, repeated(2, []int{16, 8, 3, 3}, two, 1), []ir.Attr{ints("pads", 1, 1, 1, 1)}, false, 8},
	{"multiples", []int{3, 8, 9, 7}, repeated(3, []int{16, 8, 3, 3}, uneven, 1, -1, 0.3, -2.7, 0), []ir.Attr{ints("kernel_shape", 3, 3)}, true, 12},
	{"stride", []int{1, 8, 9, 12}, repeated(4, []int{16, 8, 3, 3}, uneven, 1, 3), []ir.Attr{ints("strides", 2, 1), ints("pads", 0, 1, 2, 0)}, true, 12},
	{"dilation", []int{1, 8, 12, 12}, repeated(5, []int{16, 8, 3, 2}, uneven, 1), []ir.Attr{ints("dilations", 2, 3), ints("pads", 0, 1, 2, 0)}, true, 12},
	{"auto pad", []int{1, 8, 10, 12}, repeated(6, []int{16, 8, 4, 4}, uneven, 1), []ir.Attr{ints("strides", 2, 2), {Name: "auto_pad", Value: "SAME_UPPER"}, {Name: "group", Value: int64(1)}}, true, 12},
	{"one axis", []int{2, 8, 20}, repeated(7, []int{16, 8, 5}, uneven, 1), []ir.Attr{ints("pads", 2, 2)}, true, 12},
	{"three axes", []int{1, 8, 5, 6, 4}, repeated(8, []int{16, 8, 3, 2, 3}, uneven, 1), nil, true, 12},
	{"one channel", []int{1, 1, 9, 9}, repeated(9, []int{16, 1, 3, 3}, two, 1), nil, false, 1},
}

// A split convolution computes what the dense one does, in the reference and in the
// engine, and repeats channels only where their kernels differ in number.
func TestSplitIsTheDenseConvolution(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := conv(c.input, c.w, c.attrs...)
			want := outputsOf(t, m, input(m))
			split := ir.CloneModel(m)
			rep := compressed(t, split, "split(form=split)")
			l := rep.Layers[0]
			if l.Skipped || l.ErrorAfter > 1e-6 || fmt.Sprint(l.Parts) != "[conv_products conv]" {
				t.Errorf("report %+v", l)
			}
			if l.After.MACs >= l.Before.MACs != (l.After.Params >= l.Before.Params) || l.After.Bytes+sizeOfIndex(split) != l.BytesAfter {
				t.Errorf("costs %+v, %+v", l.Before, l.After)
			}
			var ops []string
			for _, n := range split.Graph.Nodes {
				ops = append(ops, n.Op)
			}
			if got := strings.Join(ops, " "); c.gather != strings.Contains(got, "Gather") || len(ops) != 3+strings.Count(got, "Gather") {
				t.Errorf("the form is %s", got)
			}
			if first := split.Graph.Nodes[len(ops)-2]; first.Int("group", 1) != c.groups {
				t.Errorf("%d groups, want %d", first.Int("group", 1), c.groups)
			}
			if last := split.Graph.Nodes[len(ops)-1]; last.Name != "conv" || len(split.Graph.Consts) != 3+strings.Count(strings.Join(ops, " "), "Gather") {
				t.Errorf("the last node is %v; %d constants", last, len(split.Graph.Consts))
			}
			got := outputsOf(t, split, input(m))
			for k, by := range []string{"reference", "engine"} {
				if d := distance(got[k], want[k]); d > 1e-5 {
					t.Errorf("%s: %.2g from the dense convolution", by, d)
				}
			}
		})
	}
}

// sizeOfIndex is what the numbers of repeated channels take.
func sizeOfIndex(m *ir.Model) (bytes int64) {
	for _, v := range m.Graph.Consts {
		if v.Const.Type == tensor.Int64 {
			bytes += int64(len(v.Const.Bytes()))
		}
	}
	return bytes
}

// Half precision: only kernels that are the same or negatives share, so that
// nothing is rounded anew.
func TestSplitInHalfPrecision(t *testing.T) {
	w, err := tensor.Convert(repeated(3, []int{16, 8, 3, 3}, uneven, 1, -1, 0.3), tensor.Float16, tensor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := conv([]int{1, 8, 7, 7}, w)
	split := ir.CloneModel(m)
	rep := compressed(t, split, "split(form=split)")
	if l := rep.Layers[0]; l.Skipped || l.ErrorAfter != 0 || l.Format != "f16" {
		t.Errorf("report %+v", l)
	}
	want, got := outputsOf(t, m, input(m)), outputsOf(t, split, input(m))
	if d := distance(got[0], want[0]); d > 2e-3 {
		t.Errorf("%.2g from the dense convolution", d)
	}
}

// auto splits where that has fewer multiply-accumulates, R·(k²+O) against I·k²·O,
// and no sooner.
func TestAutoCountsMultiplyAccumulates(t *testing.T) {
	const outs, ins, taps = 36, 8, 9
	for _, c := range []struct {
		distinct int // per channel
		split    bool
	}{{1, true}, {7, true}, {8, false}, {20, false}} {
		m := conv([]int{1, ins, 6, 6}, repeated(4, []int{outs, ins, 3, 3}, func(int) int { return c.distinct }, 1))
		if pays := c.distinct*ins*(taps+outs) < ins*taps*outs; pays != c.split {
			t.Fatalf("%d kernels: the test is wrong", c.distinct)
		}
		if rep := compressed(t, m, "split"); rep.Layers[0].Skipped == c.split {
			t.Errorf("%d kernels: %+v", c.distinct, rep.Layers[0])
		}
	}
}

// Layers that a later step encodes stay dense, unless they are to be split.
func TestAutoStaysDenseBeforeCodes(t *testing.T) {
	for recipe, split := range map[string]bool{
		"split+uniform(w=4)": false, "split+rex": false, "split(form=split)+uniform(w=4)": true, "split+copy": true, "split": true,
	} {
		m := conv([]int{1, 8, 6, 6}, repeated(4, []int{36, 8, 3, 3}, two, 1))
		if rep := compressed(t, m, recipe); rep.Layers[0].Skipped == split {
			t.Errorf("%s: %+v", recipe, rep.Layers[0])
		}
	}
}

// What cannot be split stays as it is, for a stated reason.
func TestUnsplit(t *testing.T) {
	for _, c := range []struct {
		w      *tensor.Tensor
		attrs  []ir.Attr
		recipe string
		why    string
	}{
		{repeated(1, []int{16, 8, 1, 1}, two, 1), nil, "split(form=split)", "single numbers"},
		{repeated(1, []int{16, 4, 3, 3}, two, 1), []ir.Attr{{Name: "group", Value: int64(2)}}, "split(form=split)", "groups"},
		{repeated(1, []int{16, 1, 3, 3}, two, 1), []ir.Attr{{Name: "group", Value: int64(8)}}, "split(form=split)", "groups"},
		{repeated(1, []int{16, 8, 3, 3}, two, 1), nil, "split(form=dense)", "16 of 128 kernels are distinct; form=dense"},
		{repeated(1, []int{16, 8, 3, 3}, two, 0), nil, "split(form=split)", "all its weights are 0"},
		{repeated(1, []int{16, 8, 3, 3}, two, 1), nil, "split(form=split);conv:skip", "skips"},
	} {
		m := conv([]int{1, 8, 6, 6}, c.w, c.attrs...)
		rep := compressed(t, m, c.recipe)
		if l := rep.Layers[0]; !l.Skipped || !strings.Contains(l.Reason, c.why) || len(m.Graph.Nodes) != 2 {
			t.Errorf("%s: %+v, want %q", c.recipe, l, c.why)
		}
	}
}

// Weights that are not finite are an error that names the node.
func TestSplitNamesTheBrokenNode(t *testing.T) {
	w := repeated(1, []int{16, 8, 3, 3}, two, 1)
	tensor.Data[float32](w)[77] = float32(math.NaN())
	r, _ := compress.Parse("split")
	_, err := r.Run(context.Background(), conv([]int{1, 8, 6, 6}, w), compress.Options{})
	if err == nil || !strings.Contains(err.Error(), "conv") || !strings.Contains(fmt.Sprint(err), "77") {
		t.Errorf("error %v", err)
	}
}
