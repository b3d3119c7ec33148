package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// normalizer is the row of a function of whole rows of floats. Before version
// 13 a row is everything from axis (default 1) on, flattened; from then on it
// lies along axis (default -1).
func normalizer(name string, f func(row []float64)) Def {
	return Def{
		Name: name, Versions: []int{1, 11, 13}, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: sameType,
		Eval: func(c *Eval) error {
			x := c.Need(0)
			if !x.Type.IsFloat() {
				return unsupported(x.Type)
			}
			shape, axis, err := normalizerAxis(c.Node, c.Version, x.Shape)
			if err != nil {
				return err
			}
			y := make([]float64, x.Len())
			copy(y, tensor.Float64s(x))
			outer, n, inner := split3(shape, axis)
			row := make([]float64, n)
			for o := range outer {
				for i := range inner {
					at := o*n*inner + i
					for k := range row {
						row[k] = y[at+k*inner]
					}
					f(row)
					for k := range row {
						y[at+k*inner] = row[k]
					}
				}
			}
			out, err := tensor.FromFloat64s(x.Type, x.Shape, y)
			c.Set(0, out)
			return err
		},
		Raise: map[int]func(*Raising) error{13: raiseNormalizer},
	}
}

// normalizerAxis is the shape as which the operand is treated and the axis of
// its rows.
func normalizerAxis(n *ir.Node, version int, shape []int) ([]int, int, error) {
	if version >= 13 {
		if len(shape) == 0 {
			shape = []int{1}
		}
		axis, err := normAxis(n.Int("axis", -1), len(shape))
		return shape, axis, err
	}
	axis := n.Int("axis", 1)
	if axis < 0 {
		axis += len(shape)
	}
	if axis < 0 || axis > len(shape) {
		return nil, 0, fmt.Errorf("axis %d is outside a tensor of rank %d", n.Int("axis", 1), len(shape))
	}
	return []int{tensor.Len(shape[:axis]), tensor.Len(shape[axis:])}, 1, nil
}

// raiseNormalizer keeps rows that span several axes by flattening the operand
// and restoring its shape afterwards.
func raiseNormalizer(r *Raising) error {
	n := r.Node
	axis := n.Int("axis", 1)
	rank, err := r.Rank(0)
	if err != nil {
		if axis == -1 {
			return nil
		}
		return err
	}
	if axis < 0 {
		axis += rank
	}
	if axis == rank-1 {
		r.Patch.SetAttrs(n, ir.WithAttr(n.Attrs, "axis", int64(-1)))
		return nil
	}
	x, y := n.In[0], n.Out[0]
	shape := r.Patch.Node(r.base()+"_shape", "Shape", []*ir.Value{x})
	flat := r.Patch.Node(r.base()+"_flat", "Flatten", []*ir.Value{x}, ir.Attr{Name: "axis", Value: int64(axis)})
	rows := r.Patch.Node(r.base()+"_rows", n.Op, []*ir.Value{flat}, ir.Attr{Name: "axis", Value: int64(-1)})
	full := r.Patch.Node(r.base()+"_full", "Reshape", []*ir.Value{rows, shape})
	r.Patch.Replace(y, full)
	r.Patch.RemoveNode(n)
	return nil
}

// https://onnx.ai/onnx/operators/onnx__Softmax.html and the like.
var (
	softmaxDef = normalizer("Softmax", func(row []float64) {
		sum := shiftedExp(row)
		for i := range row {
			row[i] /= sum
		}
	})
	logSoftmaxDef = normalizer("LogSoftmax", func(row []float64) {
		m := maxOf(row)
		sum := 0.0
		for _, x := range row {
			sum += math.Exp(x - m)
		}
		l := m + math.Log(sum)
		for i := range row {
			row[i] -= l
		}
	})
	hardmaxDef = normalizer("Hardmax", func(row []float64) {
		best := 0
		for i, x := range row {
			if x > row[best] {
				best = i
			}
		}
		for i := range row {
			row[i] = 0
		}
		if len(row) > 0 {
			row[best] = 1
		}
	})
)

// shiftedExp replaces row by exp(row - max(row)) and returns its sum.
func shiftedExp(row []float64) float64 {
	m := maxOf(row)
	sum := 0.0
	for i, x := range row {
		row[i] = math.Exp(x - m)
		sum += row[i]
	}
	return sum
}

func maxOf(row []float64) float64 {
	m := math.Inf(-1)
	for _, x := range row {
		m = max(m, x)
	}
	return m
}
