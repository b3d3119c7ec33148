package recon

import (
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// extent is how large a unit is for one sample.
type extent struct {
	elements int // of all its results
	products int // multiply-accumulates of its layers
}

// measureExtent infers what one sample with inputs of the given shapes makes of a
// unit; what stays unknown counts as one.
func (l *learner) measureExtent(shape func(name string) []int) extent {
	m := ir.CloneModel(l.model)
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			v.Type = ir.TensorType(v.Type.DType, ir.Dims(append([]int{1}, shape(v.Name)...))...)
		}
	}
	_, _ = op.InferWith(m, op.InferOptions{Redo: true}) // without an answer, types are what they were
	var x extent
	size := map[string]int{}
	for _, n := range m.Graph.Nodes {
		for _, v := range n.Out {
			if v == nil || !v.Type.Ranked {
				continue
			}
			size[v.Name] = 1
			for _, d := range v.Type.Shape {
				size[v.Name] *= max(1, d.N)
			}
			x.elements += size[v.Name]
		}
	}
	for _, w := range l.layers {
		e := w.form.Encoded
		x.products += size[key(w.form.Node)] * tensor.Len(e.Codes.Shape) / max(1, e.Codes.Shape[w.form.Out])
	}
	return x
}

// What a step may cost: multiply-accumulates forward, and bytes at a time. Large units
// have many places for every sample, so that fewer samples tell as much.
const (
	stepProducts = 256 << 20
	leastBatch   = 4
	microBytes   = 96 << 20
)

// batch is how many samples a step takes of those wanted.
func (x extent) batch(wanted int) int {
	return min(wanted, max(leastBatch, stepProducts/max(1, x.products)))
}

// micro is how many of them the program computes at a time: of every result it keeps
// numbers and gradients.
func (x extent) micro(batch int) int {
	return min(batch, max(1, microBytes/(8*max(1, x.elements))))
}
