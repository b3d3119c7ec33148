package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// clipDef limits elements to [min, max]; where min is above max the result is
// max. Operator sets before 11 give the limits as attributes.
// https://onnx.ai/onnx/operators/onnx__Clip.html
var clipDef = Def{
	Name: "Clip", Versions: []int{1, 6, 11, 12, 13}, In: Arity{1, 3}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		lo, hi := c.Tensor(1), c.Tensor(2)
		if c.Version < 11 {
			var err error
			if lo, err = clipAttr(c.Node, "min", x.Type); err != nil {
				return err
			}
			if hi, err = clipAttr(c.Node, "max", x.Type); err != nil {
				return err
			}
		}
		out := x
		for _, limit := range []struct {
			t *tensor.Tensor
			k arith
		}{{lo, opMax}, {hi, opMin}} {
			if limit.t == nil {
				continue
			}
			if limit.t.Len() != 1 || limit.t.Type != x.Type {
				return fmt.Errorf("limit %v does not fit elements of type %v", limit.t, x.Type)
			}
			var err error
			if out, err = combine(c, limit.k, out, limit.t.Reshape(), x.Shape); err != nil {
				return err
			}
		}
		c.Set(0, out)
		return nil
	},
	Raise: map[int]func(*Raising) error{6: dropConsumed, 11: raiseClip},
}

// clipAttr is a limit given as attribute, nil when it excludes nothing.
func clipAttr(n *ir.Node, name string, t tensor.DType) (*tensor.Tensor, error) {
	x, ok := n.Attr(name).(float32)
	if !ok || math.Abs(float64(x)) >= math.MaxFloat32 {
		return nil, nil
	}
	return tensor.FromFloat32s(t, nil, []float32{x})
}

func raiseClip(r *Raising) error {
	for i, name := range []string{"min", "max"} {
		if !r.Node.Has(name) {
			continue
		}
		t := r.Node.In[0].Type.DType
		if t == tensor.Undefined {
			return fmt.Errorf("the element type of %q is not known; infer types first", r.Node.In[0].Name)
		}
		limit, err := clipAttr(r.Node, name, t)
		if err != nil {
			return err
		}
		if limit != nil {
			r.ConstInput(i+1, name, limit)
		}
	}
	r.DropAttrs("min", "max")
	return nil
}

// preluDef is x where positive and slope·x elsewhere; the slope is broadcast to
// x. https://onnx.ai/onnx/operators/onnx__PRelu.html
var preluDef = Def{
	Name: "PRelu", Versions: []int{1, 6, 7, 9, 16}, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		x, slope := c.Need(0), c.Need(1)
		slope = slope.Reshape(preluSlope(c.Version, x.Shape, slope.Shape)...)
		if !x.Type.IsFloat() && !x.Type.IsInt() || x.Type != slope.Type {
			return fmt.Errorf("operands are %v and %v", x, slope)
		}
		scaled, err := combine(c, opMul, x, slope, x.Shape)
		if err != nil {
			return err
		}
		out := c.New(x.Type, x.Shape...)
		y, a, b, size := out.Bytes(), x.Bytes(), scaled.Bytes(), x.Type.Bits()/8
		for i, v := range tensor.Float64s(x) {
			from := a
			if v < 0 {
				from = b
			}
			copy(y[i*size:(i+1)*size], from[i*size:])
		}
		c.Set(0, out)
		return nil
	},
	Raise: map[int]func(*Raising) error{6: dropConsumed, 7: raisePRelu},
}

// preluSlope is the shape under which the slope is broadcast: before version 7
// a vector is one slope per channel.
func preluSlope(version int, x, slope []int) []int {
	if version >= 7 || len(slope) != 1 || len(x) < 2 {
		return slope
	}
	out := append([]int(nil), slope...)
	for len(out) < len(x)-1 {
		out = append(out, 1)
	}
	return out
}

func raisePRelu(r *Raising) error {
	slope := r.Node.In[1]
	if slope.Const != nil && slope.Const.Len() == 1 {
		return nil
	}
	rank, err := r.Rank(0)
	if err != nil {
		return err
	}
	rs, err := r.Rank(1)
	if err != nil {
		return err
	}
	if rs != 1 || rank <= 2 {
		return nil
	}
	axes := make([]int, rank-2)
	for i := range axes {
		axes[i] = 1 + i
	}
	r.Patch.SetInput(r.Node, 1, r.Patch.Node(r.base()+"_slope", "Unsqueeze", r.Node.In[1:2], ir.IntsAttr("axes", axes...)))
	return nil
}

// powDef is the power; the result has the type of the base, the exponent may
// have another. https://onnx.ai/onnx/operators/onnx__Pow.html
var powDef = Def{
	Name: "Pow", Versions: []int{1, 7, 12, 13, 15}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: binaryInfer(tensor.Undefined, false),
	Eval: func(c *Eval) error {
		a, b, shape, err := operands2(c, false)
		if err != nil {
			return err
		}
		if !a.Type.IsFloat() && !a.Type.IsInt() || !b.Type.IsFloat() && !b.Type.IsInt() {
			return fmt.Errorf("the operator is not defined for %v and %v", a, b)
		}
		if a.Type.IsInt() && b.Type.IsInt() {
			return powInts(c, a, b, shape)
		}
		y := make([]float64, tensor.Len(shape))
		zip(shape, y, tensor.Float64s(a), a.Shape, tensor.Float64s(b), b.Shape, math.Pow)
		out, err := tensor.FromFloat64s(a.Type, shape, y)
		c.Set(0, out)
		return err
	},
	Raise: map[int]func(*Raising) error{7: raiseBroadcast},
}

// powInts wraps around like multiplication does.
func powInts(c *Eval, a, b *tensor.Tensor, shape []int) error {
	base, err := tensor.Convert(a, tensor.Int64, tensor.Options{})
	if err != nil {
		return err
	}
	exp, err := tensor.Convert(b, tensor.Int64, tensor.Options{})
	if err != nil {
		return err
	}
	wide := tensor.New(tensor.Int64, shape...)
	zip(shape, tensor.Data[int64](wide), tensor.Data[int64](base), a.Shape, tensor.Data[int64](exp), b.Shape, powInt)
	out, err := tensor.Convert(wide, a.Type, tensor.Options{})
	c.Set(0, out)
	return err
}

func powInt(x, n int64) int64 {
	if n < 0 { // 1/x^-n, truncated
		switch x {
		case 1:
			return 1
		case -1:
			return 1 - 2*(n&1)
		}
		return 0
	}
	y := int64(1)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			y *= x
		}
		x *= x
	}
	return y
}
