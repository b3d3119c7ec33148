package pare

import (
	"pare/ir"
)

// cutSuffix marks results whose name the input behind the cut has taken.
const cutSuffix = "/cut"

// cutAt returns a copy of a model in which every reader of a point's value reads
// an input of that name instead; the computed value becomes an output with
// cutSuffix behind its name. Fed with an original's values, each piece shows the
// error that it makes by itself.
func cutAt(m *ir.Model, points []point) (*ir.Model, error) {
	out := ir.CloneModel(m)
	g := out.Graph
	by := map[*ir.Value]*ir.Value{}
	for _, p := range points {
		v := g.Value(p.value)
		in := &ir.Value{Name: v.Name, Type: v.Type}
		by[v] = in
		v.Name += cutSuffix
		g.Inputs = append(g.Inputs, in)
		if !g.IsOutput(v) {
			g.Outputs = append(g.Outputs, v)
		}
	}
	redirect(g, by)
	g.Bind()
	return out, ir.Check(g)
}

// redirect makes the nodes of g and its sub-graphs read other values.
func redirect(g *ir.Graph, by map[*ir.Value]*ir.Value) {
	for _, n := range g.Nodes {
		for i, v := range n.In {
			if w := by[v]; w != nil {
				n.In[i] = w
			}
		}
		for _, s := range n.Subgraphs() {
			redirect(s, by)
			for i, v := range s.Outputs {
				if w := by[v]; w != nil {
					s.Outputs[i] = w
				}
			}
		}
	}
}
