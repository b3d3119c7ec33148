package format

import (
	"pare/ir"
	"pare/tensor"
)

// The functions that decode codes by a table of levels.
const (
	PowerOp    = "PowerDequantizeLinear"
	CodebookOp = "CodebookDequantize"
)

// emitTable writes the call that decodes a power grid or a codebook.
func emitTable(p *ir.Patch, m *ir.Model, base string, codes *ir.Value, e *Encoded) *ir.Value {
	// The scale has the rank of the codes, so that Mul broadcasts it.
	shape := ones(len(e.Codes.Shape))
	if e.Spec.Grain == PerChannel {
		shape[e.Spec.Axis] = e.Codes.Shape[e.Spec.Axis]
	}
	out := &ir.Value{Name: p.Unique(base + "_decoded")}
	n := &ir.Node{
		Name: out.Name, Op: CodebookOp, Domain: Domain, Out: []*ir.Value{out},
		In: []*ir.Value{
			codes,
			p.Const(base+"_scale", e.Scale.Reshape(shape...)),
			p.Const(base+"_levels", tensor.Of([]int{len(e.Levels)}, e.Levels)),
		},
	}
	if e.Spec.Kind == Power {
		n.Op, n.Attrs = PowerOp, []ir.Attr{{Name: "exponent", Value: float32(e.Spec.Exponent)}}
		addFunction(m, powerFunction)
	} else {
		addFunction(m, codebookFunction)
	}
	p.AddNode(n)
	return out
}

func powerFunction(sets []ir.Opset) *ir.Function {
	return tableFunction(sets, PowerOp, []string{"exponent"},
		"Weights on a power grid (PowerQuant, arXiv:2301.09858). Code q stands for levels[q] * scale; "+
			"levels are proportional to sign * magnitude ** (1 / exponent) and rounded to integers.")
}

func codebookFunction(sets []ir.Opset) *ir.Function {
	return tableFunction(sets, CodebookOp, nil, "Weights in a codebook. Code q stands for levels[q] * scale.")
}

// tableFunction computes Gather(levels, codes) times scale. Gather wants 32-bit
// indices.
func tableFunction(sets []ir.Opset, name string, attrs []string, doc string) *ir.Function {
	b := bodyOf(name, "codes", "scale", "levels")
	one := b.one()
	number := b.node("DequantizeLinear", "number", nil, b.in("codes"), one)
	index := b.node("Cast", "index", []ir.Attr{{Name: "to", Value: int64(tensor.Int32)}}, number)
	level := b.node("Gather", "level", []ir.Attr{{Name: "axis", Value: int64(0)}}, b.in("levels"), index)
	return b.finish(sets, attrs, b.node("Mul", "y", nil, level, b.in("scale")), doc)
}
