package op

import (
	"fmt"
	"slices"
	"strings"

	"pare/ir"
	"pare/tensor"
)

// einsumDef sums products by subscripts. https://onnx.ai/onnx/operators/onnx__Einsum.html
var einsumDef = Def{
	Name: "Einsum", Versions: []int{12, 28}, In: Arity{1, Variadic}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		ranks := make([]int, len(c.In))
		for i, t := range c.In {
			if !t.Ranked {
				c.Set(0, ir.UnrankedType(c.In[0].DType))
				return nil
			}
			ranks[i] = len(t.Shape)
		}
		e, err := parseEinsum(c.Node.Str("equation", ""), ranks)
		if err != nil {
			return err
		}
		sizes := map[rune]ir.Dim{}
		for i, subs := range e.in {
			for k, s := range subs {
				d := c.In[i].Shape[k]
				old, ok := sizes[s]
				switch {
				case !ok || old == ir.Known(1) || !old.IsKnown() && d.IsKnown() && d.N != 1:
					sizes[s] = d
				case old.IsKnown() && d.IsKnown() && old != d && d.N != 1:
					return fmt.Errorf("subscript %c has sizes %v and %v", s, old, d)
				}
			}
		}
		shape := make([]ir.Dim, len(e.out))
		for i, s := range e.out {
			shape[i] = sizes[s]
		}
		c.Set(0, ir.TensorType(c.In[0].DType, shape...))
		return nil
	},
	Eval: einsumEval,
}

// einsum is a parsed equation; the axes under an ellipsis are subscripts of
// their own, capitals beyond the alphabet.
type einsum struct {
	in  [][]rune
	out []rune
}

func parseEinsum(equation string, ranks []int) (einsum, error) {
	left, right, explicit := strings.Cut(strings.ReplaceAll(equation, " ", ""), "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(ranks) {
		return einsum{}, fmt.Errorf("equation %q has %d terms for %d operands", equation, len(terms), len(ranks))
	}
	var e einsum
	ellipsis := 0
	counts := map[rune]int{}
	for i, term := range terms {
		letters := strings.Replace(term, "...", "", 1)
		n := ranks[i] - len(letters)
		if n < 0 || n > 0 && letters == term || strings.Contains(letters, ".") {
			return einsum{}, fmt.Errorf("term %q of equation %q does not fit an operand of rank %d", term, equation, ranks[i])
		}
		for _, s := range letters {
			counts[s]++
		}
		ellipsis = max(ellipsis, n)
		e.in = append(e.in, expandEllipsis(term, n))
	}
	if explicit {
		e.out = expandEllipsis(right, ellipsis)
	} else {
		e.out = expandEllipsis("...", ellipsis)
		var once []rune
		for s, n := range counts {
			if n == 1 {
				once = append(once, s)
			}
		}
		slices.Sort(once)
		e.out = append(e.out, once...)
	}
	for i, s := range e.out {
		known := slices.ContainsFunc(e.in, func(t []rune) bool { return slices.Contains(t, s) })
		if !known || slices.Contains(e.out[:i], s) {
			return einsum{}, fmt.Errorf("result of equation %q is not made of distinct subscripts of its terms", equation)
		}
	}
	return e, nil
}

// expandEllipsis replaces "..." by n subscripts, right-aligned so that terms of
// different rank broadcast.
func expandEllipsis(term string, n int) []rune {
	before, after, found := strings.Cut(term, "...")
	out := []rune(before)
	if found {
		for i := n; i > 0; i-- {
			out = append(out, rune(0x1000+i))
		}
	}
	return append(out, []rune(after)...)
}

func einsumEval(c *Eval) error {
	ranks := make([]int, len(c.In))
	for i := range c.In {
		ranks[i] = c.Need(i).Rank()
	}
	e, err := parseEinsum(c.Node.Str("equation", ""), ranks)
	if err != nil {
		return err
	}
	sizes := map[rune]int{}
	labels := slices.Clone(e.out)
	for i, subs := range e.in {
		for k, s := range subs {
			d := c.Need(i).Shape[k]
			if old, ok := sizes[s]; ok && old != d && old != 1 && d != 1 {
				return fmt.Errorf("subscript %c has sizes %d and %d", s, old, d)
			} else if !ok || old == 1 {
				sizes[s] = d
			}
			if !slices.Contains(labels, s) {
				labels = append(labels, s)
			}
		}
	}
	shape := make([]int, len(labels))
	for i, s := range labels {
		shape[i] = sizes[s]
	}
	grids := make([][]int, len(c.In))
	for i, subs := range e.in {
		grids[i] = einsumStrides(labels, subs, c.Need(i).Shape)
	}
	outShape := shape[:len(e.out)]
	t := c.Need(0).Type
	c.fits(tensor.Float64, outShape)
	switch {
	case t.IsInt():
		y, err := einsumSum[int64](c, shape, len(e.out), grids, func(t *tensor.Tensor) ([]int64, error) {
			w, err := tensor.Convert(t, tensor.Int64, tensor.Options{})
			if err != nil {
				return nil, err
			}
			return tensor.Data[int64](w), nil
		})
		if err != nil {
			return err
		}
		out, err := tensor.Convert(tensor.Of(outShape, y), t, tensor.Options{})
		c.Set(0, out)
		return err
	case t.IsFloat():
		y, err := einsumSum[float64](c, shape, len(e.out), grids, func(t *tensor.Tensor) ([]float64, error) { return tensor.Float64s(t), nil })
		if err != nil {
			return err
		}
		out, err := tensor.FromFloat64s(t, outShape, y)
		c.Set(0, out)
		return err
	}
	return unsupported(t)
}

// einsumStrides is the step of an operand along every label; a label that
// occurs twice walks a diagonal.
func einsumStrides(labels, subs []rune, shape []int) []int {
	own := strides(shape)
	out := make([]int, len(labels))
	for k, s := range subs {
		if shape[k] != 1 {
			out[slices.Index(labels, s)] += own[k]
		}
	}
	return out
}

// einsumSum walks all combinations of labels, the first kept of which make the
// result.
func einsumSum[T int64 | float64](c *Eval, shape []int, kept int, st [][]int, data func(*tensor.Tensor) ([]T, error)) ([]T, error) {
	x := make([][]T, len(st))
	for i := range x {
		var err error
		if x[i], err = data(c.Need(i)); err != nil {
			return nil, err
		}
	}
	out := make([]T, tensor.Len(shape[:kept]))
	inner := tensor.Len(shape[kept:])
	pos, at := make([]int, len(shape)), make([]int, len(st))
	for i := range out {
		for range inner {
			p := T(1)
			for k := range x {
				p *= x[k][at[k]]
			}
			out[i] += p
			advance(pos, shape, at, st)
		}
		if i%1024 == 0 && c.Ctx.Err() != nil {
			return nil, c.Ctx.Err()
		}
	}
	return out, nil
}

// advance steps pos through shape in C order and the offsets at with it.
func advance(pos, shape, at []int, st [][]int) {
	for axis := len(shape) - 1; axis >= 0; axis-- {
		pos[axis]++
		for k := range at {
			at[k] += st[k][axis]
		}
		if pos[axis] < shape[axis] {
			return
		}
		for k := range at {
			at[k] -= st[k][axis] * shape[axis]
		}
		pos[axis] = 0
	}
}

// EinsumTerms reads an equation for operands of the ranks given: the subscripts of
// every operand and of the result; axes under an ellipsis have subscripts of their own.
func EinsumTerms(equation string, ranks ...int) (in [][]rune, out []rune, err error) {
	e, err := parseEinsum(equation, ranks)
	return e.in, e.out, err
}
