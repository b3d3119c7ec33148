package format

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// ResidualOp is the name of the function that adds a term on some rows.
const ResidualOp = "ResidualDequantize"

// emitTerm writes what decodes e.
func emitTerm(p *ir.Patch, m *ir.Model, base string, e *Encoded) *ir.Value {
	if e.Orders != nil {
		return emitOrders(p, m, base, e)
	}
	codes := p.Const(base+"_codes", e.Codes)
	switch e.Spec.Kind {
	case Power:
		return emitPower(p, m, base, codes, e)
	case Codebook:
		return emitCodebook(p, m, base, codes, e)
	}
	return emitUniform(p, base, codes, e)
}

// emitOrders writes the sum of the terms: Add of dense ones, the function for
// those on rows or with an offset.
func emitOrders(p *ir.Patch, m *ir.Model, base string, e *Encoded) *ir.Value {
	sum := emitTerm(p, m, base, e.Orders[0].Encoded)
	for k, o := range e.Orders[1:] {
		name := fmt.Sprintf("%s_order%d", base, k+2)
		sum.Type = ir.TensorType(tensor.Float32, ir.Dims(e.Codes.Shape)...)
		if !o.called() {
			term := emitTerm(p, m, name, o.Encoded)
			term.Type = sum.Type
			sum = p.Node(name+"_sum", "Add", []*ir.Value{sum, term})
		} else {
			sum = emitRows(p, m, name, sum, o)
		}
	}
	return sum
}

func emitRows(p *ir.Patch, m *ir.Model, base string, sum *ir.Value, o Order) *ir.Value {
	addFunction(m, ResidualOp, residualFunction)
	dim := sum.Type.Shape[o.Axis].N
	place, scales := o.place(dim)
	shape := ones(o.Codes.Rank())
	shape[o.Axis] = dim
	out := &ir.Value{Name: p.Unique(base + "_sum")}
	p.AddNode(&ir.Node{
		Name: out.Name, Op: ResidualOp, Domain: Domain, Out: []*ir.Value{out},
		In: []*ir.Value{
			sum,
			p.Const(base+"_codes", o.Codes),
			p.Const(base+"_scale", tensor.Of(shape, scales)),
			p.Const(base+"_place", placeTensor(place, o.Codes.Shape[o.Axis])),
			p.Const(base+"_offset", tensor.Scalar(o.Offset)),
		},
		Attrs: []ir.Attr{{Name: "axis", Value: int64(o.Axis)}},
	})
	return out
}

func placeTensor(place []int, rows int) *tensor.Tensor {
	wide := make([]int32, len(place))
	for i, p := range place {
		wide[i] = int32(p)
	}
	t, err := tensor.Convert(tensor.Of([]int{len(place)}, wide), placeType(rows), tensor.Options{})
	if err != nil {
		panic(err) // integers convert to integers
	}
	return t
}

// residualFunction adds Gather(codes + offset, place) times scale to x.
func residualFunction(sets []ir.Opset) *ir.Function {
	b := bodyOf(ResidualOp, "x", "codes", "scale", "place", "offset")
	axis := ir.Attr{Name: "axis", Value: ir.Ref{Name: "axis", Kind: intAttr}}
	one := b.one()
	number := b.node("DequantizeLinear", "number", nil, b.in("codes"), one)
	level := b.node("Add", "level", nil, number, b.in("offset"))
	index := b.node("Cast", "index", []ir.Attr{{Name: "to", Value: int64(tensor.Int32)}}, b.in("place"))
	row := b.node("Gather", "row", []ir.Attr{axis}, level, index)
	term := b.node("Mul", "term", nil, row, b.in("scale"))
	return b.finish(sets, []string{"axis"}, b.node("Add", "y", nil, b.in("x"), term),
		"Adds a term of a residual expansion (REx, arXiv:2203.14645) on some rows of x: index i along the axis takes "+
			"row place[i] of codes + offset times scale[i], which is 0 where the term has no row.")
}
