package grad

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// absorbPads lets convolutions pad by themselves where a Pad of zeros comes before
// them.
func absorbPads(m *ir.Model) error {
	p := ir.NewPatch(m.Graph, "let convolutions pad")
	for _, n := range m.Graph.Nodes {
		if n.Op != "Conv" || n.Domain != "" {
			continue
		}
		pad := n.In[0].Producer()
		if pad == nil || pad.Op != "Pad" || pad.Domain != "" {
			continue
		}
		pads := spacePads(pad)
		if own := windowPads(n, len(pads)); pads != nil && own != nil {
			for i := range pads {
				pads[i] += own[i]
			}
			p.SetAttrs(n, ir.WithAttr(ir.WithoutAttr(n.Attrs, "auto_pad"), "pads", ir.IntsAttr("pads", pads...).Value))
			p.SetInput(n, 0, pad.In[0])
			if len(pad.Out[0].Uses()) == 1 && !m.Graph.IsOutput(pad.Out[0]) {
				p.RemoveNode(pad)
			}
		}
	}
	if p.Empty() {
		return nil
	}
	return p.Apply()
}

// spacePads is what a Pad adds around images, nil where it does more or other than
// adding zeros there.
func spacePads(n *ir.Node) []int {
	if n.Str("mode", "constant") != "constant" || len(n.In) < 2 || n.In[1].Const == nil || len(n.In) > 3 && n.In[3] != nil {
		return nil
	}
	if len(n.In) > 2 && n.In[2] != nil && (n.In[2].Const == nil || tensor.Float64s(n.In[2].Const)[0] != 0) {
		return nil
	}
	all := tensor.Float64s(n.In[1].Const)
	rank := len(all) / 2
	var pads []int
	for i, v := range all {
		switch {
		case v < 0 || i%rank < 2 && v != 0:
			return nil
		case i%rank >= 2:
			pads = append(pads, int(v))
		}
	}
	return pads
}

// windowPads is the n paddings that a convolution states, nil where they follow from
// its size.
func windowPads(node *ir.Node, n int) []int {
	auto := node.Str("auto_pad", "NOTSET")
	if pads := node.Ints("pads"); pads != nil && auto == "NOTSET" {
		return slices.Clone(pads)
	}
	if auto == "NOTSET" || auto == "VALID" {
		return make([]int, n)
	}
	return nil
}
