package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// dropoutDef zeroes elements at random while training and passes them on
// otherwise. https://onnx.ai/onnx/operators/onnx__Dropout.html
var dropoutDef = Def{
	Name: "Dropout", Versions: []int{1, 6, 7, 10, 12, 13, 22}, In: Arity{1, 3}, Out: Arity{1, 2}, Random: true,
	Infer: func(c *Shape) error {
		c.Set(0, c.In[0])
		mask := c.In[0]
		if c.Version >= 10 {
			mask.DType = tensor.Bool
		}
		c.Set(1, mask)
		return nil
	},
	Eval: evalDropout,
	Raise: map[int]func(c *Raising) error{
		7:  raiseDropout7,
		10: raiseDropout10,
		12: func(c *Raising) error {
			// Inference drops nothing, whatever the ratio.
			c.DropAttrs("ratio")
			return nil
		},
	},
}

func evalDropout(c *Eval) error {
	x := c.Need(0)
	training, ratio := false, float64(c.Node.Float("ratio", 0.5))
	switch {
	case c.Version < 7:
		training = c.Node.Int("is_test", 0) == 0
	case c.Version >= 12:
		ratio = 0.5
		if c.Has(1) {
			ratio = c.Float(1)
		}
		training = c.Has(2) && c.Bool(2)
	}
	if !(ratio >= 0 && ratio < 1) {
		return fmt.Errorf("ratio %g is not in [0, 1)", ratio)
	}
	keep := make([]bool, x.Len())
	g := random(c.Node)
	for i := range keep {
		keep[i] = !training || ratio == 0 || g.uniform() >= ratio
	}
	out := x
	if training && ratio > 0 {
		values := tensor.Data[float64](c.New(tensor.Float64, x.Shape...))
		for i, v := range tensor.Float64s(x) {
			if keep[i] {
				values[i] = v * (1 / (1 - ratio))
			}
		}
		var err error
		if out, err = tensor.FromFloat64s(x.Type, x.Shape, values); err != nil {
			return err
		}
	}
	c.Set(0, out)
	mask := tensor.Of(x.Shape, keep)
	if c.Version < 10 {
		var err error
		if mask, err = tensor.Convert(mask, x.Type, tensor.Options{}); err != nil {
			return err
		}
	}
	c.Set(1, mask)
	return nil
}

// raiseDropout7 drops "is_test"; a node that drops elements has no later form.
func raiseDropout7(c *Raising) error {
	if c.Node.Int("is_test", 0) == 0 && c.Node.Float("ratio", 0.5) != 0 {
		return fmt.Errorf("it drops elements (is_test is 0), which no version from 7 to 11 can say")
	}
	c.DropAttrs("is_test")
	return nil
}

// raiseDropout10 lets readers of the mask, boolean from version 10 on, see
// numbers as before.
func raiseDropout10(c *Raising) error {
	n := c.Node
	if len(n.Out) < 2 || n.Out[1] == nil {
		return nil
	}
	mask := n.Out[1]
	t := mask.Type.DType
	if t == tensor.Undefined {
		t = n.In[0].Type.DType
	}
	if t == tensor.Undefined {
		return fmt.Errorf("the element type of the mask is not known")
	}
	number := c.Patch.Node(mask.Name+"_number", "Cast", []*ir.Value{mask}, ir.Attr{Name: "to", Value: int64(t)})
	// In this order: the new value takes over what is declared of the mask.
	c.Patch.Replace(mask, number)
	c.Patch.SetType(mask, ir.Type{Kind: ir.KindTensor, DType: tensor.Bool, Ranked: mask.Type.Ranked, Shape: mask.Type.Shape})
	return nil
}
