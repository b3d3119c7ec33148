package decompose

import (
	"slices"

	"pare/compress"
	"pare/ir"
	"pare/tensor"

	"gonum.org/v1/gonum/mat"
)

// link is one layer of the chain that takes another layer's place.
type link struct {
	suffix string    // of its name; "" for the last, which keeps that of the layer
	weight []float64 // [out, in, taps]
	shape  []int
	// along are the spatial axes on which it has the layer's strides, pads and
	// dilations.
	along []int
	group int
}

// newLink makes a layer of a matrix with a row for each filter.
func newLink(m mat.Matrix, suffix string, taps, along []int) link {
	rows, cols := m.Dims()
	shape := append([]int{rows, cols / tensor.Len(taps)}, taps...)
	return link{suffix: suffix, weight: mat.DenseCopyOf(m).RawMatrix().Data, shape: shape, along: along, group: 1}
}

// write makes the layer the last of the chain and puts the others before it. The
// statistics are those of what lies between, nil where they are not known.
func (s *site) write(p *ir.Patch, g *ir.Graph, chain []link, between []*ir.Stats) error {
	n := s.layer.Node
	x := n.In[0]
	for i := range chain[:len(chain)-1] {
		l := &chain[i]
		w, err := s.tensor(l)
		if err != nil {
			return err
		}
		name := s.layer.Name + "_" + l.suffix
		x = p.Node(name, n.Op, []*ir.Value{x, p.Const(name+"_weight", w)}, s.attrs(l)...)
		if between != nil && between[i] != nil {
			p.SetStats(x, between[i])
		}
	}
	last := &chain[len(chain)-1]
	w, err := s.tensor(last)
	if err != nil {
		return err
	}
	p.SetInput(n, 0, x)
	p.SetInput(n, 1, p.Const(s.layer.Weight.Name, w))
	p.SetAttrs(n, s.attrs(last))
	drop(p, g, s.layer.Weight)
	return nil
}

// drop removes a constant that nothing reads any more.
func drop(p *ir.Patch, g *ir.Graph, v *ir.Value) {
	if g.IsOutput(v) {
		return
	}
	p.RemoveConst(v)
	if slices.Contains(g.Inputs, v) {
		p.RemoveInput(v)
	}
}

// tensor is the weights of a link as the layer's operator wants them.
func (s *site) tensor(l *link) (*tensor.Tensor, error) {
	shape, w := l.shape, l.weight
	if s.layer.Out > s.layer.In {
		w = transposed(w, shape[0], shape[1])
		shape = []int{shape[1], shape[0]}
	}
	return tensor.FromFloat64s(s.layer.Weight.Const.Type, shape, w)
}

// attrs are those of the layer as far as they concern a link.
func (s *site) attrs(l *link) []ir.Attr {
	n := s.layer.Node
	if s.layer.Kind == compress.Dense {
		return n.Attrs
	}
	taps := l.shape[2:]
	attrs := ir.WithAttr(ir.WithoutAttr(n.Attrs, "group"), "kernel_shape", ir.IntsAttr("kernel_shape", taps...).Value)
	if l.group > 1 {
		attrs = ir.WithAttr(attrs, "group", int64(l.group))
	}
	if n.Has("auto_pad") && len(l.along) == 0 {
		attrs = ir.WithoutAttr(attrs, "auto_pad")
	}
	for _, name := range []string{"strides", "dilations", "pads"} {
		if n.Has(name) {
			list := s.along(name, n.Ints(name), l.along)
			attrs = ir.WithAttr(attrs, name, ir.IntsAttr(name, list...).Value)
		}
	}
	return attrs
}

// along keeps the entries of an attribute for some spatial axes and gives the
// others what changes nothing.
func (s *site) along(name string, list, axes []int) []int {
	out := slices.Clone(list)
	for i := range out {
		if slices.Contains(axes, i%len(s.taps)) {
			continue
		}
		out[i] = 1
		if name == "pads" {
			out[i] = 0
		}
	}
	return out
}
