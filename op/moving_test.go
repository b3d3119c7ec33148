package op_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// attrs makes attributes from names and values in turn.
func attrs(pairs ...any) []ir.Attr {
	var out []ir.Attr
	for i := 0; i < len(pairs); i += 2 {
		v := pairs[i+1]
		switch x := v.(type) {
		case int:
			v = int64(x)
		case []int:
			v = ir.IntsAttr("", x...).Value
		}
		out = append(out, ir.Attr{Name: pairs[i].(string), Value: v})
	}
	return out
}

// oneNode is a model of one node. Operands that are tensors become inputs, nil
// leaves one out; their types are known before running, their contents are not.
func oneNode(opset int, n *ir.Node, results int, operands ...op.Val) *ir.Model {
	g := &ir.Graph{Name: "one", Nodes: []*ir.Node{n}}
	for i, x := range operands {
		if x == nil {
			n.In = append(n.In, nil)
			continue
		}
		v := &ir.Value{Name: "in" + string(rune('a'+i)), Type: op.TypeOfVal(x)}
		n.In = append(n.In, v)
		g.Inputs = append(g.Inputs, v)
	}
	for i := range results {
		n.Out = append(n.Out, &ir.Value{Name: "out" + string(rune('a'+i))})
	}
	g.Outputs = n.Out
	g.Bind()
	return &ir.Model{Graph: g, Opsets: []ir.Opset{{Version: opset}, {Domain: "ai.onnx.ml", Version: 5}}}
}

// evaluate runs one node on operands.
func evaluate(opset int, n *ir.Node, results int, operands ...op.Val) ([]op.Val, error) {
	m := oneNode(opset, n, results, operands...)
	var in []op.Val
	for _, x := range operands {
		if x != nil {
			in = append(in, x)
		}
	}
	return op.RunList(context.Background(), m, in)
}

func vector[T tensor.Elem](x ...T) *tensor.Tensor { return tensor.Of([]int{len(x)}, x) }

// everyType returns a tensor of each element type with the codes 0, 1, 2, ...,
// as far as a code of the type reaches, and a function that reads codes back.
func everyType(shape ...int) []*tensor.Tensor {
	var out []*tensor.Tensor
	n := tensor.Len(shape)
	for t := tensor.DType(1); t.Valid(); t++ {
		x := tensor.New(t, shape...)
		for i := range n {
			code := i % 4
			switch bits := t.Bits(); {
			case t == tensor.String:
				x.Strings()[i] = strings.Repeat("x", code)
			case t == tensor.Bool:
				x.Bytes()[i] = byte(code & 1)
			case bits < 8:
				x.Bytes()[i*bits/8] |= byte(code) << (i * bits % 8)
			default:
				x.Bytes()[i*bits/8+bits/8-1] = byte(code)
			}
		}
		out = append(out, x)
	}
	return out
}

// codeAt reads what everyType wrote.
func codeAt(t *tensor.Tensor, i int) int {
	switch bits := t.Type.Bits(); {
	case t.Type == tensor.String:
		return len(t.Strings()[i])
	case bits < 8:
		return int(t.Bytes()[i*bits/8]>>(i*bits%8)) & 3
	default:
		return int(t.Bytes()[i*bits/8+bits/8-1])
	}
}

// TestMovingElementsOfEveryType holds operators that only move elements to the
// same permutation for strings, packed and all other element types.
func TestMovingElementsOfEveryType(t *testing.T) {
	tests := []struct {
		node     *ir.Node
		operands []op.Val
		from     []int // position of every element of the result in the 3×5 operand, -1 for zero
	}{
		{&ir.Node{Op: "Transpose"}, nil, []int{0, 5, 10, 1, 6, 11, 2, 7, 12, 3, 8, 13, 4, 9, 14}},
		{&ir.Node{Op: "Slice"}, []op.Val{vector[int64](2, -1), vector[int64](-9, 0), nil, vector[int64](-2, -3)}, []int{14, 11, 4, 1}},
		{&ir.Node{Op: "Gather", Attrs: attrs("axis", 1)}, []op.Val{vector[int32](-1, 1)}, []int{4, 1, 9, 6, 14, 11}},
		{&ir.Node{Op: "GatherElements", Attrs: attrs("axis", 0)}, []op.Val{tensor.Of([]int{2, 3}, []int64{2, 0, 1, -1, 1, 0})}, []int{10, 1, 7, 10, 6, 2}},
		{&ir.Node{Op: "GatherND"}, []op.Val{tensor.Of([]int{2, 2}, []int64{2, 3, 0, -1})}, []int{13, 4}},
		{&ir.Node{Op: "Reshape"}, []op.Val{vector[int64](5, -1)}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
		{&ir.Node{Op: "Expand"}, []op.Val{vector[int64](2, 1, 1)}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
		{&ir.Node{Op: "Pad", Attrs: attrs("mode", "reflect")}, []op.Val{vector[int64](0, -4, 3, 0)}, []int{4, 9, 14, 9, 4, 9}},
		{&ir.Node{Op: "Pad"}, []op.Val{vector[int64](-2, 1, 0, -3)}, []int{-1, 10, 11}},
		{&ir.Node{Op: "Compress"}, []op.Val{vector(false, true, false, false, false, true)}, []int{1, 5}},
		{&ir.Node{Op: "CenterCropPad"}, []op.Val{vector[int64](2, 2)}, []int{1, 2, 6, 7}},
		{&ir.Node{Op: "ReverseSequence", Attrs: attrs("batch_axis", 0, "time_axis", 1)}, []op.Val{vector[int64](0, 2, 5)}, []int{0, 1, 2, 3, 4, 6, 5, 7, 8, 9, 14, 13, 12, 11, 10}},
	}
	for _, tc := range tests {
		for _, x := range everyType(3, 5) {
			n := *tc.node
			out, err := evaluate(25, &n, 1, append([]op.Val{x}, tc.operands...)...)
			if err != nil {
				t.Fatalf("%s of %v: %v", n.Op, x, err)
			}
			y := out[0].(*tensor.Tensor)
			if y.Type != x.Type || y.Len() != len(tc.from) {
				t.Fatalf("%s of %v gives %v", n.Op, x, y)
			}
			for i, from := range tc.from {
				want := 0
				if from >= 0 {
					want = codeAt(x, from)
				}
				if codeAt(y, i) != want {
					t.Errorf("%s of %v: element %d is %d, want element %d, %d", n.Op, x, i, codeAt(y, i), from, want)
				}
			}
		}
	}
}

// TestScatterReductions combines duplicates in the arithmetic of the type.
func TestScatterReductions(t *testing.T) {
	half := func(x ...float32) *tensor.Tensor {
		h, err := tensor.FromFloat32s(tensor.Float16, []int{len(x)}, x)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	at := vector[int64](1, 1, -1)
	tests := []struct {
		reduction     string
		x, upd, wants *tensor.Tensor
	}{
		{"add", vector[uint8](1, 250, 3), vector[uint8](4, 5, 6), vector[uint8](1, 3, 9)},
		{"mul", vector[int64](1, 2, 3), vector[int64](4, -5, 1<<40), vector[int64](1, -40, 3<<40)},
		{"max", vector[float32](1, 2, 3), vector[float32](4, -5, 6), vector[float32](1, 4, 6)},
		{"min", half(1, 2, 3), half(4, -5, 6), half(1, -5, 3)},
		{"add", half(0, 2048, 0), half(1, 1, 0.5), half(0, 2048, 0.5)}, // rounded after every step
		{"add", vector(true, false, false), vector(false, true, false), vector(true, true, false)},
	}
	for _, tc := range tests {
		out, err := evaluate(18, &ir.Node{Op: "ScatterElements", Attrs: attrs("reduction", tc.reduction)}, 1, tc.x, at, tc.upd)
		if err != nil {
			t.Fatal(err)
		}
		if !tensor.Equal(out[0].(*tensor.Tensor), tc.wants) {
			t.Errorf("%s of %v: %v, want %v", tc.reduction, tc.x, out[0].(*tensor.Tensor).Bytes(), tc.wants.Bytes())
		}
	}
}

// TestRefusals expects an error that pare words itself, not a caught panic, for
// operands that the operators do not allow.
func TestRefusals(t *testing.T) {
	x := tensor.New(tensor.Float32, 2, 3)
	huge := vector[int64](1<<40, 1<<40)
	tests := []struct {
		node     *ir.Node
		operands []op.Val
	}{
		{&ir.Node{Op: "Gather"}, []op.Val{x, vector[int64](2)}},
		{&ir.Node{Op: "Gather", Attrs: attrs("axis", 2)}, []op.Val{x, vector[int64](0)}},
		{&ir.Node{Op: "Gather"}, []op.Val{x, vector[float32](0)}},
		{&ir.Node{Op: "GatherND"}, []op.Val{x, vector[int64](0, 0, 0)}},
		{&ir.Node{Op: "GatherElements"}, []op.Val{x, tensor.New(tensor.Int64, 2, 4)}},
		{&ir.Node{Op: "ScatterElements"}, []op.Val{x, tensor.Of([]int{1, 1}, []int64{5}), tensor.New(tensor.Float32, 1, 1)}},
		{&ir.Node{Op: "ScatterND"}, []op.Val{x, tensor.Of([]int{1, 1}, []int64{1}), tensor.New(tensor.Float32, 1, 2)}},
		{&ir.Node{Op: "Reshape"}, []op.Val{x, vector[int64](4, -1)}},
		{&ir.Node{Op: "Reshape"}, []op.Val{x, vector[int64](-1, -1)}},
		{&ir.Node{Op: "Reshape"}, []op.Val{x, vector[int64](1<<62, 1<<62)}},
		{&ir.Node{Op: "Expand"}, []op.Val{x, vector[int64](2, 4)}},
		{&ir.Node{Op: "Expand"}, []op.Val{tensor.New(tensor.Float32, 1), huge}},
		{&ir.Node{Op: "Tile"}, []op.Val{x, huge}},
		{&ir.Node{Op: "Tile"}, []op.Val{x, vector[int64](1, -1)}},
		{&ir.Node{Op: "ConstantOfShape"}, []op.Val{huge}},
		{&ir.Node{Op: "ConstantOfShape"}, []op.Val{vector[int64](-1)}},
		{&ir.Node{Op: "Pad"}, []op.Val{x, vector[int64](0, 0, 1<<62, 1<<62)}},
		{&ir.Node{Op: "Pad", Attrs: attrs("mode", "edge")}, []op.Val{x, vector[int64](0, 0, 0, 1<<39)}},
		{&ir.Node{Op: "Pad", Attrs: attrs("mode", "mirror")}, []op.Val{x, vector[int64](0, 0, 0, 1)}},
		{&ir.Node{Op: "Pad"}, []op.Val{x, vector[int64](-3, 0, 0, 0)}},
		{&ir.Node{Op: "Slice"}, []op.Val{x, vector[int64](0), vector[int64](1), vector[int64](0), vector[int64](0)}},
		{&ir.Node{Op: "Slice"}, []op.Val{x, vector[int64](0, 0), vector[int64](1)}},
		{&ir.Node{Op: "Split", Attrs: attrs("axis", 1)}, []op.Val{x, vector[int64](5)}},
		{&ir.Node{Op: "Squeeze"}, []op.Val{x, vector[int64](0)}},
		{&ir.Node{Op: "Unsqueeze"}, []op.Val{x, vector[int64](1, 1)}},
		{&ir.Node{Op: "Concat", Attrs: attrs("axis", 0)}, []op.Val{x, tensor.New(tensor.Float32, 2, 2)}},
		{&ir.Node{Op: "Transpose", Attrs: attrs("perm", []int{0, 0})}, []op.Val{x}},
		{&ir.Node{Op: "Range"}, []op.Val{tensor.Scalar(float32(0)), tensor.Scalar(float32(1)), tensor.Scalar(float32(0))}},
		{&ir.Node{Op: "Range"}, []op.Val{tensor.Scalar(int64(0)), tensor.Scalar(int64(1 << 60)), tensor.Scalar(int64(1))}},
		{&ir.Node{Op: "OneHot"}, []op.Val{vector[int64](0), tensor.Scalar(int64(-1)), vector[float32](0, 1)}},
		{&ir.Node{Op: "SequenceAt"}, []op.Val{&op.Sequence{}, tensor.Scalar(int64(0))}},
		{&ir.Node{Op: "SequenceAt"}, []op.Val{x, tensor.Scalar(int64(0))}},
		{&ir.Node{Op: "ConcatFromSequence"}, []op.Val{&op.Sequence{}}},
		{&ir.Node{Op: "OptionalGetElement"}, []op.Val{&op.Optional{}}},
		{&ir.Node{Op: "If"}, []op.Val{tensor.Scalar(true)}},
		{&ir.Node{Op: "Scan", Attrs: attrs("num_scan_inputs", 3)}, []op.Val{x}},
		{&ir.Node{Op: "RegexFullMatch", Attrs: attrs("pattern", "(")}, []op.Val{tensor.OfStrings(nil, []string{""})}},
		{&ir.Node{Op: "StringConcat"}, []op.Val{x, x}},
		{&ir.Node{Op: "TensorScatter"}, []op.Val{tensor.New(tensor.Float32, 1, 4, 2), tensor.New(tensor.Float32, 1, 2, 2), vector[int64](3)}},
		{&ir.Node{Op: "Dropout"}, []op.Val{x, tensor.Scalar(float32(1)), tensor.Scalar(true)}},
	}
	for _, tc := range tests {
		_, err := evaluate(25, tc.node, 1, tc.operands...)
		if err == nil {
			t.Errorf("%s of %v: no error", tc.node.Op, tc.operands)
			continue
		}
		var panicked *op.PanicError
		if errors.As(err, &panicked) {
			t.Errorf("%s: %v\n%s", tc.node.Op, err, panicked.Stack)
		}
		if !strings.Contains(err.Error(), tc.node.Op) {
			t.Errorf("%q does not name the node", err)
		}
	}
}

// TestStringOperators covers what the official cases leave open.
func TestStringOperators(t *testing.T) {
	words := func(x ...string) *tensor.Tensor { return tensor.OfStrings([]int{len(x)}, x) }
	out, err := evaluate(20, &ir.Node{Op: "StringSplit", Attrs: attrs("maxsplit", 1)}, 2, words("  a  b c ", "", "d"))
	if err != nil {
		t.Fatal(err)
	}
	if got := out[0].(*tensor.Tensor).Strings(); !slices.Equal(got, []string{"a", "b c", "", "", "d", ""}) {
		t.Errorf("StringSplit gives %q", got)
	}
	if got := tensor.Data[int64](out[1].(*tensor.Tensor)); !slices.Equal(got, []int64{2, 0, 1}) {
		t.Errorf("StringSplit counts %v", got)
	}
	out, err = evaluate(20, &ir.Node{Op: "StringNormalizer", Attrs: attrs("case_change_action", "UPPER", "stopwords", []string{"Ñu"})}, 1, words("ñU", "été"))
	if err != nil {
		t.Fatal(err)
	}
	if got := out[0].(*tensor.Tensor).Strings(); !slices.Equal(got, []string{"ÉTÉ"}) {
		t.Errorf("StringNormalizer gives %q", got)
	}
	out, err = evaluate(20, &ir.Node{Op: "RegexFullMatch", Attrs: attrs("pattern", "a|ab")}, 1, words("ab", "abc", "a"))
	if err != nil {
		t.Fatal(err)
	}
	if got := tensor.Data[bool](out[0].(*tensor.Tensor)); !slices.Equal(got, []bool{true, false, true}) {
		t.Errorf("RegexFullMatch gives %v", got)
	}
}

// TestEmptyTensorsAreCheap gives operators a tensor without elements whose other
// axis is absurdly long: work must follow the elements, not the axes.
func TestEmptyTensorsAreCheap(t *testing.T) {
	x := tensor.New(tensor.Float32, 1<<40, 0)
	none := tensor.New(tensor.Int64, 0)
	for _, tc := range []struct {
		node     *ir.Node
		operands []op.Val
		refused  bool
	}{
		{&ir.Node{Op: "Transpose"}, []op.Val{x}, false},
		{&ir.Node{Op: "Gather", Attrs: attrs("axis", 1)}, []op.Val{x, none}, false},
		{&ir.Node{Op: "GatherND"}, []op.Val{x, tensor.New(tensor.Int64, 1<<40, 0)}, true},
		{&ir.Node{Op: "Concat", Attrs: attrs("axis", 1)}, []op.Val{x, x}, false},
		{&ir.Node{Op: "Tile"}, []op.Val{x, vector[int64](3, 3)}, false},
		{&ir.Node{Op: "NonZero"}, []op.Val{x}, false},
		{&ir.Node{Op: "EyeLike"}, []op.Val{x}, false},
		{&ir.Node{Op: "ReverseSequence", Attrs: attrs("batch_axis", 1, "time_axis", 0)}, []op.Val{x, none}, false},
		{&ir.Node{Op: "Pad"}, []op.Val{x, vector[int64](0, 1, 0, 0)}, true},
		{&ir.Node{Op: "Unique", Attrs: attrs("axis", 0)}, []op.Val{x}, true},
		{&ir.Node{Op: "SplitToSequence"}, []op.Val{x}, true},
	} {
		_, err := evaluate(24, tc.node, 1, tc.operands...)
		if refused := err != nil; refused != tc.refused {
			t.Errorf("%s: %v", tc.node.Op, err)
		}
		var panicked *op.PanicError
		if errors.As(err, &panicked) {
			t.Errorf("%s: %v", tc.node.Op, err)
		}
	}
}
