package prune

import (
	"errors"

	"pare/compress"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// finite reports the first layer with weights that are no finite numbers: nothing
// ranks them.
func finite(m *ir.Model) error {
	for _, l := range compress.Layers(m) {
		if l.Weight == nil {
			continue
		}
		for _, w := range tensor.Float32s(l.Weight.Const) {
			if w-w != 0 {
				return fault.AtNode(l.Node, errors.New("its weights are not finite: channels cannot be ranked by them"))
			}
		}
	}
	return nil
}
