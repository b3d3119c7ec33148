package op

import (
	"errors"
	"fmt"
	"slices"

	"pare/tensor"
)

// scatterDef is the old name of ScatterElements.
// https://onnx.ai/onnx/operators/onnx__Scatter.html
var scatterDef = Def{
	Name: "Scatter", Versions: []int{9, 11}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: inferSame, Eval: scatterElements,
	Raise: map[int]func(c *Raising) error{11: func(c *Raising) error {
		c.Patch.SetOp(c.Node, "ScatterElements")
		return nil
	}},
}

// scatterElementsDef writes single elements by index.
// https://onnx.ai/onnx/operators/onnx__ScatterElements.html
var scatterElementsDef = Def{
	Name: "ScatterElements", Versions: []int{11, 13, 16, 18}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: inferSame, Eval: scatterElements,
}

func scatterElements(c *Eval) error {
	x, index, updates := c.Need(0), c.Need(1), c.Need(2)
	if updates.Type != x.Type || !slices.Equal(updates.Shape, index.Shape) {
		return fmt.Errorf("data %v, indices %v, updates %v", x, index, updates)
	}
	var at []int
	err := eachElement(x.Shape, index, c.Node.Int("axis", 0), func(i, _ int) { at = append(at, i) })
	if err != nil {
		return err
	}
	out, err := scattered(c, x, at, 1, updates)
	c.Set(0, out)
	return err
}

// scatterNDDef writes slices by index tuples.
// https://onnx.ai/onnx/operators/onnx__ScatterND.html
var scatterNDDef = Def{
	Name: "ScatterND", Versions: []int{11, 13, 16, 18}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: inferSame,
	Eval: func(c *Eval) error {
		x, index, updates := c.Need(0), c.Need(1), c.Need(2)
		q := index.Rank()
		if q == 0 || index.Shape[q-1] > x.Rank() || updates.Type != x.Type ||
			!slices.Equal(updates.Shape, slices.Concat(index.Shape[:q-1], x.Shape[index.Shape[q-1]:])) {
			return fmt.Errorf("data %v, indices %v, updates %v", x, index, updates)
		}
		var at []int
		if err := eachTuple(x.Shape, index, 0, func(i, _ int) { at = append(at, i) }); err != nil {
			return err
		}
		out, err := scattered(c, x, at, tensor.Len(x.Shape[index.Shape[q-1]:]), updates)
		c.Set(0, out)
		return err
	},
}

// scattered returns a copy of x into which block k of the updates is written, or
// combined by "reduction", at position at[k].
func scattered(c *Eval, x *tensor.Tensor, at []int, block int, updates *tensor.Tensor) (*tensor.Tensor, error) {
	how := c.Node.Str("reduction", "none")
	out := c.New(x.Type, x.Shape...)
	copyElems(out, 0, x, 0, x.Len())
	if how == "none" {
		for k, i := range at {
			copyElems(out, i, updates, k*block, block)
		}
		return out, nil
	}
	switch x.Type {
	case tensor.Float32:
		return out, combineAll[float32](out, at, block, updates, how)
	case tensor.Float64:
		return out, combineAll[float64](out, at, block, updates, how)
	case tensor.Int8:
		return out, combineAll[int8](out, at, block, updates, how)
	case tensor.Int16:
		return out, combineAll[int16](out, at, block, updates, how)
	case tensor.Int32:
		return out, combineAll[int32](out, at, block, updates, how)
	case tensor.Int64:
		return out, combineAll[int64](out, at, block, updates, how)
	case tensor.Uint8:
		return out, combineAll[uint8](out, at, block, updates, how)
	case tensor.Uint16:
		return out, combineAll[uint16](out, at, block, updates, how)
	case tensor.Uint32:
		return out, combineAll[uint32](out, at, block, updates, how)
	case tensor.Uint64:
		return out, combineAll[uint64](out, at, block, updates, how)
	case tensor.Bool:
		return out, combineBools(out, at, block, updates, how)
	case tensor.Float16, tensor.BFloat16:
		return combineHalves(out, at, block, updates, how)
	}
	return nil, unsupported(x.Type)
}

type realNumber interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

func combineAll[T interface {
	realNumber
	tensor.Elem
}](out *tensor.Tensor, at []int, block int, updates *tensor.Tensor, how string) error {
	return accumulate(tensor.Data[T](out), at, block, tensor.Data[T](updates), how, func(x T) T { return x })
}

// accumulate applies the reduction; round makes every intermediate result one of
// the tensor's element type.
func accumulate[T realNumber](y []T, at []int, block int, u []T, how string, round func(T) T) error {
	f, ok := map[string]func(a, b T) T{
		"add": func(a, b T) T { return a + b },
		"mul": func(a, b T) T { return a * b },
		"max": func(a, b T) T { return max(a, b) },
		"min": func(a, b T) T { return min(a, b) },
	}[how]
	if !ok {
		return fmt.Errorf("unknown reduction %q", how)
	}
	for k, i := range at {
		for j := range block {
			y[i+j] = round(f(y[i+j], u[k*block+j]))
		}
	}
	return nil
}

// combineBools reads add and max as or, mul and min as and.
func combineBools(out *tensor.Tensor, at []int, block int, updates *tensor.Tensor, how string) error {
	// A bool is stored as a byte of 0 or 1.
	switch how {
	case "add":
		how = "max"
	case "mul":
		how = "min"
	}
	return accumulate(out.Bytes(), at, block, updates.Bytes(), how, func(x byte) byte { return x })
}

func combineHalves(out *tensor.Tensor, at []int, block int, updates *tensor.Tensor, how string) (*tensor.Tensor, error) {
	round := func(x float32) float32 { return tensor.ToFloat16(x).Float32() }
	if out.Type == tensor.BFloat16 {
		round = func(x float32) float32 { return tensor.ToBFloat16(x).Float32() }
	}
	y := tensor.Float32s(out)
	if err := accumulate(y, at, block, tensor.Float32s(updates), how, round); err != nil {
		return nil, err
	}
	return tensor.FromFloat32s(out.Type, out.Shape, y)
}

// tensorScatterDef writes an update into a cache, per sample at its own place.
// https://onnx.ai/onnx/operators/onnx__TensorScatter.html
var tensorScatterDef = Def{
	Name: "TensorScatter", Versions: []int{24}, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: inferSame,
	Eval: func(c *Eval) error {
		cache, update := c.Need(0), c.Need(1)
		axis, err := normAxis(c.Node.Int("axis", -2), cache.Rank())
		if err != nil {
			return err
		}
		if axis == 0 {
			return errors.New("the sequence axis cannot be the batch axis")
		}
		if update.Type != cache.Type || update.Rank() != cache.Rank() {
			return fmt.Errorf("update %v for a cache %v", update, cache)
		}
		for i, n := range update.Shape {
			if i != axis && n != cache.Shape[i] || n > cache.Shape[i] {
				return fmt.Errorf("update %v for a cache %v", update, cache)
			}
		}
		at := make([]int, cache.Shape[0])
		if c.Has(2) {
			at = c.Ints(2)
		}
		if len(at) != cache.Shape[0] {
			return fmt.Errorf("%d write indices for a batch of %d", len(at), cache.Shape[0])
		}
		mode := c.Node.Str("mode", "linear")
		if mode != "linear" && mode != "circular" {
			return fmt.Errorf("unknown mode %q", mode)
		}
		out := c.New(cache.Type, cache.Shape...)
		copyElems(out, 0, cache, 0, cache.Len())
		if update.Len() == 0 {
			c.Set(0, cache)
			return nil
		}
		outer, n, inner := split3(update.Shape, axis)
		long := cache.Shape[axis]
		perSample := tensor.Len(cache.Shape[1:axis])
		for o := range outer {
			first := at[o/perSample]
			for k := range n {
				i := first + k
				if mode == "circular" {
					i = floorMod(i, long)
				}
				if i < 0 || i >= long {
					return fmt.Errorf("write index %d plus %d in a cache of length %d", first, k, long)
				}
				copyElems(out, (o*long+i)*inner, update, (o*n+k)*inner, inner)
			}
		}
		c.Set(0, out)
		return nil
	},
}
