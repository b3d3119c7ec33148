package op

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// loopDef repeats a sub-graph. https://onnx.ai/onnx/operators/onnx__Loop.html
var loopDef = Def{
	Name: "Loop", Versions: []int{1, 11, 13, 16, 19, 21, 23, 24, 25}, In: Arity{0, Variadic}, Out: Arity{1, Variadic},
	Infer: inferLoop,
	Eval:  evalLoop,
}

func evalLoop(c *Eval) error {
	carried := slices.Clone(c.In[min(2, len(c.In)):])
	n := len(carried)
	body, err := bodyOf(c.Node, n+2, n+1)
	if err != nil {
		return err
	}
	trips := math.MaxInt
	if c.Has(0) {
		trips = c.Int(0)
	}
	hasCond := c.Has(1)
	if !hasCond && !c.Has(0) {
		return errors.New("the loop has neither a trip count nor a condition and would never end")
	}
	scans := make([]stack, len(body.Outputs)-1-n)
	for i := 0; i < trips && (!hasCond || c.Bool(1)); i++ {
		if err := c.Ctx.Err(); err != nil {
			return err
		}
		if i >= maxIterations {
			return fmt.Errorf("the loop did not end after %d iterations", maxIterations)
		}
		cond := Val(tensor.Scalar(true))
		if hasCond {
			cond = c.In[1]
		}
		out, err := c.Run(body, append([]Val{tensor.Scalar(int64(i)), cond}, carried...))
		if err != nil {
			return fmt.Errorf("iteration %d: %w", i, err)
		}
		if hasCond {
			c.In = slices.Clone(c.In)
			c.In[1] = out[0]
		}
		carried = out[1 : 1+n]
		for k := range scans {
			if err := scans[k].push(out[1+n+k]); err != nil {
				return err
			}
		}
	}
	for i, x := range carried {
		c.Set(i, x)
	}
	for k := range scans {
		t, err := scans[k].joined(c, 0, body.Outputs[1+n+k].Type)
		if err != nil {
			return err
		}
		c.Set(n+k, t)
	}
	return nil
}

// inferLoop leaves the shapes of carried values open inside the body: they may
// change from one iteration to the next.
func inferLoop(c *Shape) error {
	carried := c.In[min(2, len(c.In)):]
	n := len(carried)
	body, err := bodyOf(c.Node, n+2, n+1)
	if err != nil {
		return err
	}
	in := []ir.Type{ir.TensorType(tensor.Int64), ir.UnrankedType(tensor.Bool)}
	// Exporters also declare the iteration number and the condition as vectors
	// of length 1.
	if body.Inputs[0].Type.Rank() == 1 {
		in[0] = ir.UnrankedType(tensor.Int64)
	}
	for _, t := range carried {
		in = append(in, unshaped(t))
	}
	out, err := c.Sub(body, in)
	if err != nil {
		return err
	}
	for i := range c.Out {
		if 1+i >= len(out) {
			return fmt.Errorf("%d results of a body with %d outputs", len(c.Out), len(out))
		}
		t := out[1+i]
		switch {
		case i < n:
			c.Set(i, common(carried[i], t))
		case t.Ranked:
			trips := ir.Unknown
			if elems, ok := c.Data(0); ok && len(elems) == 1 && !c.Has(1) {
				trips = dimOf(elems[0])
			}
			c.Set(i, ir.TensorType(t.DType, append([]ir.Dim{trips}, t.Shape...)...))
		case t.Kind == ir.KindTensor:
			c.Set(i, ir.UnrankedType(t.DType))
		}
	}
	return nil
}
