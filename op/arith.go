package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// arith is a binary operation within one element type.
type arith int

const (
	opAdd arith = iota
	opSub
	opMul
	opDiv
	opMin
	opMax
	opMod  // sign of the divisor
	opFmod // sign of the dividend
)

// intFn is the operation on integers: wrapping, division truncating.
func intFn[T integer](k arith) func(a, b T) T {
	switch k {
	case opMod:
		return func(a, b T) T {
			r := a % b
			if r != 0 && (r < 0) != (b < 0) {
				r += b
			}
			return r
		}
	case opFmod:
		return func(a, b T) T { return a % b }
	}
	return ringFn[T](k)
}

// floatFn is the operation on floats. Min and max hand NaN on.
func floatFn[T float32 | float64](k arith) func(a, b T) T {
	switch k {
	case opMod:
		return func(a, b T) T {
			r := math.Mod(float64(a), float64(b))
			if r == 0 {
				return T(math.Copysign(0, float64(b)))
			}
			if (r < 0) != (b < 0) {
				r += float64(b)
			}
			return T(r)
		}
	case opFmod:
		return func(a, b T) T { return T(math.Mod(float64(a), float64(b))) }
	}
	return ringFn[T](k)
}

func ringFn[T number](k arith) func(a, b T) T {
	switch k {
	case opAdd:
		return func(a, b T) T { return a + b }
	case opSub:
		return func(a, b T) T { return a - b }
	case opMul:
		return func(a, b T) T { return a * b }
	case opDiv:
		return func(a, b T) T { return a / b }
	case opMin:
		return func(a, b T) T { return min(a, b) }
	}
	return func(a, b T) T { return max(a, b) }
}

// combine applies k to two tensors of one type under broadcasting to shape.
// 16-bit floats are computed in float32 and rounded.
func combine(c *Eval, k arith, a, b *tensor.Tensor, shape []int) (*tensor.Tensor, error) {
	switch a.Type {
	case tensor.Float32:
		return combineT(c, floatFn[float32](k), a, b, shape), nil
	case tensor.Float64:
		return combineT(c, floatFn[float64](k), a, b, shape), nil
	case tensor.Int8:
		return combineT(c, intFn[int8](k), a, b, shape), nil
	case tensor.Int16:
		return combineT(c, intFn[int16](k), a, b, shape), nil
	case tensor.Int32:
		return combineT(c, intFn[int32](k), a, b, shape), nil
	case tensor.Int64:
		return combineT(c, intFn[int64](k), a, b, shape), nil
	case tensor.Uint8:
		return combineT(c, intFn[uint8](k), a, b, shape), nil
	case tensor.Uint16:
		return combineT(c, intFn[uint16](k), a, b, shape), nil
	case tensor.Uint32:
		return combineT(c, intFn[uint32](k), a, b, shape), nil
	case tensor.Uint64:
		return combineT(c, intFn[uint64](k), a, b, shape), nil
	case tensor.Float16, tensor.BFloat16:
		wide := make([]float32, tensor.Len(shape))
		zip(shape, wide, tensor.Float32s(a), a.Shape, tensor.Float32s(b), b.Shape, floatFn[float32](k))
		return tensor.FromFloat32s(a.Type, shape, wide)
	}
	return nil, unsupported(a.Type)
}

func combineT[T tensor.Elem](c *Eval, f func(a, b T) T, a, b *tensor.Tensor, shape []int) *tensor.Tensor {
	out := c.New(a.Type, shape...)
	zip(shape, tensor.Data[T](out), tensor.Data[T](a), a.Shape, tensor.Data[T](b), b.Shape, f)
	return out
}

// arithDef is the row of a binary operation within one type.
func arithDef(name string, versions []int, k arith, data func(a, b ir.Dim) ir.Dim) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{2, 2}, Out: Arity{1, 1},
		Infer: func(c *Shape) error {
			zipData(c, data)
			return binaryInfer(tensor.Undefined, true)(c)
		},
		Eval: func(c *Eval) error {
			a, b, shape, err := operands2(c, true)
			if err != nil {
				return err
			}
			out, err := combine(c, k, a, b, shape)
			c.Set(0, out)
			return err
		},
		Raise: map[int]func(*Raising) error{7: raiseBroadcast},
	}
}

var (
	addDef = arithDef("Add", []int{1, 6, 7, 13, 14}, opAdd, addDim)
	subDef = arithDef("Sub", []int{1, 6, 7, 13, 14}, opSub, subDim)
	mulDef = arithDef("Mul", []int{1, 6, 7, 13, 14}, opMul, mulDim)
	divDef = arithDef("Div", []int{1, 6, 7, 13, 14}, opDiv, divDim)
)

// modDef is the remainder. https://onnx.ai/onnx/operators/onnx__Mod.html
var modDef = Def{
	Name: "Mod", Versions: []int{10, 13, 28}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		fmod := c.Node.Int("fmod", 0) != 0
		zipData(c, numeric2(func(a, b int) (int, bool) {
			if b == 0 {
				return 0, false
			}
			if fmod {
				return a % b, true
			}
			return int(intFn[int64](opMod)(int64(a), int64(b))), true
		}))
		return binaryInfer(tensor.Undefined, true)(c)
	},
	Eval: func(c *Eval) error {
		a, b, shape, err := operands2(c, true)
		if err != nil {
			return err
		}
		k := opMod
		if c.Node.Int("fmod", 0) != 0 {
			k = opFmod
		}
		out, err := combine(c, k, a, b, shape)
		c.Set(0, out)
		return err
	},
}

// numeric2 lifts a function of numbers to elements of Data.
func numeric2(f func(a, b int) (int, bool)) func(a, b ir.Dim) ir.Dim {
	return func(a, b ir.Dim) ir.Dim {
		if isNumber(a) && isNumber(b) {
			if n, ok := f(a.N, b.N); ok {
				return ir.Dim{N: n}
			}
		}
		return UnknownElem()
	}
}

func num(n int) ir.Dim { return ir.Dim{N: n} }

func addDim(a, b ir.Dim) ir.Dim {
	switch {
	case a == num(0):
		return b
	case b == num(0):
		return a
	}
	return numeric2(func(a, b int) (int, bool) { return a + b, true })(a, b)
}

func subDim(a, b ir.Dim) ir.Dim {
	switch {
	case b == num(0):
		return a
	case a == b && a.Sym != unknownElem:
		return num(0)
	}
	return numeric2(func(a, b int) (int, bool) { return a - b, true })(a, b)
}

func mulDim(a, b ir.Dim) ir.Dim {
	switch {
	case a == num(1):
		return b
	case b == num(1):
		return a
	case a == num(0) || b == num(0):
		return num(0)
	}
	return numeric2(func(a, b int) (int, bool) { return a * b, true })(a, b)
}

func divDim(a, b ir.Dim) ir.Dim {
	if b == num(1) {
		return a
	}
	return numeric2(func(a, b int) (int, bool) {
		if b == 0 {
			return 0, false
		}
		return a / b, true
	})(a, b)
}

// raiseBroadcast turns the broadcast and axis attributes of old operator sets
// into the shape of the second operand.
func raiseBroadcast(r *Raising) error {
	n := r.Node
	if n.Int("broadcast", 0) != 0 && n.Has("axis") {
		ra, err := r.Rank(0)
		if err != nil {
			return err
		}
		rb, err := r.Rank(1)
		if err != nil {
			return err
		}
		axis, err := normAxis(n.Int("axis", 0), ra)
		if err != nil {
			return err
		}
		if extra := ra - axis - rb; extra > 0 {
			axes := make([]int, extra)
			for i := range axes {
				axes[i] = rb + i
			}
			r.Patch.SetInput(n, 1, r.Patch.Node(r.base()+"_aligned", "Unsqueeze", n.In[1:2], ir.IntsAttr("axes", axes...)))
		} else if extra < 0 {
			return fmt.Errorf("axis %d does not fit operands of rank %d and %d", axis, ra, rb)
		}
	}
	r.DropAttrs("broadcast", "axis", "consumed_inputs")
	return nil
}
