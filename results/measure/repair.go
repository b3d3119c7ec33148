package main

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// repairRepeat mends what the exporter of stories260K made of repeated
// attention heads: it reshapes [N, 1, 2, length, 8] by the request 0, -1, 0, 8,
// which gives [N, length, 2, 8] where [N, 2, length, 8] is meant. Every runtime
// stops at the product behind it; with the request 0, 2, -1, 8 the network has
// the likelihood that its origin states.
func repairRepeat(m *ir.Model) {
	wrong, right := []int64{0, -1, 0, 8}, []int64{0, 2, -1, 8}
	for _, n := range m.Graph.Nodes {
		if n.Op != "Constant" || n.Tensor("value") == nil || n.Tensor("value").Type != tensor.Int64 {
			continue
		}
		if t := n.Tensor("value"); slices.Equal(tensor.Data[int64](t), wrong) {
			n.Attrs = ir.WithAttr(n.Attrs, "value", tensor.Of(t.Shape, slices.Clone(right)))
		}
	}
}
