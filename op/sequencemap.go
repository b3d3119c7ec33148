package op

import (
	"fmt"
	"slices"

	"pare/ir"
)

// sequenceMapDef runs a sub-graph over the elements of sequences.
// https://onnx.ai/onnx/operators/onnx__SequenceMap.html
var sequenceMapDef = Def{
	Name: "SequenceMap", Versions: []int{17}, In: Arity{1, Variadic}, Out: Arity{1, Variadic},
	Infer: func(c *Shape) error {
		body, err := bodyOf(c.Node, len(c.In), len(c.Out))
		if err != nil {
			return err
		}
		in := slices.Clone(c.In)
		for i, t := range in {
			if t.Kind == ir.KindSequence {
				in[i] = c.elemOfSequence(i)
			}
		}
		out, err := c.Sub(body, in)
		if err != nil {
			return err
		}
		for i := range c.Out {
			c.Set(i, sequenceOf(out[i]))
		}
		return nil
	},
	Eval: func(c *Eval) error {
		body, err := bodyOf(c.Node, len(c.In), len(c.Out))
		if err != nil {
			return err
		}
		first := c.Sequence(0)
		out := make([]*Sequence, len(body.Outputs))
		for k := range out {
			out[k] = &Sequence{Type: body.Outputs[k].Type}
		}
		for i := range first.Elems {
			if err := c.Ctx.Err(); err != nil {
				return err
			}
			args := slices.Clone(c.In)
			for k, x := range args {
				s, ok := x.(*Sequence)
				if !ok {
					continue
				}
				if len(s.Elems) != len(first.Elems) {
					return fmt.Errorf("sequences of lengths %d and %d", len(first.Elems), len(s.Elems))
				}
				args[k] = s.Elems[i]
			}
			results, err := c.Run(body, args)
			if err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
			for k, x := range results {
				out[k].Elems = append(out[k].Elems, x)
			}
		}
		for k, s := range out {
			c.Set(k, s)
		}
		return nil
	},
}
