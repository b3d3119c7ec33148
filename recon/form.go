package recon

import (
	"math"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// form is a layer of a quantised graph with the constants that its weights and bias are
// stored in.
type form struct {
	*compress.Layer
	decode *ir.Node // makes weights of codes
	bias   *ir.Value
	codes  *ir.Node // makes the bias of integers; nil where it is floats
}

// forms finds the layers of m whose first results have the given names; those whose
// weights or results have another form than methods write are left out.
func forms(m *ir.Model, names []string) []form {
	layers := compress.Layers(m)
	var out []form
	for i := range layers {
		l := &layers[i]
		if l.Encoded == nil || l.Encoded.Orders != nil || !slices.Contains(names, key(l.Node)) {
			continue
		}
		f := form{Layer: l, decode: l.Node.In[l.Operand].Producer()}
		if f.decode == nil || f.decode.Op == "Cast" || slices.ContainsFunc(f.decode.In, func(v *ir.Value) bool { return v == nil || v.Const == nil }) {
			continue
		}
		if n := l.Node; n.Op != "MatMul" && n.Op != "Gather" && len(n.In) > 2 {
			f.findBias(n.In[2])
		}
		out = append(out, f)
	}
	return out
}

func (f *form) findBias(v *ir.Value) {
	if v == nil {
		return
	}
	n := v.Producer()
	switch {
	case v.Const != nil && v.Const.Type == tensor.Float32:
		f.bias = v
	case n != nil && n.Op == "DequantizeLinear" && len(n.In) == 2 && n.In[0].Const != nil && n.In[1].Const != nil && n.In[0].Const.Type == tensor.Int32:
		f.bias, f.codes = v, n
	}
}

// biases are the numbers that the layer adds; nil where it adds none.
func (f *form) biases() []float32 {
	switch {
	case f.bias == nil:
		return nil
	case f.codes == nil:
		return slices.Clone(tensor.Data[float32](f.bias.Const))
	}
	units := tensor.Data[float32](f.codes.In[1].Const)
	var out []float32
	for i, q := range tensor.Data[int32](f.codes.In[0].Const) {
		out = append(out, float32(q)*units[min(i, len(units)-1)])
	}
	return out
}

// change is what a fit makes of a graph: data of constants by their names, and of
// exponents by the names of the nodes' results.
type change struct {
	consts    map[string]*tensor.Tensor
	exponents map[string]float64
}

func newChange() *change {
	return &change{map[string]*tensor.Tensor{}, map[string]float64{}}
}

// apply makes the change in a graph that has the constants.
func (c *change) apply(g *ir.Graph, why string) error {
	p := ir.NewPatch(g, why)
	for _, v := range g.Consts {
		if t := c.consts[v.Name]; t != nil {
			p.SetConst(v, t)
		}
	}
	for _, n := range g.Nodes {
		if a, ok := c.exponents[key(n)]; ok {
			p.SetAttrs(n, ir.WithAttr(n.Attrs, "exponent", float32(a)))
		}
	}
	return p.Apply()
}

// before is the change that takes c back in g.
func (c *change) before(g *ir.Graph) *change {
	out := newChange()
	for _, v := range g.Consts {
		if c.consts[v.Name] != nil {
			out.consts[v.Name] = v.Const
		}
	}
	for _, n := range g.Nodes {
		if _, ok := c.exponents[key(n)]; ok {
			out.exponents[key(n)] = float64(n.Float("exponent", 0))
		}
	}
	return out
}

// weights notes an encoding of the layer's weights.
func (c *change) weights(f *form, e *format.Encoded) {
	in := f.decode.In
	c.consts[in[0].Name] = e.Codes
	c.consts[in[1].Name] = e.Scale.Reshape(in[1].Const.Shape...)
	if e.Levels != nil {
		c.consts[in[2].Name] = tensor.Of(in[2].Const.Shape, e.Levels)
		if f.decode.Has("exponent") {
			c.exponents[key(f.decode)] = e.Spec.Exponent
		}
	}
}

// biasLimit bounds integer biases to half of what 32 bits hold, as the rest is left
// for sums.
const biasLimit = 1 << 30

// biases notes the layer's bias, in units of the scales of its data and weights where
// it is integers.
func (c *change) biases(f *form, values []float32, data float32, e *format.Encoded) {
	if f.codes == nil {
		c.consts[f.bias.Name] = tensor.Of(f.bias.Const.Shape, values)
		return
	}
	scales := tensor.Data[float32](e.Scale)
	units := make([]float32, len(scales))
	for i, s := range scales {
		units[i] = data * s
	}
	codes := make([]int32, len(values))
	for i, v := range values {
		q := math.RoundToEven(float64(v) / float64(units[min(i, len(units)-1)]))
		codes[i] = int32(min(max(q, -biasLimit), biasLimit))
	}
	c.consts[f.codes.In[0].Name] = tensor.Of(f.codes.In[0].Const.Shape, codes)
	c.consts[f.codes.In[1].Name] = tensor.Of(f.codes.In[1].Const.Shape, units)
}
