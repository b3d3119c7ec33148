package op

import (
	"fmt"

	"pare/tensor"
)

// reverseSequenceDef reverses the beginning of every sequence of a batch.
// https://onnx.ai/onnx/operators/onnx__ReverseSequence.html
var reverseSequenceDef = Def{
	Name: "ReverseSequence", Versions: []int{10, 28}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: inferSame,
	Eval: func(c *Eval) error {
		x, lens := c.Need(0), c.Ints(1)
		b, t := c.Node.Int("batch_axis", 1), c.Node.Int("time_axis", 0)
		if b+t != 1 || b*t != 0 || x.Rank() < 2 {
			return fmt.Errorf("batch axis %d and time axis %d of %v; one must be 0, the other 1", b, t, x)
		}
		if len(lens) != x.Shape[b] {
			return fmt.Errorf("%d lengths for a batch of %d", len(lens), x.Shape[b])
		}
		block := tensor.Len(x.Shape[2:])
		step := []int{x.Shape[1] * block, block}
		if x.Len() == 0 {
			c.Set(0, x)
			return nil
		}
		out := c.New(x.Type, x.Shape...)
		for i, n := range lens {
			if n < 0 || n > x.Shape[t] {
				return fmt.Errorf("length %d of an axis of length %d", n, x.Shape[t])
			}
			for k := range x.Shape[t] {
				from := k
				if k < n {
					from = n - 1 - k
				}
				copyElems(out, i*step[b]+k*step[t], x, i*step[b]+from*step[t], block)
			}
		}
		c.Set(0, out)
		return nil
	},
}
