package engine

import (
	"context"
	"slices"

	"pare/format"
	"pare/ir"
	"pare/kernel"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// prepare rewrites a model into what rows of the table know: newest schemas,
// decoded weights, no functions, no clutter. Encodings of decoded weights go to
// codes, what matrices are turned from to turned. The model given must not be used
// afterwards.
func prepare(ctx context.Context, m *ir.Model, codes map[*tensor.Tensor]*format.Encoded, turned map[*tensor.Tensor]*tensor.Tensor) (*ir.Model, error) {
	// Rows state the versions they know; nodes that cannot be raised are left
	// to the reference, and so are functions that cannot be expanded.
	_ = op.RaiseTo(m, rowsOpset)
	if err := expandQLinear(m); err != nil {
		return nil, err
	}
	if err := decodeWeights(m, codes); err != nil {
		return nil, err
	}
	if len(m.Functions) > 0 {
		if flat := ir.CloneModel(m); op.Inline(flat) == nil {
			m = flat
		}
	}
	if err := turnLater(m, turned); err != nil {
		return nil, err
	}
	_, err := pass.SimplifyWith(ctx, m, pass.Options{Growth: growth})
	return m, err
}

// growth is how many bytes a folded constant may take beyond those that it
// replaces: memory is dear in files, not here.
const growth = 4 << 20

// turnLater replaces transposes of large constant matrices by constants that are
// turned when something reads them. Products pack what they are turned from,
// which it notes.
func turnLater(m *ir.Model, turned map[*tensor.Tensor]*tensor.Tensor) error {
	p := ir.NewPatch(m.Graph, "turn matrices")
	for _, n := range m.Graph.Nodes {
		if !is(n, "Transpose") || slices.Contains(m.Graph.Outputs, n.Out[0]) {
			continue
		}
		t := n.In[0].Const
		if t == nil || t.Type != tensor.Float32 || t.Rank() != 2 || t.Len() < leastTurned || slices.Equal(n.Ints("perm"), []int{0, 1}) {
			continue
		}
		rows, cols := t.Shape[0], t.Shape[1]
		other := tensor.Later(t.Type, []int{cols, rows}, func() *tensor.Tensor {
			data := make([]float32, rows*cols)
			kernel.Transpose(data, tensor.Float32s(t), rows, cols)
			return tensor.Of([]int{cols, rows}, data)
		})
		turned[other] = t
		p.Replace(n.Out[0], p.Const(n.Out[0].Name+"_turned", other))
		p.RemoveNode(n)
	}
	if p.Empty() {
		return nil
	}
	return p.Apply()
}

// leastTurned is the fewest elements of a matrix that is not simply folded.
const leastTurned = 1 << 14

// decodeWeights replaces compressed constants by their values.
func decodeWeights(m *ir.Model, codes map[*tensor.Tensor]*format.Encoded) error {
	g := m.Graph
	p := ir.NewPatch(g, "decode weights")
	for _, n := range g.Nodes {
		if len(n.Out) != 1 || n.Out[0] == nil || slices.Contains(g.Outputs, n.Out[0]) {
			continue
		}
		e, ok := format.MatchWeight(m, n.Out[0])
		if !ok || format.IsTerm(m, n.Out[0]) {
			continue
		}
		t, err := e.DecodeLater()
		if err != nil {
			return err
		}
		codes[t] = e
		p.Replace(n.Out[0], p.Const(n.Out[0].Name+"_decoded", t))
		p.RemoveNode(n)
	}
	if p.Empty() {
		return nil
	}
	return p.Apply()
}
