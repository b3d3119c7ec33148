package op

import (
	"cmp"
	"slices"
	"strings"

	"pare/ir"
	"pare/tensor"
)

// uniqueDef drops repeated elements, or slices along an axis.
// https://onnx.ai/onnx/operators/onnx__Unique.html
var uniqueDef = Def{
	Name: "Unique", Versions: []int{11, 28}, In: Arity{1, 1}, Out: Arity{1, 4},
	Infer: func(c *Shape) error {
		x := c.In[0]
		for i := 1; i < 4; i++ {
			c.Set(i, ir.TensorType(tensor.Int64, ir.Unknown))
		}
		switch {
		case !c.Node.Has("axis"):
			c.Set(0, ir.TensorType(x.DType, ir.Unknown))
		case !x.Ranked:
			c.Set(0, x)
		default:
			axis, err := normAxis(c.Node.Int("axis", 0), len(x.Shape))
			if err != nil {
				return err
			}
			shape := slices.Clone(x.Shape)
			shape[axis] = ir.Unknown
			c.Set(0, ir.TensorType(x.DType, shape...))
		}
		return nil
	},
	Eval: evalUnique,
}

func evalUnique(c *Eval) error {
	x := c.Need(0)
	if !c.Node.Has("axis") {
		x = x.Reshape(x.Len())
	}
	axis, err := normAxis(c.Node.Int("axis", 0), x.Rank())
	if err != nil {
		return err
	}
	compare, err := sliceOrder(c, x, axis)
	if err != nil {
		return err
	}
	n := x.Shape[axis]
	order, err := positions(n)
	if err != nil {
		return err
	}
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, compare)
	// Every group of equal slices is known by its first occurrence.
	var first []int
	group := make([]int, n)
	for k, i := range order {
		if k == 0 || compare(order[k-1], i) != 0 {
			first = append(first, i)
		}
		group[i] = len(first) - 1
	}
	if c.Node.Int("sorted", 1) == 0 {
		rank := make([]int, len(first))
		byPlace := make([]int, len(first))
		for i := range byPlace {
			byPlace[i] = i
		}
		slices.SortFunc(byPlace, func(a, b int) int { return first[a] - first[b] })
		for to, from := range byPlace {
			rank[from] = to
		}
		for i, g := range group {
			group[i] = rank[g]
		}
		slices.Sort(first)
	}
	counts := make([]int64, len(first))
	for _, g := range group {
		counts[g]++
	}
	c.Set(0, mover(c.New).taken(x, axis, first))
	c.Set(1, int64s(first))
	c.Set(2, int64s(group))
	c.Set(3, tensor.Of([]int{len(counts)}, counts))
	return nil
}

// int64s is a vector of numbers.
func int64s(list []int) *tensor.Tensor {
	out := tensor.New(tensor.Int64, len(list))
	for i, x := range list {
		tensor.Data[int64](out)[i] = int64(x)
	}
	return out
}

// sliceOrder compares two slices of x along an axis, element by element in C
// order. Not-a-number equals itself and comes last.
func sliceOrder(c *Eval, x *tensor.Tensor, axis int) (func(i, j int) int, error) {
	perm := []int{axis}
	for i := range x.Rank() {
		if i != axis {
			perm = append(perm, i)
		}
	}
	y := mover(c.New).transposed(x, perm)
	block := tensor.Len(y.Shape[1:])
	compare, err := elemCompare(y)
	return func(i, j int) int {
		for k := range block {
			if r := compare(i*block+k, j*block+k); r != 0 {
				return r
			}
		}
		return 0
	}, err
}

// elemCompare compares elements of t by position.
func elemCompare(t *tensor.Tensor) (func(i, j int) int, error) {
	switch t.Type {
	case tensor.String:
		s := t.Strings()
		return func(i, j int) int { return strings.Compare(s[i], s[j]) }, nil
	case tensor.Int64:
		s := tensor.Data[int64](t)
		return func(i, j int) int { return cmp.Compare(s[i], s[j]) }, nil
	case tensor.Uint64:
		s := tensor.Data[uint64](t)
		return func(i, j int) int { return cmp.Compare(s[i], s[j]) }, nil
	case tensor.Complex64, tensor.Complex128:
		parts := floatParts(t)
		return func(i, j int) int {
			if r := nanLast(parts[2*i], parts[2*j]); r != 0 {
				return r
			}
			return nanLast(parts[2*i+1], parts[2*j+1])
		}, nil
	}
	if !isNumeric(t.Type) {
		return nil, unsupported(t.Type)
	}
	s := tensor.Float64s(t)
	return func(i, j int) int { return nanLast(s[i], s[j]) }, nil
}

// nanLast is the order of numbers with not-a-number above all.
func nanLast(a, b float64) int {
	switch {
	case a != a && b != b:
		return 0
	case a != a:
		return 1
	case b != b:
		return -1
	}
	return cmp.Compare(a, b)
}

// floatParts is the real and imaginary parts of complex elements in turn.
func floatParts(t *tensor.Tensor) []float64 {
	out := make([]float64, 0, 2*t.Len())
	if t.Type == tensor.Complex64 {
		for _, z := range tensor.Data[complex64](t) {
			out = append(out, float64(real(z)), float64(imag(z)))
		}
		return out
	}
	for _, z := range tensor.Data[complex128](t) {
		out = append(out, real(z), imag(z))
	}
	return out
}
