package op

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"pare/ir"
	"pare/tensor"
)

// castDef converts element types. https://onnx.ai/onnx/operators/onnx__Cast.html
var castDef = Def{
	Name: "Cast", Versions: []int{1, 6, 9, 13, 19, 21, 23, 24, 25, 28}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		to, err := castTarget(c.Node, c.Version)
		if err != nil {
			return err
		}
		castTypes(c, to)
		return nil
	},
	Eval: func(c *Eval) error {
		to, err := castTarget(c.Node, c.Version)
		if err != nil {
			return err
		}
		return castEval(c, to)
	},
	Raise: map[int]func(*Raising) error{6: func(r *Raising) error {
		to, err := castTarget(r.Node, 1)
		r.Patch.SetAttrs(r.Node, ir.WithAttr(r.Node.Attrs, "to", int64(to)))
		return err
	}},
}

// castTarget reads the attribute to, a type's name before version 6.
func castTarget(n *ir.Node, version int) (tensor.DType, error) {
	if version < 6 {
		if t, ok := dtypeNames[strings.ToUpper(n.Str("to", ""))]; ok {
			return t, nil
		}
		return 0, fmt.Errorf("unknown element type %q", n.Str("to", ""))
	}
	to := tensor.DType(n.Int("to", 0))
	if !to.Valid() || n.Int("to", 0) > 255 {
		return 0, fmt.Errorf("attribute to is %d, which is no element type", n.Int("to", 0))
	}
	return to, nil
}

// dtypeNames are the names of element types that version 1 writes.
var dtypeNames = map[string]tensor.DType{
	"FLOAT": tensor.Float32, "UINT8": tensor.Uint8, "INT8": tensor.Int8, "UINT16": tensor.Uint16, "INT16": tensor.Int16,
	"INT32": tensor.Int32, "INT64": tensor.Int64, "STRING": tensor.String, "BOOL": tensor.Bool, "FLOAT16": tensor.Float16,
	"DOUBLE": tensor.Float64, "UINT32": tensor.Uint32, "UINT64": tensor.Uint64,
}

// castTypes sets the result's type and hands the elements of shapes on.
func castTypes(c *Shape, to tensor.DType) {
	t := c.In[0]
	if t.Kind != ir.KindTensor {
		t = ir.UnrankedType(to)
	}
	t.DType = to
	c.Set(0, t)
	elems, ok := c.Data(0)
	if !ok {
		return
	}
	switch {
	case to == tensor.Int64 || to == tensor.Int32:
		c.SetData(0, elems)
	case to == tensor.Bool && c.In[0].DType == tensor.Bool:
		c.SetData(0, elems)
	}
}

// castLikeDef is Cast to the second operand's type.
// https://onnx.ai/onnx/operators/onnx__CastLike.html
var castLikeDef = Def{
	Name: "CastLike", Versions: []int{15, 19, 21, 23, 24, 25}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		castTypes(c, c.In[1].DType)
		return nil
	},
	Eval: func(c *Eval) error { return castEval(c, c.Need(1).Type) },
}

func castEval(c *Eval, to tensor.DType) error {
	r, err := tensor.ParseRounding(c.Node.Str("round_mode", "up"))
	if err != nil {
		return err
	}
	out, err := castTensor(c, c.Need(0), to, tensor.Options{NoSaturate: c.Node.Int("saturate", 1) == 0, Scale: r})
	c.Set(0, out)
	return err
}

// castTensor is tensor.Convert with strings.
func castTensor(c *Eval, x *tensor.Tensor, to tensor.DType, o tensor.Options) (*tensor.Tensor, error) {
	switch {
	case x.Type == to:
		return x, nil
	case to == tensor.String:
		out := c.New(to, x.Shape...)
		return out, formatInto(out.Strings(), x)
	case x.Type == tensor.String:
		return parseStrings(x, to, o)
	}
	c.fits(to, x.Shape)
	return tensor.Convert(x, to, o)
}

// formatInto writes numbers in plain notation, with as many digits as
// distinguish them in their own type.
func formatInto(out []string, x *tensor.Tensor) error {
	switch {
	case x.Type == tensor.Bool:
		for i, v := range tensor.Data[bool](x) {
			out[i] = map[bool]string{false: "False", true: "True"}[v]
		}
	case x.Type == tensor.Uint64:
		for i, v := range tensor.Data[uint64](x) {
			out[i] = strconv.FormatUint(v, 10)
		}
	case x.Type.IsInt():
		wide, err := tensor.Convert(x, tensor.Int64, tensor.Options{})
		if err != nil {
			return err
		}
		for i, v := range tensor.Data[int64](wide) {
			out[i] = strconv.FormatInt(v, 10)
		}
	case x.Type.IsFloat():
		bits := 32
		if x.Type == tensor.Float64 {
			bits = 64
		}
		for i, v := range tensor.Float64s(x) {
			out[i] = formatFloat(v, bits)
		}
	default:
		return unsupported(x.Type)
	}
	return nil
}

// formatFloat writes like NumPy: 1.0, 0.1, 1e-07, nan, inf.
func formatFloat(v float64, bits int) string {
	switch {
	case v != v:
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(v, 'e', -1, bits)
	}
	s := strconv.FormatFloat(v, 'f', -1, bits)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func parseStrings(x *tensor.Tensor, to tensor.DType, o tensor.Options) (*tensor.Tensor, error) {
	if to == tensor.Int64 || to == tensor.Uint64 { // beyond the exact range of float64
		wide := make([]int64, x.Len())
		for i, s := range x.Strings() {
			s = strings.TrimSpace(s)
			v, err := strconv.ParseInt(s, 10, 64)
			if u, uerr := strconv.ParseUint(s, 10, 64); err != nil && uerr == nil {
				v, err = int64(u), nil
			}
			if err != nil {
				f, ferr := parseFloat(s)
				if ferr != nil {
					return nil, ferr
				}
				v = int64(f)
			}
			wide[i] = v
		}
		return tensor.Convert(tensor.Of(x.Shape, wide), to, o)
	}
	values := make([]float64, x.Len())
	for i, s := range x.Strings() {
		v, err := parseFloat(strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return tensor.Convert(tensor.Of(x.Shape, values), to, o)
}

func parseFloat(s string) (float64, error) {
	switch strings.ToLower(s) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, fmt.Errorf("string %q is not a number", s)
	}
	return v, nil
}

// bitCastDef reads the same bits as another type of the same width.
// https://onnx.ai/onnx/operators/onnx__BitCast.html
var bitCastDef = Def{
	Name: "BitCast", Versions: []int{26}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		to, err := castTarget(c.Node, c.Version)
		t := c.In[0]
		if t.Kind != ir.KindTensor {
			t = ir.UnrankedType(to)
		}
		t.DType = to
		c.Set(0, t)
		return err
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		to, err := castTarget(c.Node, c.Version)
		if err != nil {
			return err
		}
		if to.Bits() != x.Type.Bits() || to.Bits() == 0 {
			return fmt.Errorf("%v elements cannot be read as %v: their widths differ", x.Type, to)
		}
		out, err := tensor.FromBytes(to, x.Shape, x.Bytes())
		c.Set(0, out)
		return err
	},
}
