package op

import (
	"errors"
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

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

// raiseScan makes of version 8 a scan over the batch whose body scans one sample.
func raiseScan(c *Raising) error {
	n := c.Node
	if n.Has("scan_input_axes") {
		return nil // the inner scan of what this function made
	}
	if len(n.In) > 0 && n.In[0] != nil {
		return errors.New("the samples of the batch have lengths of their own, which later versions cannot say")
	}
	s, err := readScan(n, len(n.In)-1)
	if err != nil {
		return err
	}
	operands := n.In[1:]
	inner := &ir.Node{Name: c.Patch.Unique(c.base() + "_sample"), Op: "Scan"}
	outer := &ir.Graph{Name: s.body.Name + "_sample", Nodes: []*ir.Node{inner}}
	for i, v := range operands {
		t := ir.UnrankedType(v.Type.DType)
		if v.Type.Rank() > 0 {
			t = ir.TensorType(v.Type.DType, v.Type.Shape[1:]...)
		}
		outer.Inputs = append(outer.Inputs, &ir.Value{Name: c.Patch.Unique(fmt.Sprintf("%s_in%d", c.base(), i)), Type: t})
	}
	for i, v := range s.body.Outputs {
		inner.Out = append(inner.Out, &ir.Value{Name: c.Patch.Unique(fmt.Sprintf("%s_out%d", c.base(), i)), Type: ir.UnrankedType(v.Type.DType)})
	}
	outer.Outputs = slices.Clone(inner.Out)
	outer.Bind()
	// The patch records who reads what when it attaches the graph.
	inner.In = slices.Clone(outer.Inputs)
	inner.Attrs = []ir.Attr{
		{Name: "body", Value: s.body}, {Name: "num_scan_inputs", Value: int64(len(s.inAxes))},
		ir.IntsAttr("scan_input_axes", s.inAxes...), ir.IntsAttr("scan_input_directions", s.inBack...),
	}
	c.Patch.SetAttrs(n, []ir.Attr{{Name: "body", Value: outer}, {Name: "num_scan_inputs", Value: int64(len(operands))}})
	for i, v := range operands {
		c.Patch.SetInput(n, i, v)
	}
	c.Patch.SetInput(n, len(operands), nil)
	return nil
}
