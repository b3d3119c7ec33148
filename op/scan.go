package op

import (
	"errors"
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// scanDef runs a sub-graph over the slices of tensors.
// https://onnx.ai/onnx/operators/onnx__Scan.html
var scanDef = Def{
	Name: "Scan", Versions: []int{8, 9, 11, 16, 19, 21, 23, 24, 25}, In: Arity{0, Variadic}, Out: Arity{1, Variadic},
	Infer: inferScan,
	Eval: func(c *Eval) error {
		if c.Version < 9 {
			return scanBatches(c)
		}
		s, err := readScan(c.Node, len(c.In))
		if err != nil {
			return err
		}
		out, err := s.run(c, c.In, -1)
		for i, x := range out {
			c.Set(i, x)
		}
		return err
	},
	Raise: map[int]func(c *Raising) error{9: func(*Raising) error {
		return errors.New("version 8 scans every sample of a batch on its own, which no later version does")
	}},
}

// scan is what a Scan node is told. The slices are lists over scan operands and
// scan results.
type scan struct {
	body               *ir.Graph
	states, outs       int
	inAxes, outAxes    []int
	inBack, outPrepend []int
}

func readScan(n *ir.Node, operands int) (*scan, error) {
	m := n.Int("num_scan_inputs", 0)
	if m < 1 || m > operands {
		return nil, fmt.Errorf("%d scan inputs among %d operands", m, operands)
	}
	body, err := bodyOf(n, operands, operands-m)
	if err != nil {
		return nil, err
	}
	s := &scan{body: body, states: operands - m, outs: len(body.Outputs) - (operands - m)}
	back := "scan_input_directions"
	if n.Has("directions") {
		back = "directions"
	}
	for _, list := range []struct {
		name string
		n    int
		to   *[]int
	}{
		{"scan_input_axes", m, &s.inAxes}, {back, m, &s.inBack},
		{"scan_output_axes", s.outs, &s.outAxes}, {"scan_output_directions", s.outs, &s.outPrepend},
	} {
		*list.to = n.Ints(list.name)
		if *list.to == nil {
			*list.to = make([]int, list.n)
		}
		if len(*list.to) != list.n {
			return nil, fmt.Errorf("%d %s, expected %d", len(*list.to), list.name, list.n)
		}
	}
	return s, nil
}

// run scans, over the whole common length when steps is negative.
func (s *scan) run(c *Eval, in []Val, steps int) ([]Val, error) {
	state := slices.Clone(in[:s.states])
	length := -1
	xs := make([]*tensor.Tensor, len(in)-s.states)
	for k := range xs {
		x, ok := in[s.states+k].(*tensor.Tensor)
		if !ok || x == nil {
			return nil, fmt.Errorf("scan input %d is not a tensor", k)
		}
		axis, err := normAxis(s.inAxes[k], x.Rank())
		if err != nil {
			return nil, err
		}
		if length >= 0 && x.Shape[axis] != length {
			return nil, fmt.Errorf("scan inputs of lengths %d and %d", length, x.Shape[axis])
		}
		xs[k], length = x, x.Shape[axis]
	}
	if steps < 0 {
		steps = length
	}
	if steps > length {
		return nil, fmt.Errorf("%d steps over scan inputs of length %d", steps, length)
	}
	stacks := make([]stack, s.outs)
	for t := range steps {
		if err := c.Ctx.Err(); err != nil {
			return nil, err
		}
		args := slices.Clone(state)
		for k, x := range xs {
			axis, _ := normAxis(s.inAxes[k], x.Rank())
			at := t
			if s.inBack[k] != 0 {
				at = steps - 1 - t
			}
			part := mover(c.New).taken(x, axis, []int{at})
			args = append(args, part.Reshape(reduced(part.Shape, []int{axis}, false, 1)...))
		}
		out, err := c.Run(s.body, args)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", t, err)
		}
		state = out[:s.states]
		for k := range stacks {
			if err := stacks[k].push(out[s.states+k]); err != nil {
				return nil, err
			}
		}
	}
	out := slices.Clone(state)
	for k := range stacks {
		if s.outPrepend[k] != 0 {
			slices.Reverse(stacks[k].parts)
		}
		t, err := stacks[k].joined(c, s.outAxes[k], s.body.Outputs[s.states+k].Type)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// scanBatches is version 8: operand 0 holds the lengths, every other operand and
// result has a batch axis in front, and scan outputs are padded with zeros.
func scanBatches(c *Eval) error {
	s, err := readScan(c.Node, len(c.In)-1)
	if err != nil {
		return err
	}
	if c.Need(1).Rank() == 0 {
		return fmt.Errorf("%v has no batch axis", c.Need(1))
	}
	batch, longest := c.Need(1).Shape[0], 0
	for i := 1; i < len(c.In); i++ {
		if x := c.Need(i); x.Rank() == 0 || x.Shape[0] != batch {
			return fmt.Errorf("operand %d is %v, the batch has %d samples", i, x, batch)
		}
		if i > s.states {
			if c.Need(i).Rank() < 2 {
				return fmt.Errorf("scan input %v has no axis to scan", c.Need(i))
			}
			longest = c.Need(i).Shape[1]
		}
	}
	lengths := make([]int, batch)
	for b := range lengths {
		lengths[b] = longest
	}
	if c.Has(0) {
		lengths = c.Ints(0)
	}
	if len(lengths) != batch {
		return fmt.Errorf("%d lengths for a batch of %d", len(lengths), batch)
	}
	parts := make([][]*tensor.Tensor, s.states+s.outs)
	for b := range batch {
		if lengths[b] < 0 {
			return fmt.Errorf("length %d", lengths[b])
		}
		in := make([]Val, len(c.In)-1)
		for i := range in {
			x := mover(c.New).taken(c.Need(i+1), 0, []int{b})
			in[i] = x.Reshape(x.Shape[1:]...)
		}
		out, err := s.run(c, in, lengths[b])
		if err != nil {
			return fmt.Errorf("sample %d: %w", b, err)
		}
		for i, x := range out {
			t, ok := x.(*tensor.Tensor)
			if !ok {
				return fmt.Errorf("output %d of the body is not a tensor", i)
			}
			if i >= s.states {
				t = mover(c.New).padded(t, 0, longest)
			}
			parts[i] = append(parts[i], t.Reshape(append([]int{1}, t.Shape...)...))
		}
	}
	for i, list := range parts {
		t, err := concat(c.New, list, 0)
		if err != nil {
			return err
		}
		c.Set(i, t)
	}
	return nil
}

// padded makes an axis n long with zeros behind.
func (alloc mover) padded(t *tensor.Tensor, axis, n int) *tensor.Tensor {
	if t.Shape[axis] >= n {
		return t
	}
	shape := slices.Clone(t.Shape)
	shape[axis] = n
	out := alloc(t.Type, shape...)
	copyRegion(whole(out), whole(t), t.Shape)
	return out
}

func inferScan(c *Shape) error {
	if c.Version < 9 {
		return nil
	}
	s, err := readScan(c.Node, len(c.In))
	if err != nil {
		return err
	}
	length := ir.Unknown
	in := slices.Clone(c.In)
	for k := range s.inAxes {
		t := in[s.states+k]
		if !t.Ranked {
			continue
		}
		axis, err := normAxis(s.inAxes[k], len(t.Shape))
		if err != nil {
			return err
		}
		if length == ir.Unknown || t.Shape[axis].IsKnown() {
			length = t.Shape[axis]
		}
		in[s.states+k].Shape = reduced(t.Shape, []int{axis}, false, ir.Known(1))
	}
	out, err := c.Sub(s.body, in)
	if err != nil {
		return err
	}
	for i := range c.Out {
		switch {
		case i >= len(out):
			return fmt.Errorf("%d results of a body with %d outputs", len(c.Out), len(out))
		case i < s.states:
			t, err := ir.Merge(out[i], c.In[i])
			if err != nil {
				return err
			}
			c.Set(i, t)
		case out[i].Ranked:
			shape, err := unsqueezed(out[i].Shape, []int{s.outAxes[i-s.states]}, length)
			if err != nil {
				return err
			}
			c.Set(i, ir.TensorType(out[i].DType, shape...))
		default:
			c.Set(i, out[i])
		}
	}
	return nil
}

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
