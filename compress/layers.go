package compress

import (
	"fmt"

	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// LayerKind is a family of layers with weights.
type LayerKind string

// The families.
const (
	Conv          LayerKind = "conv"
	Depthwise     LayerKind = "depthwise conv"
	GroupedConv   LayerKind = "grouped conv"
	ConvTranspose LayerKind = "transposed conv"
	Dense         LayerKind = "dense"
	Embedding     LayerKind = "embedding"
	Other         LayerKind = "other"
)

// Layer is a node with weights: what methods compress and reports list.
type Layer struct {
	Name   string
	Node   *ir.Node
	Kind   LayerKind
	Weight *ir.Value // nil when the weights are no constant
	// Operand is the index of the weights among the node's operands, Input that
	// of the data.
	Operand, Input int
	// Out is the axis of the weights along which output channels lie, In the
	// one that is summed over (the row of an embedding).
	Out, In int
	// Edge says that no layer lies before, or none behind, this one.
	Edge bool
	// Encoded is the number format of weights that are compressed already.
	Encoded *format.Encoded
	// SharesWith is the name of the first layer with the same weights, "" when
	// that is this one.
	SharesWith string
	// Reason says why the weights cannot be compressed; "" when they can.
	Reason string
	// Left says that the recipe leaves the layer as it is; Reason says so, too.
	Left bool
	// Bits and ActivationBits are the widths that the recipe selects for the
	// weights and the data of this layer, 0 for the step's own; FloatBits leaves
	// the data in float.
	Bits, ActivationBits int
	// Most is how many bits the weights should have at most where the layer computes
	// on integers on the machine that the recipe is for, unless the recipe selects
	// their width; 0 for no limit.
	Most int
}

// Params is the number of weights.
func (l *Layer) Params() int {
	switch {
	case l.Weight != nil:
		return l.Weight.Const.Len()
	case l.Encoded != nil:
		return l.Encoded.Codes.Len()
	}
	return 0
}

// weighted is what is known of an operator with weights.
type weighted struct {
	kind LayerKind
	// operand says where the weights may be, most likely place first.
	operands []int
	// axes returns the output-channel and the summed axis of weights of the
	// given rank at the given operand.
	axes func(n *ir.Node, operand, rank int) (out, in int)
	// low is the least rank that makes a layer.
	low int
}

var weightedOps = map[string]weighted{
	"Conv":          {Conv, []int{1}, func(*ir.Node, int, int) (int, int) { return 0, 1 }, 3},
	"ConvTranspose": {ConvTranspose, []int{1}, func(*ir.Node, int, int) (int, int) { return 1, 0 }, 3},
	"Gemm":          {Dense, []int{1, 0}, gemmAxes, 2},
	"MatMul":        {Dense, []int{1, 0}, matMulAxes, 2},
	"Gather":        {Embedding, []int{0}, func(n *ir.Node, _, rank int) (int, int) { return gatherAxes(n, rank) }, 2},
}

// integerOps compute on integers as they stand in the file.
var integerOps = map[string]bool{
	"QLinearConv": true, "QLinearMatMul": true, "ConvInteger": true, "MatMulInteger": true, "MatMulNBits": true, "QGemm": true,
}

func gemmAxes(n *ir.Node, operand, _ int) (out, in int) {
	if operand == 1 {
		out = 1 - n.Int("transB", 0)
	} else {
		out = n.Int("transA", 0)
	}
	return out, 1 - out
}

func matMulAxes(_ *ir.Node, operand, rank int) (out, in int) {
	if operand == 1 {
		return rank - 1, rank - 2
	}
	return rank - 2, rank - 1
}

func gatherAxes(n *ir.Node, rank int) (out, in int) {
	out = n.Int("axis", 0)
	if out < 0 {
		out += rank
	}
	if out == rank-1 {
		return out, rank - 2
	}
	return out, rank - 1
}

// notable is the number of elements from which a constant of an operator
// without weights is worth a line in the report.
const notable = 1024

// Layers lists the layers of the model in topological order, those that cannot
// be compressed with the reason. Layers of sub-graphs and functions are listed,
// but not compressed.
func Layers(m *ir.Model) []Layer {
	out := layersOf(m, m.Graph)
	markEdges(m.Graph, out)
	inner := func(g *ir.Graph, where string) {
		for _, l := range layersOf(m, g) {
			l.Reason = "inside " + where
			out = append(out, l)
		}
	}
	var walk func(g *ir.Graph)
	walk = func(g *ir.Graph) {
		for _, n := range g.Nodes {
			for _, s := range n.Subgraphs() {
				inner(s, "a sub-graph of "+n.String())
				walk(s)
			}
		}
	}
	walk(m.Graph)
	for _, f := range m.Functions {
		if f.Domain != format.Domain {
			inner(f.Body, "function "+f.Name)
		}
	}
	return out
}

func layersOf(m *ir.Model, g *ir.Graph) []Layer {
	var out []Layer
	first := map[*ir.Value]string{}
	for _, n := range g.Nodes {
		l, ok := layerOf(m, n)
		if !ok {
			continue
		}
		if l.Weight != nil && l.Reason == "" {
			if other := first[l.Weight]; other != "" {
				l.SharesWith, l.Reason = other, "shares its weights with "+other
			} else {
				first[l.Weight] = l.Name
			}
		}
		out = append(out, l)
	}
	return out
}

// layerOf describes n as a layer; ok is false when it has no weights.
func layerOf(m *ir.Model, n *ir.Node) (Layer, bool) {
	l := Layer{Name: n.Label(), Node: n, Kind: Other}
	if m.Function(n) != nil {
		return l, false
	}
	w, known := weightedOps[n.Op]
	if !known || ir.CanonicalDomain(n.Domain) != "" {
		return otherLayer(l)
	}
	for i, k := range w.operands {
		if k >= len(n.In) || n.In[k] == nil {
			continue
		}
		v := n.In[k]
		if e, ok := format.MatchWeight(m, throughCast(v)); ok && e.Codes.Rank() >= w.low {
			l.place(w, k, e.Codes.Shape)
			l.Encoded, l.Reason = e, fmt.Sprintf("already compressed: %v", e)
			return l, true
		}
		if v.Const != nil && v.Const.Type.IsFloat() && v.Const.Rank() >= w.low {
			l.place(w, k, v.Const.Shape)
			l.Weight = v
			l.Reason = unsuited(v.Const)
			return l, true
		}
		if i == 0 && w.kind != Dense && w.kind != Embedding {
			l.place(w, k, nil)
			l.Reason = "its weights are computed"
			return l, true
		}
	}
	return l, false
}

func (l *Layer) place(w weighted, operand int, shape []int) {
	l.Kind, l.Operand, l.Input = w.kind, operand, 1-operand
	l.Out, l.In = w.axes(l.Node, operand, len(shape))
	if g := l.Node.Int("group", 1); g > 1 && w.kind == Conv {
		l.Kind = GroupedConv
		if len(shape) > 1 && shape[1] == 1 {
			l.Kind = Depthwise
		}
	}
}

func unsuited(w *tensor.Tensor) string {
	switch t := w.Type; {
	case w.Len() == 0:
		return "it has no elements"
	case t != tensor.Float32 && t != tensor.Float16 && t != tensor.BFloat16:
		return fmt.Sprintf("its weights are %v", t)
	}
	return ""
}

// otherLayer lists a node of another operator when it holds notable constants.
func otherLayer(l Layer) (Layer, bool) {
	n := l.Node
	if n.Op == "Constant" {
		return l, false
	}
	if integerOps[n.Op] {
		l.Reason = n.Op + " computes on integers already"
		return l, true
	}
	for i, v := range n.In {
		if v != nil && v.Const != nil && v.Const.Type.IsFloat() && v.Const.Type.Bits() >= 16 && v.Const.Rank() >= 2 && v.Const.Len() >= notable {
			l.Weight, l.Operand = v, i
			l.Reason = "constant of " + n.Op + ", which has no compressed form"
			return l, true
		}
	}
	return l, false
}

// throughCast looks behind the Cast that restores a narrow float type.
func throughCast(v *ir.Value) *ir.Value {
	if n := v.Producer(); n != nil && n.Op == "Cast" && len(n.In) == 1 && n.In[0] != nil {
		return n.In[0]
	}
	return v
}

// markEdges finds the layers without a layer before or behind them.
func markEdges(g *ir.Graph, layers []Layer) {
	at := map[*ir.Node]*Layer{}
	for i := range layers {
		if layers[i].Kind != Other {
			at[layers[i].Node] = &layers[i]
		}
	}
	before := map[*ir.Value]bool{}
	for _, n := range g.Nodes {
		seen := false
		for _, v := range n.In {
			seen = seen || before[v]
		}
		if l := at[n]; l != nil {
			l.Edge = !seen
			seen = true
		}
		for _, v := range n.Out {
			before[v] = seen
		}
	}
	behind := map[*ir.Node]bool{}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		for _, v := range n.Out {
			if v == nil {
				continue
			}
			for _, u := range v.Uses() {
				behind[n] = behind[n] || behind[u.Node] || at[u.Node] != nil
			}
		}
		if l := at[n]; l != nil && !behind[n] {
			l.Edge = true
		}
	}
}
