package op

import (
	"cmp"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// relation is a comparison.
type relation int

const (
	relEqual relation = iota
	relLess
	relLessOrEqual
	relGreater
	relGreaterOrEqual
)

func relFn[T cmp.Ordered](r relation) func(a, b T) bool {
	switch r {
	case relEqual:
		return func(a, b T) bool { return a == b }
	case relLess:
		return func(a, b T) bool { return a < b }
	case relLessOrEqual:
		return func(a, b T) bool { return a <= b }
	case relGreater:
		return func(a, b T) bool { return a > b }
	}
	return func(a, b T) bool { return a >= b }
}

// compareDef is the row of a comparison. Nothing compares with NaN.
func compareDef(name string, versions []int, r relation) Def {
	d := Def{
		Name: name, Versions: versions, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: binaryInfer(tensor.Bool, true),
		Eval: func(c *Eval) error {
			a, b, shape, err := operands2(c, true)
			if err != nil {
				return err
			}
			out := c.New(tensor.Bool, shape...)
			c.Set(0, out)
			return compareInto(r, tensor.Data[bool](out), a, b, shape)
		},
	}
	if r == relEqual {
		d.Infer = equalInfer
	}
	if versions[0] < 7 {
		d.Raise = map[int]func(*Raising) error{7: raiseBroadcast}
	}
	return d
}

// equalInfer also follows tests on elements of shapes, as 0 and 1: exporters
// replace -1 in shapes by Equal and Where.
func equalInfer(c *Shape) error {
	zipData(c, func(a, b ir.Dim) ir.Dim {
		switch {
		case isNumber(a) && isNumber(b) && a != b, a.Sym == "" && a.N < 0 && b.Sym != unknownElem, b.Sym == "" && b.N < 0 && a.Sym != unknownElem:
			return num(boolInt(a == b))
		case a == b && a.Sym != unknownElem:
			return num(1)
		}
		return UnknownElem()
	})
	return binaryInfer(tensor.Bool, true)(c)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareInto(r relation, out []bool, a, b *tensor.Tensor, shape []int) error {
	switch a.Type {
	case tensor.Float32:
		compareT[float32](r, out, a, b, shape)
	case tensor.Float64:
		compareT[float64](r, out, a, b, shape)
	case tensor.Int8:
		compareT[int8](r, out, a, b, shape)
	case tensor.Int16:
		compareT[int16](r, out, a, b, shape)
	case tensor.Int32:
		compareT[int32](r, out, a, b, shape)
	case tensor.Int64:
		compareT[int64](r, out, a, b, shape)
	case tensor.Uint8:
		compareT[uint8](r, out, a, b, shape)
	case tensor.Uint16:
		compareT[uint16](r, out, a, b, shape)
	case tensor.Uint32:
		compareT[uint32](r, out, a, b, shape)
	case tensor.Uint64:
		compareT[uint64](r, out, a, b, shape)
	case tensor.Float16, tensor.BFloat16:
		zip(shape, out, tensor.Float32s(a), a.Shape, tensor.Float32s(b), b.Shape, relFn[float32](r))
	case tensor.Bool:
		if r != relEqual {
			return unsupported(a.Type)
		}
		zip(shape, out, tensor.Data[bool](a), a.Shape, tensor.Data[bool](b), b.Shape, func(a, b bool) bool { return a == b })
	case tensor.String:
		if r != relEqual {
			return unsupported(a.Type)
		}
		zip(shape, out, a.Strings(), a.Shape, b.Strings(), b.Shape, relFn[string](r))
	default:
		return unsupported(a.Type)
	}
	return nil
}

func compareT[T interface {
	number
	tensor.Elem
}](r relation, out []bool, a, b *tensor.Tensor, shape []int) {
	zip(shape, out, tensor.Data[T](a), a.Shape, tensor.Data[T](b), b.Shape, relFn[T](r))
}

var (
	equalDef          = compareDef("Equal", []int{1, 7, 11, 13, 19}, relEqual)
	lessDef           = compareDef("Less", []int{1, 7, 9, 13}, relLess)
	lessOrEqualDef    = compareDef("LessOrEqual", []int{12, 16}, relLessOrEqual)
	greaterDef        = compareDef("Greater", []int{1, 7, 9, 13}, relGreater)
	greaterOrEqualDef = compareDef("GreaterOrEqual", []int{12, 16}, relGreaterOrEqual)
)

// logicDef is the row of a boolean operation.
func logicDef(name string, f func(a, b bool) bool) Def {
	return Def{
		Name: name, Versions: []int{1, 7}, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: binaryInfer(tensor.Bool, true),
		Eval: func(c *Eval) error {
			a, b, shape, err := operands2(c, true)
			if err != nil {
				return err
			}
			if a.Type != tensor.Bool {
				return unsupported(a.Type)
			}
			c.Set(0, combineT(c, f, a, b, shape))
			return nil
		},
		Raise: map[int]func(*Raising) error{7: raiseBroadcast},
	}
}

var (
	andDef = logicDef("And", func(a, b bool) bool { return a && b })
	orDef  = logicDef("Or", func(a, b bool) bool { return a || b })
	xorDef = logicDef("Xor", func(a, b bool) bool { return a != b })
)

// bitwiseDef is the row of a bitwise operation. It is the same for every width
// and signedness, so that it works on the unsigned type of the width.
func bitwiseDef(name string, f func(a, b uint64) uint64) Def {
	return Def{
		Name: name, Versions: []int{18}, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: binaryInfer(tensor.Undefined, true),
		Eval: func(c *Eval) error {
			a, b, shape, err := operands2(c, true)
			if err != nil {
				return err
			}
			out, err := combineBits(c, a, b, shape, func(bits int, a, b uint64) uint64 { return f(a, b) })
			c.Set(0, out)
			return err
		},
	}
}

var (
	bitwiseAndDef = bitwiseDef("BitwiseAnd", func(a, b uint64) uint64 { return a & b })
	bitwiseOrDef  = bitwiseDef("BitwiseOr", func(a, b uint64) uint64 { return a | b })
	bitwiseXorDef = bitwiseDef("BitwiseXor", func(a, b uint64) uint64 { return a ^ b })
)

// combineBits applies f to the bit patterns of integers of 8 to 64 bits.
func combineBits(c *Eval, a, b *tensor.Tensor, shape []int, f func(bits int, a, b uint64) uint64) (*tensor.Tensor, error) {
	if !a.Type.IsInt() || a.Type.Bits() < 8 {
		return nil, unsupported(a.Type)
	}
	out := c.New(a.Type, shape...)
	y, x1, x2, size := out.Bytes(), a.Bytes(), b.Bytes(), a.Type.Bits()/8
	word := func(p []byte, i int) (w uint64) {
		for k := size - 1; k >= 0; k-- {
			w = w<<8 | uint64(p[i*size+k])
		}
		return w
	}
	rows(shape, [][]int{a.Shape, b.Shape}, func(at, n int, index, step []int) {
		for i := range n {
			w := f(size*8, word(x1, index[0]+i*step[0]), word(x2, index[1]+i*step[1]))
			for k := range size {
				y[(at+i)*size+k] = byte(w >> (8 * k))
			}
		}
	})
	return out, nil
}

// bitShiftDef shifts integers, signed ones with their sign. Shifts by less than
// 0 or by the width or more leave nothing but the sign of a right shift.
// https://onnx.ai/onnx/operators/onnx__BitShift.html
var bitShiftDef = Def{
	Name: "BitShift", Versions: []int{11, 28}, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: binaryInfer(tensor.Undefined, true),
	Eval: func(c *Eval) error {
		a, b, shape, err := operands2(c, true)
		if err != nil {
			return err
		}
		if c.Version < 28 && !a.Type.IsUnsigned() {
			return unsupported(a.Type)
		}
		var f func(bits int, a, b uint64) uint64
		switch d := c.Node.Str("direction", ""); {
		case d == "LEFT": // a negative shift reads as a large one
			f = func(_ int, a, b uint64) uint64 { return a << b }
		case d == "RIGHT" && a.Type.IsUnsigned():
			f = func(_ int, a, b uint64) uint64 { return a >> b }
		case d == "RIGHT":
			f = func(bits int, a, b uint64) uint64 { return uint64(int64(a<<(64-bits)) >> (64 - bits) >> b) }
		default:
			return fmt.Errorf("direction is %q; it must be LEFT or RIGHT", d)
		}
		out, err := combineBits(c, a, b, shape, f)
		c.Set(0, out)
		return err
	},
}

// whereDef chooses elements by a condition; all three operands are broadcast.
// https://onnx.ai/onnx/operators/onnx__Where.html
var whereDef = Def{
	Name: "Where", Versions: []int{9, 16}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		dt := c.In[1].DType
		if dt == tensor.Undefined {
			dt = c.In[2].DType
		} else if u := c.In[2].DType; u != tensor.Undefined && u != dt {
			return fmt.Errorf("operands have different element types, %v and %v", c.In[1], c.In[2])
		}
		t, err := broadcastType(dt, c.In...)
		c.Set(0, t)
		whereData(c)
		return err
	},
	Eval: func(c *Eval) error {
		cond, a, b := c.Need(0), c.Need(1), c.Need(2)
		if cond.Type != tensor.Bool || a.Type != b.Type {
			return fmt.Errorf("operands are %v, %v and %v; they must be a condition and two of one type", cond, a, b)
		}
		shape, err := broadcast(cond.Shape, a.Shape, b.Shape)
		if err != nil {
			return err
		}
		// Both sides expanded, then the second laid over the first.
		fromA, fromB := make([]int, tensor.Len(shape)), make([]int, tensor.Len(shape))
		pick := tensor.Data[bool](cond)
		rows(shape, [][]int{cond.Shape, a.Shape, b.Shape}, func(at, n int, index, step []int) {
			for i := range n {
				fromA[at+i], fromB[at+i] = -1, -1
				if pick[index[0]+i*step[0]] {
					fromA[at+i] = index[1] + i*step[1]
				} else {
					fromB[at+i] = index[2] + i*step[2]
				}
			}
		})
		out, other := take(c, a, shape, fromA), take(c, b, shape, fromB)
		if a.Type == tensor.String {
			for i, s := range other.Strings() {
				out.Strings()[i] += s
			}
		}
		y := out.Bytes()
		for i, x := range other.Bytes() {
			y[i] |= x
		}
		c.Set(0, out)
		return nil
	},
}

// whereData follows elements of shapes chosen by a known condition.
func whereData(c *Shape) {
	cond, okC := c.Data(0)
	a, okA := c.Data(1)
	b, okB := c.Data(2)
	if !okA || !okB {
		return
	}
	n := max(len(a), len(b))
	if len(a) == 0 || len(b) == 0 || len(a) != n && len(a) != 1 || len(b) != n && len(b) != 1 {
		return
	}
	out := make([]ir.Dim, n)
	for i := range out {
		x, y := a[i%len(a)], b[i%len(b)]
		switch {
		case x == y:
			out[i] = x
		case !okC || len(cond) != 1 && len(cond) != n || !isNumber(cond[i%len(cond)]):
			out[i] = UnknownElem()
		case cond[i%len(cond)].N != 0:
			out[i] = x
		default:
			out[i] = y
		}
	}
	c.SetData(0, out)
}
