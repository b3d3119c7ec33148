package op

import (
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
	Raise: map[int]func(c *Raising) error{9: raiseScan},
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

func inferScan(c *Shape) error {
	in, batched := c.In, c.Version < 9
	if batched {
		if len(in) < 2 {
			return nil
		}
		in = in[1:]
	}
	s, err := readScan(c.Node, len(in))
	if err != nil {
		return err
	}
	batch := ir.Unknown
	if batched {
		in = slices.Clone(in)
		for i, t := range in {
			if t.Rank() > 0 {
				batch = t.Shape[0]
				in[i].Shape = t.Shape[1:]
			}
		}
	}
	out, err := s.infer(c, in)
	if err != nil {
		return err
	}
	if len(c.Out) > len(out) {
		return fmt.Errorf("%d results of a body with %d outputs", len(c.Out), len(out))
	}
	for i, t := range out {
		if batched && t.Ranked {
			t.Shape = append([]ir.Dim{batch}, t.Shape...)
		}
		c.Set(i, t)
	}
	return nil
}

// infer returns the types of the results from those of states and scan inputs.
func (s *scan) infer(c *Shape, in []ir.Type) ([]ir.Type, error) {
	length := ir.Unknown
	slice := slices.Clone(in)
	for k := range s.inAxes {
		t := in[s.states+k]
		if !t.Ranked {
			continue
		}
		axis, err := normAxis(s.inAxes[k], len(t.Shape))
		if err != nil {
			return nil, err
		}
		if length == ir.Unknown || t.Shape[axis].IsKnown() {
			length = t.Shape[axis]
		}
		slice[s.states+k].Shape = reduced(t.Shape, []int{axis}, false, ir.Known(1))
	}
	out, err := c.Sub(s.body, slice)
	if err != nil {
		return nil, err
	}
	for i, t := range out {
		if i < s.states {
			out[i], err = ir.Merge(t, in[i])
		} else if t.Ranked {
			out[i].Shape, err = unsqueezed(t.Shape, []int{s.outAxes[i-s.states]}, length)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
