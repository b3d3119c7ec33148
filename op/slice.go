package op

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// sliceDef takes evenly spaced positions along axes.
// https://onnx.ai/onnx/operators/onnx__Slice.html
var sliceDef = Def{
	Name: "Slice", Versions: []int{1, 10, 11, 13}, In: Arity{1, 5}, Out: Arity{1, 1},
	Infer: inferSlice,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		var s slicing
		if c.Version < 10 {
			s = slicing{starts: c.Node.Ints("starts"), ends: c.Node.Ints("ends"), axes: c.Node.Ints("axes")}
		} else {
			s = slicing{starts: c.Ints(1), ends: c.Ints(2)}
			if c.Has(3) {
				s.axes = c.Ints(3)
			}
			if c.Has(4) {
				s.steps = c.Ints(4)
			}
		}
		out, err := s.apply(c.New, x)
		c.Set(0, out)
		return err
	},
	Raise: map[int]func(c *Raising) error{10: raiseSlice},
}

// slicing is what a Slice is told; nil axes are the first ones, nil steps 1.
type slicing struct{ starts, ends, axes, steps []int }

// complete fills in the defaults and reports lists that do not fit.
func (s slicing) complete(rank int) (slicing, error) {
	if s.axes == nil {
		for i := range s.starts {
			s.axes = append(s.axes, i)
		}
	}
	if s.steps == nil {
		for range s.starts {
			s.steps = append(s.steps, 1)
		}
	}
	n := len(s.starts)
	if len(s.ends) != n || len(s.axes) != n || len(s.steps) != n {
		return s, fmt.Errorf("%d starts, %d ends, %d axes, %d steps", n, len(s.ends), len(s.axes), len(s.steps))
	}
	if slices.Contains(s.steps, 0) {
		return s, errors.New("a step of 0")
	}
	axes, err := normAxes(s.axes, rank)
	s.axes = axes
	return s, err
}

// apply takes the slice of x.
func (s slicing) apply(alloc mover, x *tensor.Tensor) (*tensor.Tensor, error) {
	s, err := s.complete(x.Rank())
	if err != nil {
		return nil, err
	}
	from, shape := whole(x), slices.Clone(x.Shape)
	for i, axis := range s.axes {
		first, n := sliceAxis(shape[axis], s.starts[i], s.ends[i], s.steps[i])
		shape[axis] = n
		from.at += first * from.strides[axis]
		if n > 1 {
			from.strides[axis] *= s.steps[i]
		}
	}
	return alloc.dense(from, shape), nil
}

// sliceAxis clamps one axis of length n as the operator says and returns the
// first position and the number of positions.
func sliceAxis(n, start, end, step int) (first, count int) {
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	if step > 0 {
		start, end = min(max(start, 0), n), min(max(end, 0), n)
		if end <= start {
			return 0, 0
		}
		return start, (end-start-1)/step + 1
	}
	start, end = min(max(start, 0), n-1), min(max(end, -1), n-1)
	if start <= end {
		return 0, 0
	}
	return start, (start-end-1)/-step + 1
}

func inferSlice(c *Shape) error {
	t := c.In[0]
	if !t.Ranked {
		c.Set(0, t)
		return nil
	}
	starts, ends, s, ok := sliceOperands(c)
	if !ok { // nothing but the rank is known, except where the axes are
		shape := make([]ir.Dim, len(t.Shape))
		for i := range shape {
			shape[i] = ir.Unknown
		}
		if axes, known := c.Ints(3); known {
			if axes, err := normAxes(axes, len(shape)); err == nil {
				shape = slices.Clone(t.Shape)
				for _, a := range axes {
					shape[a] = ir.Unknown
				}
			}
		}
		c.Set(0, ir.TensorType(t.DType, shape...))
		return nil
	}
	s.starts, s.ends = make([]int, len(starts)), make([]int, len(ends))
	s, err := s.complete(len(t.Shape))
	if err != nil {
		return err
	}
	shape := slices.Clone(t.Shape)
	exact := true
	for i, axis := range s.axes {
		shape[axis] = sliceDim(shape[axis], starts[i], ends[i], s.steps[i])
		exact = exact && isNumber(starts[i]) && isNumber(ends[i])
		s.starts[i], s.ends[i] = starts[i].N, ends[i].N
	}
	c.Set(0, ir.TensorType(t.DType, shape...))
	if !exact {
		return nil
	}
	return c.moveData(0, []int{0}, func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error) {
		return s.apply(alloc, in[0])
	})
}

// sliceOperands reads starts, ends, axes and steps as far as they are known.
func sliceOperands(c *Shape) (starts, ends []ir.Dim, s slicing, ok bool) {
	if c.Version < 10 {
		starts, ends = knownElems(c.Node.Ints("starts")), knownElems(c.Node.Ints("ends"))
		return starts, ends, slicing{axes: c.Node.Ints("axes")}, true
	}
	starts, ok = c.Data(1)
	if !ok {
		return
	}
	if ends, ok = c.Data(2); !ok {
		return
	}
	if c.Has(3) {
		if s.axes, ok = c.Ints(3); !ok {
			return
		}
	}
	if c.Has(4) {
		s.steps, ok = c.Ints(4)
	}
	return
}

// sliceDim is the length of a sliced axis, as far as it is known.
func sliceDim(d, start, end ir.Dim, step int) ir.Dim {
	if !isNumber(start) {
		return ir.Unknown
	}
	const far = math.MaxInt32 // exporters write this or more for "to the end"
	fromStart := start.N == 0 && step == 1
	switch {
	case d.IsKnown() && isNumber(end):
		_, n := sliceAxis(d.N, start.N, end.N, step)
		return ir.Known(n)
	case fromStart && isNumber(end) && end.N >= far, fromStart && end.Same(d):
		return d
	case step == -1 && start.N == -1 && isNumber(end) && end.N <= -far:
		return d
	}
	return ir.Unknown
}

func raiseSlice(c *Raising) error {
	n := c.Node
	starts, ends := n.Ints("starts"), n.Ints("ends")
	if len(starts) != len(ends) {
		return fmt.Errorf("%d starts and %d ends", len(starts), len(ends))
	}
	for i, name := range []string{"starts", "ends", "axes"} {
		if list, ok := n.Attr(name).([]int64); ok {
			c.ConstInput(i+1, name, tensor.Of([]int{len(list)}, slices.Clone(list)))
		}
	}
	c.DropAttrs("starts", "ends", "axes")
	return nil
}
