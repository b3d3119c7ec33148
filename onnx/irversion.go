package onnx

import (
	"pare/ir"
	"pare/tensor"
)

// typeVersions are the versions of the file format that brought element types;
// the others were there from the start.
var typeVersions = map[tensor.DType]int64{
	tensor.BFloat16:     4,
	tensor.Float8E4M3FN: 9, tensor.Float8E4M3FNUZ: 9, tensor.Float8E5M2: 9, tensor.Float8E5M2FNUZ: 9,
	tensor.Uint4: 10, tensor.Int4: 10,
	tensor.Float4E2M1: 11,
	tensor.Float8E8M0: 12,
	tensor.Uint2:      13, tensor.Int2: 13,
}

// What other parts of a model need.
const (
	needsOpsets    = 3  // operator sets are imported
	needsConsts    = 4  // constants that are no inputs
	needsSparse    = 6  // tensors in coordinate form
	needsFunctions = 8  // functions
	needsOverloads = 10 // overloads, metadata of nodes
)

// irVersion is the version of the file format to write: the model's own, raised
// where something in the model needs a newer one.
func irVersion(m *ir.Model) int64 {
	v := m.IRVersion
	need := func(least int64) { v = max(v, least) }
	if len(m.Opsets) > 0 {
		need(needsOpsets)
	}
	graphNeeds(m.Graph, need)
	inputs := setOf(m.Graph.Inputs)
	for _, c := range m.Graph.Consts {
		if !inputs[c] {
			need(needsConsts)
		}
	}
	for _, f := range m.Functions {
		need(needsFunctions)
		if f.Overload != "" {
			need(needsOverloads)
		}
		graphNeeds(f.Body, need)
	}
	return v
}

func graphNeeds(g *ir.Graph, need func(int64)) {
	for v := range g.Values {
		need(typeVersions[v.Type.DType])
		if v.Sparse != nil {
			need(needsSparse)
		}
	}
	for _, n := range g.Nodes {
		if n.Overload != "" || len(n.Metadata) > 0 {
			need(needsOverloads)
		}
		for _, a := range n.Attrs {
			if t, ok := a.Value.(*tensor.Tensor); ok {
				need(typeVersions[t.Type])
			}
		}
		for _, s := range n.Subgraphs() {
			graphNeeds(s, need)
		}
	}
}
