package eval

import (
	"fmt"
	"strings"

	"pare/dataset"
	"pare/ir"
	"pare/tensor"
)

// Bind gives each input of a network its tensor from a batch of n samples. The
// array called "" goes to the first input that no array names. Inputs that the
// data lack are filled in where their meaning is certain: attention masks with
// ones, token types with zeros, positions by counting, caches of earlier tokens
// with nothing; notes say what was filled in.
func Bind(inputs []*ir.Value, b dataset.Batch, n int) (in map[string]*tensor.Tensor, notes []string, err error) {
	in = map[string]*tensor.Tensor{}
	unused := len(b.Inputs)
	for _, v := range inputs {
		t := b.Inputs[v.Name]
		if t == nil && b.Inputs[""] != nil && !nameInUse(in, b.Inputs[""]) && v.Const == nil {
			t = b.Inputs[""]
		}
		if t == nil && len(b.Inputs) == 1 && len(inputs) == 1 {
			for _, t = range b.Inputs { // one array, one input: the name does not matter
			}
		}
		if t == nil {
			continue
		}
		unused--
		if in[v.Name], err = fit(t, v); err != nil {
			return nil, nil, err
		}
	}
	if unused > 0 {
		return nil, nil, fmt.Errorf("the data have %s, the network wants %s", names(b.Inputs), valueNames(inputs))
	}
	for _, v := range inputs {
		if in[v.Name] != nil || v.Const != nil {
			continue
		}
		t, what := missing(v, in, n)
		if t == nil {
			return nil, nil, fmt.Errorf("the data have nothing for input %q (%v)", v.Name, v.Type)
		}
		in[v.Name] = t
		notes = append(notes, fmt.Sprintf("input %s: %s", v.Name, what))
	}
	return in, notes, nil
}

func nameInUse(in map[string]*tensor.Tensor, t *tensor.Tensor) bool {
	for _, u := range in {
		if len(u.Bytes()) > 0 && len(t.Bytes()) > 0 && &u.Bytes()[0] == &t.Bytes()[0] {
			return true
		}
	}
	return false
}

func names(m map[string]*tensor.Tensor) string {
	var list []string
	for k := range m {
		list = append(list, fmt.Sprintf("%q", k))
	}
	return strings.Join(list, ", ")
}

func valueNames(vs []*ir.Value) string {
	var list []string
	for _, v := range vs {
		list = append(list, fmt.Sprintf("%q", v.Name))
	}
	return strings.Join(list, ", ")
}

// fit converts a tensor to the element type of an input and checks its rank.
func fit(t *tensor.Tensor, v *ir.Value) (*tensor.Tensor, error) {
	if v.Type.Ranked && len(v.Type.Shape) != t.Rank() {
		return nil, fmt.Errorf("input %q wants %v, the data are %v", v.Name, v.Type, t)
	}
	for i, d := range v.Type.Shape {
		if d.IsKnown() && d.N != t.Shape[i] && i > 0 {
			return nil, fmt.Errorf("input %q wants %v, the data are %v; see the data options resize, crop and layout", v.Name, v.Type, t)
		}
	}
	if v.Type.DType == tensor.Undefined || v.Type.DType == t.Type {
		return t, nil
	}
	out, err := tensor.Convert(t, v.Type.DType, tensor.Options{})
	if err != nil {
		return nil, fmt.Errorf("input %q: %w", v.Name, err)
	}
	return out, nil
}

// missing makes up an input that the data lack; nil where its meaning is not
// certain.
func missing(v *ir.Value, have map[string]*tensor.Tensor, n int) (*tensor.Tensor, string) {
	if t, what := cache(v, n); t != nil {
		return t, what
	}
	var ids *tensor.Tensor
	for name, t := range have {
		if strings.Contains(name, "input_ids") {
			ids = t
		}
	}
	if ids == nil || !v.Type.DType.IsInt() {
		return nil, ""
	}
	fill := make([]int64, ids.Len())
	what := "zeros"
	switch {
	case strings.Contains(v.Name, "attention_mask"):
		what = "ones"
		for i := range fill {
			fill[i] = 1
		}
	case strings.Contains(v.Name, "position_ids"):
		what = "positions"
		for i := range fill {
			fill[i] = int64(i % ids.Shape[1])
		}
	case !strings.Contains(v.Name, "token_type"):
		return nil, ""
	}
	t, err := tensor.Convert(tensor.Of(ids.Shape, fill), v.Type.DType, tensor.Options{})
	if err != nil {
		return nil, ""
	}
	return t, what
}

// cache makes an empty cache of earlier keys or values: the first dimension is
// the batch, another symbolic one the number of earlier tokens.
func cache(v *ir.Value, n int) (*tensor.Tensor, string) {
	if !strings.Contains(v.Name, "past") || !v.Type.Ranked || !v.Type.DType.IsFloat() {
		return nil, ""
	}
	shape := make([]int, len(v.Type.Shape))
	empty := false
	for i, d := range v.Type.Shape {
		switch {
		case d.IsKnown():
			shape[i] = d.N
		case i == 0:
			shape[i] = n
		default:
			empty = true
		}
	}
	if !empty {
		return nil, ""
	}
	return tensor.New(v.Type.DType, shape...), "an empty cache"
}
