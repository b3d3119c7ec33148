package op

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// upsampleDef enlarges an image. https://onnx.ai/onnx/operators/onnx__Upsample.html
var upsampleDef = Def{
	Name: "Upsample", Versions: []int{1, 7, 9, 10}, In: Arity{1, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		if !x.Ranked {
			c.Set(0, x)
			return nil
		}
		scales, err := upsampleScales(c.Node, c.Version, c.Const(1), len(x.Shape))
		if err != nil {
			return err
		}
		shape := unknownDims(len(x.Shape))
		for i := range scales {
			switch {
			case scales[i] == 1:
				shape[i] = x.Shape[i]
			case x.Shape[i].IsKnown():
				shape[i] = ir.Known(scaled(x.Shape[i].N, scales[i]))
			}
		}
		c.Set(0, ir.TensorType(x.DType, shape...))
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		var operand *tensor.Tensor
		if c.Version >= 9 {
			operand = c.Need(1)
		}
		scales, err := upsampleScales(c.Node, c.Version, operand, x.Rank())
		if err != nil {
			return err
		}
		switch mode := c.Node.Str("mode", "nearest"); mode {
		case "nearest":
			out, err := upsampleNearest(c, x, scales)
			c.Set(0, out)
			return err
		case "linear", "bilinear":
			out, err := upsampleLinear(c, x, scales)
			c.Set(0, out)
			return err
		default:
			return fmt.Errorf("unknown mode %q", mode)
		}
	},
	Raise: map[int]func(c *Raising) error{
		7: func(c *Raising) error {
			n := c.Node
			h, w := n.Float("height_scale", 1), n.Float("width_scale", 1)
			attrs := ir.WithoutAttr(ir.WithoutAttr(n.Attrs, "height_scale"), "width_scale")
			if n.Str("mode", "nearest") == "bilinear" {
				attrs = ir.WithAttr(attrs, "mode", "linear")
			}
			c.Patch.SetAttrs(n, ir.WithAttr(attrs, "scales", []float32{1, 1, h, w}))
			return nil
		},
		9: func(c *Raising) error {
			scales := c.Node.Floats("scales")
			c.ConstInput(1, "scales", tensor.Of([]int{len(scales)}, slices.Clone(scales)))
			c.DropAttrs("scales")
			return nil
		},
		10: func(c *Raising) error {
			c.Patch.SetOp(c.Node, "Resize")
			return nil
		},
	},
}

// upsampleScales is the factor of every axis; nil when the operand that holds
// them is not known.
func upsampleScales(n *ir.Node, version int, operand *tensor.Tensor, rank int) ([]float32, error) {
	var scales []float32
	switch {
	case version < 7:
		scales = []float32{1, 1, n.Float("height_scale", 1), n.Float("width_scale", 1)}
	case version < 9:
		scales = n.Floats("scales")
	case operand == nil:
		return nil, nil
	case operand.Type != tensor.Float32:
		return nil, fmt.Errorf("scales of type %v", operand.Type)
	default:
		scales = tensor.Data[float32](operand)
	}
	if len(scales) != rank {
		return nil, fmt.Errorf("%d scales for a tensor of rank %d", len(scales), rank)
	}
	for _, s := range scales {
		if !(s >= 1) || s > 1<<20 {
			return nil, fmt.Errorf("scales %v; they must be at least 1", scales)
		}
	}
	return scales, nil
}

func scaled(n int, scale float32) int { return int(math.Floor(float64(n) * float64(scale))) }

func upsampleNearest(c *Eval, x *tensor.Tensor, scales []float32) (*tensor.Tensor, error) {
	out := x
	for axis, s := range scales {
		if s == 1 {
			continue
		}
		n := x.Shape[axis]
		at, err := positions(scaled(n, s))
		if err != nil {
			return nil, err
		}
		for i := range at {
			at[i] = min(int(float64(i)/float64(s)), n-1)
		}
		out = mover(c.New).taken(out, axis, at)
	}
	return out, nil
}

// upsampleLinear interpolates axis by axis; positions beyond the last element
// take its value.
func upsampleLinear(c *Eval, x *tensor.Tensor, scales []float32) (*tensor.Tensor, error) {
	if !x.Type.IsFloat() && !x.Type.IsInt() {
		return nil, unsupported(x.Type)
	}
	values, shape := tensor.Float64s(x), slices.Clone(x.Shape)
	if x.Len() == 0 {
		for i, s := range scales {
			shape[i] = scaled(shape[i], s)
		}
		return c.New(x.Type, shape...), nil
	}
	for axis, s := range scales {
		if s == 1 {
			continue
		}
		outer, n, inner := split3(shape, axis)
		m := scaled(n, s)
		shape[axis] = m
		next := tensor.Data[float64](c.New(tensor.Float64, shape...))
		for o := range outer {
			for i := range m {
				at := float64(i) / float64(s)
				lo := min(int(at), n-1)
				hi, w := min(lo+1, n-1), at-math.Floor(at)
				for j := range inner {
					a, b := values[(o*n+lo)*inner+j], values[(o*n+hi)*inner+j]
					next[(o*m+i)*inner+j] = float64(a*(1-w)) + float64(b*w)
				}
			}
		}
		values = next
	}
	return tensor.FromFloat64s(x.Type, shape, values)
}
