package pare

import (
	"slices"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// thin is the channels of the layers around one that is timed.
const thin = 8

// layerModel is a network of a layer between two thin ones, of one tap, so that
// the layer reads and writes what it does within a network. x is the shape of its
// data. It is nil for kinds that it does not know.
func layerModel(m *ir.Model, l *compress.Layer, x []int) *ir.Model {
	axis := 1
	switch l.Kind {
	case compress.Conv, compress.Depthwise, compress.GroupedConv:
	case compress.Dense:
		axis = len(x) - 1
	default:
		return nil
	}
	if l.Weight == nil || l.Input != 0 || len(x) < 2 {
		return nil
	}
	g := &ir.Graph{Name: "layer"}
	shape := slices.Clone(x)
	shape[axis] = thin
	in := &ir.Value{Name: "input", Type: ir.TensorType(tensor.Float32, ir.Dims(shape)...)}
	g.Inputs = []*ir.Value{in}
	v := thinLayer(g, "before", in, thin, x[axis], len(x), axis)
	n := &ir.Node{Name: l.Name, Op: l.Node.Op, Domain: l.Node.Domain, Attrs: l.Node.Attrs, In: []*ir.Value{v}}
	for i, c := range l.Node.In[1:] {
		if c != nil {
			c = ir.NewConst([]string{"weight", "bias"}[i], c.Const)
			g.Consts = append(g.Consts, c)
		}
		n.In = append(n.In, c)
	}
	out := l.Weight.Const.Shape[l.Out]
	g.Nodes = append(g.Nodes, n)
	v = relu(g, n, "layer", out, axis)
	g.Outputs = []*ir.Value{thinLayer(g, "after", v, out, thin, len(x), axis)}
	g.Bind()
	return &ir.Model{Graph: g, Opsets: slices.Clone(m.Opsets), IRVersion: m.IRVersion}
}

// thinLayer appends a product along the channels with rectified results.
func thinLayer(g *ir.Graph, name string, x *ir.Value, in, out, rank, axis int) *ir.Value {
	n := &ir.Node{Name: name, Op: "MatMul"}
	shape := []int{in, out}
	if axis == 1 && rank > 2 {
		n.Op, shape = "Conv", []int{out, in}
		for range rank - 2 {
			shape = append(shape, 1)
		}
	}
	w := tensor.New(tensor.Float32, shape...)
	for i := range tensor.Data[float32](w) {
		tensor.Data[float32](w)[i] = float32(i*7%13-6) / 40
	}
	c := ir.NewConst(name+"_weight", w)
	g.Consts = append(g.Consts, c)
	n.In = []*ir.Value{x, c}
	g.Nodes = append(g.Nodes, n)
	return relu(g, n, name, out, axis)
}

// relu appends the rectification of n's result, of which it says that its
// channels are about normal.
func relu(g *ir.Graph, n *ir.Node, name string, channels, axis int) *ir.Value {
	y := &ir.Value{Name: name + "_sum", Stats: &ir.Stats{Axis: axis, Mean: make([]float64, channels), Std: slices.Repeat([]float64{1}, channels), Source: "timing"}}
	n.Out = []*ir.Value{y}
	r := &ir.Value{Name: name + "_out"}
	g.Nodes = append(g.Nodes, &ir.Node{Name: name + "_relu", Op: "Relu", In: []*ir.Value{y}, Out: []*ir.Value{r}})
	return r
}
