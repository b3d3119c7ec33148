package group

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// decoder is an operator that turns constant codes, its first operand, into
// weights.
type decoder struct {
	// scales lists the operands that have a number per index along axis of the
	// codes and where; it says why where such an axis cannot change.
	scales func(n *ir.Node, axis int) (list []scaleAxis, why string)
	// number is what a code stands for before it is scaled; zero is the code's zero
	// point.
	number func(n *ir.Node, code, zero float64) float64
	// adds reports whether codes of equal scale may be added.
	adds func(n *ir.Node) bool
}

type scaleAxis struct{ operand, axis int }

// decoders has a row per operator, with its domain before a dot.
var decoders = map[string]decoder{
	".DequantizeLinear":          {affineScales, func(_ *ir.Node, c, z float64) float64 { return c - z }, noZeros},
	"pare.PowerDequantizeLinear": {broadcastScales, levelOf, func(*ir.Node) bool { return false }},
	"pare.CodebookDequantize":    {broadcastScales, levelOf, func(*ir.Node) bool { return false }},
}

// decoding is the node that decodes a constant into v and its row; nil where there
// is none.
func decoding(v *ir.Value) (*ir.Node, *decoder) {
	if v == nil || v.Producer() == nil {
		return nil, nil
	}
	return decodes(v.Producer())
}

func decodes(n *ir.Node) (*ir.Node, *decoder) {
	d, ok := decoders[ir.CanonicalDomain(n.Domain)+"."+n.Op]
	if !ok || len(n.In) < 2 || slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v != nil && v.Const == nil }) {
		return nil, nil
	}
	return n, &d
}

// stored is the constant behind v: v itself, or the codes that it is decoded from.
func stored(v *ir.Value) *tensor.Tensor {
	if n, _ := decoding(v); n != nil {
		return n.In[0].Const
	}
	return constOf(v)
}

// affineScales: scales and zero points lie along one axis, or in blocks of it.
func affineScales(n *ir.Node, axis int) (list []scaleAxis, why string) {
	along := n.Int("axis", 1)
	if along < 0 {
		along += n.In[0].Const.Rank()
	}
	for i := 1; i < len(n.In); i++ {
		switch c := n.In[i]; {
		case c == nil || c.Const.Len() == 1 && c.Const.Rank() < 2:
		case n.Int("block_size", 0) > 0 && along == axis:
			return nil, fmt.Sprintf("%v decodes it in blocks", n)
		case c.Const.Rank() > 1:
			list = append(list, scaleAxis{i, axis})
		case along == axis:
			list = append(list, scaleAxis{i, 0})
		}
	}
	return list, ""
}

// broadcastScales: the scale has the rank of the codes.
func broadcastScales(n *ir.Node, axis int) (list []scaleAxis, why string) {
	if s := n.In[1].Const; s.Rank() > axis && s.Shape[axis] > 1 {
		list = append(list, scaleAxis{1, axis})
	}
	return list, ""
}

// levelOf is what an index into the levels, the third operand, stands for.
func levelOf(n *ir.Node, code, _ float64) float64 {
	return tensor.Float64s(n.In[2].Const)[int(code)]
}

func noZeros(n *ir.Node) bool {
	return len(n.In) < 3 || n.In[2] == nil || allZero(n.In[2].Const)
}

// linkDecoded ties the codes behind an operand of a layer to classes, and scales
// with them.
func (w *walk) linkDecoded(layer *ir.Node, n *ir.Node, d *decoder, axis int, role Role, ids []int) {
	codes := n.In[0].Const
	scales, why := d.scales(n, axis)
	switch {
	case w.rescaling():
		why = fmt.Sprintf("the weights of %v are quantised", layer)
	case len(n.Out[0].Uses()) != 1 || w.m.Graph.IsOutput(n.Out[0]):
		why = fmt.Sprintf("%q is read in several places", n.Out[0].Name)
	case axis >= codes.Rank() || codes.Shape[axis] != len(ids):
		why = fmt.Sprintf("the weights of %v have the shape %v", layer, codes.Shape)
	}
	if why != "" {
		w.u.pin(ids, why)
		return
	}
	links := []scaleAxis{{0, axis}}
	for _, s := range append(links, scales...) {
		w.a.Links = append(w.a.Links, &Link{Node: n, Operand: s.operand, Axis: s.axis, Role: role, Groups: 1, Units: ids})
	}
}

// Layer is the node that the constant is for: Node itself, or the one that reads
// what it decodes.
func (l *Link) Layer() *ir.Node {
	if n, _ := decodes(l.Node); n != nil && len(n.Out[0].Uses()) == 1 {
		return n.Out[0].Uses()[0].Node
	}
	return l.Node
}

// addCodes adds the columns of merged units where codes are numbers of one scale.
func (e *edit) addCodes(l *Link, x []float64, t *tensor.Tensor) error {
	_, d := decodes(l.Node)
	if !d.adds(l.Node) || l.Operand != 0 {
		return fmt.Errorf("%v: codes with zero points, levels or scales of their own cannot be added", l.Node)
	}
	e.merge(l, x, t.Shape)
	hi := math.Exp2(float64(t.Type.Bits())) - 1
	lo := 0.0
	if !t.Type.IsUnsigned() {
		lo, hi = -(hi+1)/2, (hi-1)/2
	}
	for _, v := range x {
		if v < lo || v > hi || v != math.Trunc(v) {
			return fmt.Errorf("%v: merging makes a code of %v, which %v cannot hold", l.Node, v, t.Type)
		}
	}
	return nil
}

// decodedNumbers are the weights that a decoder makes.
func decodedNumbers(n *ir.Node, d *decoder) ([]float64, error) {
	codes := n.In[0].Const
	x := slices.Clone(tensor.Float64s(codes))
	at := func(i, k int) (float64, error) {
		if i >= len(n.In) || n.In[i] == nil {
			return 0, nil
		}
		return broadcastAt(n, n.In[i].Const, codes, k)
	}
	for k := range x {
		zero, err := 0.0, error(nil)
		if ir.CanonicalDomain(n.Domain) == "" {
			zero, err = at(2, k)
		}
		scale, e2 := at(1, k)
		if err = errors.Join(err, e2); err != nil {
			return nil, err
		}
		x[k] = d.number(n, x[k], zero) * scale
	}
	return x, nil
}

// broadcastAt is the number of a scale that belongs to element k of the codes.
func broadcastAt(n *ir.Node, s, codes *tensor.Tensor, k int) (float64, error) {
	x := tensor.Float64s(s)
	axis := n.Int("axis", 1)
	if axis < 0 {
		axis += codes.Rank()
	}
	switch {
	case len(x) == 1:
		return x[0], nil
	case s.Rank() == 1:
		return x[k/tensor.Len(codes.Shape[axis+1:])%codes.Shape[axis]], nil
	case n.Int("block_size", 0) > 0:
		return 0, fmt.Errorf("%v decodes in blocks", n)
	}
	at := 0
	for i, size := range s.Shape {
		j := k / tensor.Len(codes.Shape[i+1:]) % codes.Shape[i]
		at = at*size + min(j, size-1)
	}
	return x[at], nil
}
