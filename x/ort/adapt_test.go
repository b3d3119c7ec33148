package ort_test

import (
	"slices"
	"strings"
	"testing"

	"pare"
	"pare/internal/assets"
	"pare/ir"
	"pare/tensor"
)

// load reads the network, adapted where the driver needs it.
func (n network) load(t *testing.T) *pare.Model {
	t.Helper()
	m := load(t, assets.Path(t, n.file))
	if n.adapt == nil {
		return m
	}
	c := m.Clone()
	n.adapt(c.IR())
	c.IR().Graph.Bind()
	return written(t, c)
}

// scoring makes a decoder score whole sequences. Its caches become constants
// without elements, which the driver cannot pass as inputs. A shape that the
// exporter got wrong, and at which every runtime stops, is mended: repeated heads
// are [N, heads, length, 8]. The empty caches fix the number of sequences.
func scoring(m *ir.Model) {
	g := m.Graph
	g.Inputs = slices.DeleteFunc(g.Inputs, func(v *ir.Value) bool {
		if !strings.HasPrefix(v.Name, "past.") {
			return false
		}
		v.Const = tensor.New(tensor.Float32, samplesOfTokens, 4, 0, 8)
		v.Type = ir.TypeOf(v.Const)
		g.Consts = append(g.Consts, v)
		return true
	})
	for _, v := range g.Inputs {
		v.Type.Shape = append([]ir.Dim{ir.Known(samplesOfTokens)}, v.Type.Shape[1:]...)
	}
	wrong, right := []int64{0, -1, 0, 8}, []int64{0, 2, -1, 8}
	for _, n := range g.Nodes {
		t := n.Tensor("value")
		if n.Op == "Constant" && t != nil && t.Type == tensor.Int64 && slices.Equal(tensor.Data[int64](t), wrong) {
			n.Attrs = ir.WithAttr(n.Attrs, "value", tensor.Of(t.Shape, right))
		}
	}
}

// inFloat converts 16-bit outputs, which the driver cannot read, to float32.
func inFloat(m *ir.Model) {
	g := m.Graph
	for i, v := range g.Outputs {
		wide := &ir.Value{Name: v.Name + ".float"}
		to := ir.Attr{Name: "to", Value: int64(tensor.Float32)}
		g.Nodes = append(g.Nodes, &ir.Node{Op: "Cast", In: []*ir.Value{v}, Out: []*ir.Value{wide}, Attrs: []ir.Attr{to}})
		wide.Type = ir.UnrankedType(tensor.Float32)
		g.Outputs[i] = wide
	}
}
