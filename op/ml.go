package op

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// mlDomain is the operator set of classical machine learning.
const mlDomain = "ai.onnx.ml"

// arrayFeatureExtractorDef picks columns.
// https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html
var arrayFeatureExtractorDef = Def{
	Name: "ArrayFeatureExtractor", Domain: mlDomain, Versions: []int{1}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		if !x.Ranked || len(x.Shape) == 0 {
			c.Set(0, ir.UnrankedType(x.DType))
			return nil
		}
		shape := slices.Clone(x.Shape)
		if len(shape) == 1 {
			shape = []ir.Dim{ir.Known(1), ir.Unknown}
		}
		shape[len(shape)-1], _ = count(c.In[1])
		c.Set(0, ir.TensorType(x.DType, shape...))
		return nil
	},
	Eval: func(c *Eval) error {
		x, at := c.Need(0), c.Ints(1)
		if x.Rank() == 0 || slices.Min(append(at, 0)) < 0 {
			return fmt.Errorf("columns %v of %v", at, x)
		}
		if x.Rank() == 1 {
			x = x.Reshape(1, x.Len())
		}
		out, err := gather(c.New, x, at, []int{len(at)}, -1)
		c.Set(0, out)
		return err
	},
}

// binarizerDef is 1 above a threshold and 0 up to it.
// https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html
var binarizerDef = Def{
	Name: "Binarizer", Domain: mlDomain, Versions: []int{1}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: inferSame,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if !isNumeric(x.Type) {
			return unsupported(x.Type)
		}
		threshold := float64(c.Node.Float("threshold", 0))
		values := make([]float64, x.Len())
		for i, v := range tensor.Float64s(x) {
			if v > threshold {
				values[i] = 1
			}
		}
		out, err := tensor.FromFloat64s(x.Type, x.Shape, values)
		c.Set(0, out)
		return err
	},
}

// labelEncoderDef maps keys to values.
// https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html
var labelEncoderDef = Def{
	Name: "LabelEncoder", Domain: mlDomain, Versions: []int{1, 2, 4}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		_, values, _, err := labels(c.Node, c.Version, c.In[0].DType)
		if err != nil {
			return err
		}
		out := c.In[0]
		out.DType = values.Type
		c.Set(0, out)
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		keys, values, def, err := labels(c.Node, c.Version, x.Type)
		if err != nil {
			return err
		}
		if keys.Type != x.Type || keys.Len() != values.Len() || def.Len() != 1 || def.Type != values.Type {
			return fmt.Errorf("keys %v, values %v and default %v for %v", keys, values, def, x)
		}
		at := map[any]int{}
		for i := range keys.Len() {
			at[labelKey(keys, i)] = i // the last of equal keys counts
		}
		out := c.New(values.Type, x.Shape...)
		for i := range x.Len() {
			if k, ok := at[labelKey(x, i)]; ok {
				copyElems(out, i, values, k, 1)
			} else {
				copyElems(out, i, def, 0, 1)
			}
		}
		c.Set(0, out)
		return nil
	},
}

// labelKey is an element as a key of a map; every not-a-number is the same one,
// and so are the two zeros.
func labelKey(t *tensor.Tensor, i int) any {
	switch t.Type {
	case tensor.String:
		return t.Strings()[i]
	case tensor.Int64:
		return tensor.Data[int64](t)[i]
	case tensor.Float32:
		return floatKey(float64(tensor.Data[float32](t)[i]))
	case tensor.Float64:
		return floatKey(tensor.Data[float64](t)[i])
	case tensor.Int32:
		return int64(tensor.Data[int32](t)[i])
	case tensor.Int16:
		return int64(tensor.Data[int16](t)[i])
	}
	panic(refusal{unsupported(t.Type)})
}

func floatKey(x float64) any {
	if x != x {
		return "not a number"
	}
	return x
}

// labels reads keys, values and default, whichever attributes hold them.
func labels(n *ir.Node, version int, in tensor.DType) (keys, values, def *tensor.Tensor, err error) {
	if version < 2 {
		return labels1(n, in)
	}
	keys, values = listAttr(n, "keys_"), listAttr(n, "values_")
	if keys == nil || values == nil {
		return nil, nil, nil, errors.New("keys or values are missing")
	}
	if def = n.Tensor("default_tensor"); def != nil && n.Has("values_tensor") {
		return keys, values, def, nil
	}
	switch {
	case values.Type == tensor.String:
		def = tensor.OfStrings(nil, []string{n.Str("default_string", "_Unused")})
	case values.Type == tensor.Int64:
		def = tensor.Scalar(int64(n.Int("default_int64", -1)))
	case values.Type == tensor.Float32:
		def = tensor.Scalar(n.Float("default_float", negativeZero))
	case values.Type.IsInt():
		def, err = tensor.FromFloat64s(values.Type, nil, []float64{-1})
	default:
		def, err = tensor.FromFloat64s(values.Type, nil, []float64{float64(negativeZero)})
	}
	return keys, values, def, err
}

// negativeZero is the default value for float labels.
var negativeZero = float32(math.Copysign(0, -1))

// labels1 is version 1: a list of class names, to or from which numbers map.
func labels1(n *ir.Node, in tensor.DType) (keys, values, def *tensor.Tensor, err error) {
	names := n.Strs("classes_strings")
	text := tensor.OfStrings([]int{len(names)}, names)
	index := tensor.New(tensor.Int64, len(names))
	for i := range names {
		tensor.Data[int64](index)[i] = int64(i)
	}
	if in == tensor.String {
		return text, index, tensor.Scalar(int64(n.Int("default_int64", -1))), nil
	}
	return index, text, tensor.OfStrings(nil, []string{n.Str("default_string", "_Unused")}), nil
}

// listAttr is the attribute prefix + strings, int64s, floats or tensor, flat.
func listAttr(n *ir.Node, prefix string) *tensor.Tensor {
	switch {
	case n.Has(prefix + "strings"):
		list := n.Strs(prefix + "strings")
		return tensor.OfStrings([]int{len(list)}, list)
	case n.Has(prefix + "int64s"):
		return int64s(n.Ints(prefix + "int64s"))
	case n.Has(prefix + "floats"):
		list := n.Floats(prefix + "floats")
		return tensor.Of([]int{len(list)}, list)
	}
	if t := n.Tensor(prefix + "tensor"); t != nil {
		return t.Reshape(t.Len())
	}
	return nil
}
