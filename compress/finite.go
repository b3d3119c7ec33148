package compress

import (
	"fmt"

	"pare/format"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// Finite reports the first parameter of a layer or batch-norm that is no finite
// number: nothing ranks, trains or makes up for those. The error names its node.
func Finite(m *ir.Model) error {
	layers := map[*ir.Node]bool{}
	for _, l := range Layers(m) {
		layers[l.Node] = true
	}
	for _, n := range m.Graph.Nodes {
		if !layers[n] && n.Op != "BatchNormalization" {
			continue
		}
		for _, v := range n.In {
			if v == nil || v.Const == nil {
				continue
			}
			if err := finiteValues(v.Const); err != nil {
				err = fmt.Errorf("its parameter %q: %w", v.Name, err)
				return fault.AtNode(n, fault.Hint(err, "the file holds a broken network; pare compress --recipe 'copy' passes it through unchanged"))
			}
		}
	}
	return nil
}

func finiteValues(t *tensor.Tensor) error {
	if !t.Type.IsFloat() {
		return nil
	}
	for i, x := range tensor.Float32s(t) {
		if x-x != 0 {
			return &format.NotFiniteError{Index: i, Value: x}
		}
	}
	return nil
}
