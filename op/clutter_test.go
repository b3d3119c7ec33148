package op_test

import (
	"context"
	"slices"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// chain builds a graph node by node and infers it.
type chain struct {
	t *testing.T
	g *ir.Graph
	v int
}

func newChain(t *testing.T) *chain { return &chain{t: t, g: &ir.Graph{Name: "chain"}} }

func (c *chain) name() string {
	c.v++
	return "v" + string(rune('a'+c.v/26)) + string(rune('a'+c.v%26))
}

func (c *chain) input(t tensor.DType, shape ...ir.Dim) *ir.Value {
	v := &ir.Value{Name: c.name(), Type: ir.TensorType(t, shape...)}
	c.g.Inputs = append(c.g.Inputs, v)
	return v
}

func (c *chain) ints(x ...int64) *ir.Value { return c.constant(vector(x...)) }

func (c *chain) constant(x *tensor.Tensor) *ir.Value {
	v := ir.NewConst(c.name(), x)
	c.g.Consts = append(c.g.Consts, v)
	return v
}

func (c *chain) node(name string, a []ir.Attr, in ...*ir.Value) *ir.Value {
	out := &ir.Value{Name: c.name()}
	c.g.Nodes = append(c.g.Nodes, &ir.Node{Op: name, In: in, Out: []*ir.Value{out}, Attrs: a})
	return out
}

func (c *chain) infer() *op.Inference {
	c.t.Helper()
	c.g.Bind()
	inf, err := op.Infer(&ir.Model{Graph: c.g, Opsets: []ir.Opset{{Version: 17}}})
	if err != nil {
		c.t.Fatal(err)
	}
	return inf
}

// TestClutterReshape follows x.view(x.size(0), -1, 32) as PyTorch exports it.
func TestClutterReshape(t *testing.T) {
	c := newChain(t)
	batch, seq := ir.Symbol("batch"), ir.Symbol("seq")
	x := c.input(tensor.Float32, batch, seq, ir.Known(8), ir.Known(4))
	axis0 := attrs("axis", 0)
	size := c.node("Gather", axis0, c.node("Shape", nil, x), c.constant(tensor.Scalar(int64(0))))
	shape := c.node("Concat", axis0, c.node("Unsqueeze", nil, size, c.ints(0)), c.ints(-1), c.ints(32))
	y := c.node("Reshape", nil, x, shape)
	flat := c.node("Reshape", nil, y, c.ints(0, 0, 8, -1))
	inf := c.infer()
	if want := ir.TensorType(tensor.Float32, batch, seq, ir.Known(32)); !y.Type.Equal(want) {
		t.Errorf("%v, want %v", y.Type, want)
	}
	if want := ir.TensorType(tensor.Float32, batch, seq, ir.Known(8), ir.Known(4)); !flat.Type.Equal(want) {
		t.Errorf("%v, want %v", flat.Type, want)
	}
	elems, ok := inf.Data(shape)
	if !ok || !slices.Equal(elems, []ir.Dim{batch, {N: -1}, ir.Known(32)}) {
		t.Errorf("the shape is known as %v", elems)
	}
}

// TestClutterPad follows F.pad as PyTorch exports it: pads are completed with
// zeros, reversed in pairs through a matrix, and only then meet the data.
func TestClutterPad(t *testing.T) {
	c := newChain(t)
	x := c.input(tensor.Float32, ir.Symbol("batch"), ir.Known(16), ir.Known(30), ir.Known(31))
	zeros := c.node("ConstantOfShape", attrs("value", tensor.Of([]int{1}, []int64{0})), c.ints(4))
	list := c.node("Concat", attrs("axis", 0), c.ints(0, 1, 2, 3), zeros)
	pairs := c.node("Reshape", nil, list, c.ints(-1, 2))
	last := c.node("Slice", nil, pairs, c.ints(-1), c.ints(-9223372036854775807), c.ints(0), c.ints(-1))
	pads := c.node("Reshape", nil, c.node("Transpose", attrs("perm", []int{1, 0}), last), c.ints(-1))
	y := c.node("Pad", nil, x, pads)
	inf := c.infer()
	if got, ok := inf.Ints(pads); !ok || !slices.Equal(got, []int{0, 0, 2, 0, 0, 0, 3, 1}) {
		t.Errorf("the pads are known as %v", got)
	}
	want := ir.TensorType(tensor.Float32, ir.Symbol("batch"), ir.Known(16), ir.Known(35), ir.Known(32))
	if !y.Type.Equal(want) {
		t.Errorf("%v, want %v", y.Type, want)
	}
}

// TestClutterPositions follows torch.arange(x.size(1)) and an expanded token.
func TestClutterPositions(t *testing.T) {
	c := newChain(t)
	batch, seq := ir.Symbol("batch"), ir.Symbol("seq")
	x := c.input(tensor.Float32, batch, seq, ir.Known(8))
	at := func(i int64) *ir.Value {
		return c.node("Gather", nil, c.node("Shape", nil, x), c.constant(tensor.Scalar(i)))
	}
	positions := c.node("Range", nil, c.constant(tensor.Scalar(int64(0))), at(1), c.constant(tensor.Scalar(int64(1))))
	token := c.constant(tensor.New(tensor.Float32, 1, 1, 8))
	shape := c.node("Concat", attrs("axis", 0), c.node("Unsqueeze", nil, at(0), c.ints(0)), c.ints(1, 8))
	wide := c.node("Expand", nil, token, shape)
	tail := c.node("Slice", nil, x, c.ints(0), c.ints(1<<40), c.ints(1))
	c.infer()
	for v, want := range map[*ir.Value]ir.Type{
		positions: ir.TensorType(tensor.Int64, seq),
		wide:      ir.TensorType(tensor.Float32, batch, ir.Known(1), ir.Known(8)),
		tail:      x.Type,
	} {
		if !v.Type.Equal(want) {
			t.Errorf("%v, want %v", v.Type, want)
		}
	}
}

// TestOldForms raises single nodes from schemas that have changed since and
// expects the same results.
func TestOldForms(t *testing.T) {
	x := counted(2, 6, 1)
	scalar := func(n int64) *tensor.Tensor { return tensor.Scalar(n) }
	tests := []struct {
		opset   int
		node    *ir.Node
		results int
		consts  []*tensor.Tensor
	}{
		{11, &ir.Node{Op: "Squeeze", Attrs: attrs("axes", []int{-1})}, 1, nil},
		{11, &ir.Node{Op: "Squeeze"}, 1, nil},
		{1, &ir.Node{Op: "Unsqueeze", Attrs: attrs("axes", []int{0, 2})}, 1, nil},
		{2, &ir.Node{Op: "Split", Attrs: attrs("axis", 1, "split", []int{1, 5})}, 2, nil},
		{11, &ir.Node{Op: "Split", Attrs: attrs("axis", 1)}, 3, nil},
		{13, &ir.Node{Op: "Split", Attrs: attrs("axis", 1)}, 2, nil},
		{1, &ir.Node{Op: "Slice", Attrs: attrs("axes", []int{1}, "starts", []int{-4}, "ends", []int{9})}, 1, nil},
		{9, &ir.Node{Op: "Slice", Attrs: attrs("starts", []int{1, 2}, "ends", []int{2, -1})}, 1, nil},
		{1, &ir.Node{Op: "Pad", Attrs: attrs("paddings", []int{0, 1, 0, 0, 2, 0}, "value", float32(2.5))}, 1, nil},
		{2, &ir.Node{Op: "Pad", Attrs: attrs("pads", []int{0, 1, 0, 0, 2, 0}, "mode", "reflect")}, 1, nil},
		{1, &ir.Node{Op: "Reshape", Attrs: attrs("shape", []int{0, 3, -1}, "consumed_inputs", []int{0})}, 1, nil},
		{1, &ir.Node{Op: "Concat"}, 1, []*tensor.Tensor{counted(2, 2, 1)}},
		{1, &ir.Node{Op: "Tile"}, 1, []*tensor.Tensor{scalar(3), scalar(1)}},
		{9, &ir.Node{Op: "Scatter", Attrs: attrs("axis", 1)}, 1, []*tensor.Tensor{tensor.Of([]int{1, 2, 1}, []int64{4, 0}), counted(1, 2, 1)}},
		{6, &ir.Node{Op: "Dropout", Attrs: attrs("is_test", 1, "ratio", float32(0.3))}, 2, nil},
		{7, &ir.Node{Op: "Dropout", Attrs: attrs("ratio", float32(0.3))}, 2, nil},
		{10, &ir.Node{Op: "Dropout", Attrs: attrs("ratio", float32(0.3))}, 2, nil},
	}
	for _, tc := range tests {
		m := oneNode(tc.opset, tc.node, tc.results, x)
		for _, k := range tc.consts {
			v := ir.NewConst("k"+string(rune('a'+len(m.Graph.Consts))), k)
			m.Graph.Consts = append(m.Graph.Consts, v)
			tc.node.In = append(tc.node.In, v)
		}
		m.Graph.Bind()
		run := func() []op.Val {
			out, err := op.RunList(context.Background(), m, []op.Val{x})
			if err != nil {
				t.Fatalf("%v at version %d: %v", tc.node, m.Opset(""), err)
			}
			return out
		}
		want := run()
		if _, err := op.Infer(m); err != nil {
			t.Fatal(err)
		}
		if err := op.RaiseTo(m, 25); err != nil {
			t.Errorf("%s from version %d: %v", tc.node.Op, tc.opset, err)
			continue
		}
		if _, err := op.Infer(m); err != nil {
			t.Errorf("%s from version %d: %v", tc.node.Op, tc.opset, err)
		}
		for i, got := range run() {
			if !tensor.Equal(got.(*tensor.Tensor), want[i].(*tensor.Tensor)) {
				t.Errorf("%s from version %d: result %d is %v, was %v", tc.node.Op, tc.opset, i, got, want[i])
			}
		}
	}
}

// TestUpsampleBecomesResize holds the two steps of raising Upsample.
func TestUpsampleBecomesResize(t *testing.T) {
	n := &ir.Node{Op: "Upsample", Attrs: attrs("scales", []float32{1, 1, 2, 2}, "mode", "linear")}
	m := oneNode(7, n, 1, counted(1, 1, 2, 3))
	if err := op.RaiseTo(m, 10); err != nil {
		t.Fatal(err)
	}
	if n.Op != "Resize" || len(n.In) != 2 || n.In[1].Const == nil || n.Has("scales") || n.Str("mode", "") != "linear" {
		t.Errorf("Upsample became %v with %d operands and attributes %v", n, len(n.In), n.Attrs)
	}
}

// counted is a tensor with the values 1, 2, 3, ...
func counted(shape ...int) *tensor.Tensor {
	x := make([]float32, tensor.Len(shape))
	for i := range x {
		x[i] = float32(i + 1)
	}
	return tensor.Of(shape, x)
}
