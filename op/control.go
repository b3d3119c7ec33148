package op

import (
	"errors"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// maxIterations bounds a loop whose condition never becomes false.
const maxIterations = 1 << 26

// common is what two alternatives of a value have in common: of a tensor the
// element type where it agrees, and the dimensions that are certainly equal.
func common(a, b ir.Type) ir.Type {
	if a.Kind != b.Kind {
		return ir.Type{}
	}
	out := ir.Type{Kind: a.Kind}
	if a.DType == b.DType {
		out.DType = a.DType
	}
	if a.Key == b.Key {
		out.Key = a.Key
	}
	if a.Elem != nil && b.Elem != nil {
		e := common(*a.Elem, *b.Elem)
		out.Elem = &e
	}
	if !a.Ranked || !b.Ranked || len(a.Shape) != len(b.Shape) {
		return out
	}
	out.Ranked = true
	out.Shape = unknownDims(len(a.Shape))
	for i, d := range a.Shape {
		if d.Same(b.Shape[i]) {
			out.Shape[i] = d
		}
	}
	return out
}

// unshaped is t without what may change from one iteration to the next.
func unshaped(t ir.Type) ir.Type {
	out := ir.Type{Kind: t.Kind, DType: t.DType, Key: t.Key}
	if t.Elem != nil {
		e := unshaped(*t.Elem)
		out.Elem = &e
	}
	return out
}

// ifDef runs one of two sub-graphs. https://onnx.ai/onnx/operators/onnx__If.html
var ifDef = Def{
	Name: "If", Versions: []int{1, 11, 13, 16, 19, 21, 23, 24, 25}, In: Arity{1, 1}, Out: Arity{1, Variadic},
	Infer: func(c *Shape) error {
		yes, no, err := branches(c.Node)
		if err != nil {
			return err
		}
		a, err := c.Sub(yes, nil)
		if err != nil {
			return err
		}
		b, err := c.Sub(no, nil)
		if err != nil {
			return err
		}
		if len(a) != len(b) || len(a) < len(c.Out) {
			return fmt.Errorf("branches with %d and %d outputs for %d results", len(a), len(b), len(c.Out))
		}
		if cond := c.Const(0); cond != nil && cond.Type == tensor.Bool && cond.Len() == 1 {
			if tensor.Data[bool](cond)[0] {
				b = a
			} else {
				a = b
			}
		}
		for i := range c.Out {
			c.Set(i, common(a[i], b[i]))
		}
		return nil
	},
	Eval: func(c *Eval) error {
		yes, no, err := branches(c.Node)
		if err != nil {
			return err
		}
		g := no
		if c.Bool(0) {
			g = yes
		}
		out, err := c.Run(g, nil)
		if err != nil {
			return err
		}
		for i, x := range out {
			c.Set(i, x)
		}
		return nil
	},
}

func branches(n *ir.Node) (yes, no *ir.Graph, err error) {
	yes, no = n.Graph("then_branch"), n.Graph("else_branch")
	if yes == nil || no == nil {
		return nil, nil, errors.New("a branch is missing")
	}
	return yes, no, nil
}

// bodyOf is the sub-graph "body", which must have as many inputs as given and at
// least as many outputs.
func bodyOf(n *ir.Node, inputs, outputs int) (*ir.Graph, error) {
	g := n.Graph("body")
	if g == nil {
		return nil, errors.New("the body is missing")
	}
	if len(g.Inputs) != inputs || len(g.Outputs) < outputs {
		return nil, fmt.Errorf("the body has %d inputs and %d outputs, expected %d and at least %d",
			len(g.Inputs), len(g.Outputs), inputs, outputs)
	}
	return g, nil
}

// stack collects the slices of a scan output.
type stack struct {
	parts []*tensor.Tensor
	bytes int64
}

// push adds the result of one iteration.
func (s *stack) push(x Val) error {
	t, ok := x.(*tensor.Tensor)
	if !ok || t == nil {
		return errors.New("a scan output is not a tensor")
	}
	if len(s.parts) > 0 {
		if first := s.parts[0]; t.Type != first.Type || fmt.Sprint(t.Shape) != fmt.Sprint(first.Shape) {
			return fmt.Errorf("a scan output changes from %v to %v", first, t)
		}
	}
	s.bytes += int64(t.Type.ByteLen(t.Len())) + 64
	if s.bytes > DefaultMaxBytes {
		return fmt.Errorf("%w: scan output of more than %d bytes", ErrTooLarge, DefaultMaxBytes)
	}
	s.parts = append(s.parts, t)
	return nil
}

// joined is the parts along a new axis; declared is the type of a part, which
// counts when there is none.
func (s *stack) joined(c *Eval, axis int, declared ir.Type) (*tensor.Tensor, error) {
	if len(s.parts) == 0 {
		if declared.Kind != ir.KindTensor || declared.DType == tensor.Undefined {
			return nil, errors.New("a scan output of no iterations has no declared type")
		}
		shape := make([]int, len(declared.Shape))
		for i, d := range declared.Shape {
			shape[i] = max(d.N, 0)
		}
		shape, err := unsqueezed(shape, []int{axis}, 0)
		if err != nil {
			return nil, err
		}
		return c.New(declared.DType, shape...), nil
	}
	shape, err := unsqueezed(s.parts[0].Shape, []int{axis}, 1)
	if err != nil {
		return nil, err
	}
	for i, p := range s.parts {
		s.parts[i] = p.Reshape(shape...)
	}
	return concat(c.New, s.parts, axis)
}
