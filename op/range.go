package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// rangeDef counts. https://onnx.ai/onnx/operators/onnx__Range.html
var rangeDef = Def{
	Name: "Range", Versions: []int{11, 27}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: inferRange,
	Eval: func(c *Eval) error {
		start, limit, delta := c.Need(0), c.Need(1), c.Need(2)
		if limit.Type != start.Type || delta.Type != start.Type {
			return fmt.Errorf("operands %v, %v and %v", start, limit, delta)
		}
		for i := range 3 {
			if c.Need(i).Len() != 1 {
				return fmt.Errorf("operand %d: %v where one number is expected", i, c.Need(i))
			}
		}
		var out *tensor.Tensor
		var err error
		switch start.Type {
		case tensor.Int16:
			out, err = countUp[int16](c)
		case tensor.Int32:
			out, err = countUp[int32](c)
		case tensor.Int64:
			out, err = countUp[int64](c)
		case tensor.Float32:
			out, err = countUp[float32](c)
		case tensor.Float64:
			out, err = countUp[float64](c)
		case tensor.Float16, tensor.BFloat16:
			out, err = countHalf(c)
		default:
			err = unsupported(start.Type)
		}
		c.Set(0, out)
		return err
	},
}

// steps is the number of elements of a range.
func steps(start, limit, delta float64) (int, error) {
	n := math.Ceil((limit - start) / delta)
	if delta == 0 || n != n || n > DefaultMaxBytes {
		return 0, fmt.Errorf("a range from %g to %g in steps of %g", start, limit, delta)
	}
	return int(max(n, 0)), nil
}

// intSteps is steps without rounding.
func intSteps(start, limit, delta int64) (int, error) {
	if delta == 0 || delta == math.MinInt64 {
		return 0, fmt.Errorf("a range in steps of %d", delta)
	}
	span, step := uint64(limit)-uint64(start), uint64(delta)
	if delta < 0 {
		span, step = uint64(start)-uint64(limit), uint64(-delta)
	}
	if (limit > start) != (delta > 0) || span == 0 {
		return 0, nil
	}
	n := (span-1)/step + 1
	if n > DefaultMaxBytes {
		return 0, fmt.Errorf("a range from %d to %d in steps of %d", start, limit, delta)
	}
	return int(n), nil
}

func countUp[T interface {
	int16 | int32 | int64 | float32 | float64
}](c *Eval) (*tensor.Tensor, error) {
	start, limit, delta := tensor.Data[T](c.Need(0))[0], tensor.Data[T](c.Need(1))[0], tensor.Data[T](c.Need(2))[0]
	var n int
	var err error
	if c.Need(0).Type.IsInt() {
		n, err = intSteps(int64(start), int64(limit), int64(delta))
	} else {
		n, err = steps(float64(start), float64(limit), float64(delta))
	}
	if err != nil {
		return nil, err
	}
	out := c.New(c.Need(0).Type, n)
	y := tensor.Data[T](out)
	for i := range y {
		y[i] = start + T(T(i)*delta)
	}
	return out, nil
}

// countHalf computes in "stash_type" and rounds once at the end.
func countHalf(c *Eval) (*tensor.Tensor, error) {
	n, err := steps(c.Float(0), c.Float(1), c.Float(2))
	if err != nil {
		return nil, err
	}
	stash, err := dtypeAttr(c.Node, "stash_type", tensor.Float32)
	if err != nil {
		return nil, err
	}
	start, delta := c.Float(0), c.Float(2)
	values := tensor.Data[float64](c.New(tensor.Float64, n))
	for i := range values {
		values[i] = start + float64(float64(i)*delta)
		if stash == tensor.Float32 {
			values[i] = float64(float32(start) + float32(float32(i)*float32(delta)))
		}
	}
	return tensor.FromFloat64s(c.Need(0).Type, []int{n}, values)
}

func inferRange(c *Shape) error {
	t := c.In[0].DType
	c.Set(0, ir.TensorType(t, ir.Unknown))
	if start, limit, delta := c.Const(0), c.Const(1), c.Const(2); start != nil && limit != nil && delta != nil && t.IsFloat() {
		if start.Len() == 1 && limit.Len() == 1 && delta.Len() == 1 {
			n, err := steps(tensor.Float64s(start)[0], tensor.Float64s(limit)[0], tensor.Float64s(delta)[0])
			if err != nil {
				return err
			}
			c.Set(0, ir.TensorType(t, ir.Known(n)))
		}
	}
	var e [3]ir.Dim
	for i := range e {
		elems, ok := c.Data(i)
		if !ok || len(elems) != 1 {
			return nil
		}
		e[i] = elems[0]
	}
	if isNumber(e[0]) && e[0].N == 0 && isNumber(e[2]) && e[2].N == 1 && !isNumber(e[1]) {
		c.Set(0, ir.TensorType(t, dimOf(e[1])))
		return nil
	}
	list, ok := numbers(e[:])
	if !ok {
		return nil
	}
	n, err := intSteps(int64(list[0]), int64(list[1]), int64(list[2]))
	if err != nil {
		return err
	}
	c.Set(0, ir.TensorType(t, ir.Known(n)))
	if n <= maxData {
		data := make([]int, n)
		for i := range data {
			data[i] = list[0] + i*list[2]
		}
		c.SetData(0, knownElems(data))
	}
	return nil
}
