package format

import (
	"pare/ir"
	"pare/tensor"
)

// CodebookOp is the name of the function that decodes codebooks.
const CodebookOp = "CodebookDequantize"

// emitCodebook writes the call of the function that decodes a codebook.
func emitCodebook(p *ir.Patch, m *ir.Model, base string, codes *ir.Value, e *Encoded) *ir.Value {
	addFunction(m, CodebookOp, codebookFunction)
	shape := ones(e.Codes.Rank()) // of the scale, so that Mul broadcasts it
	if e.Spec.Grain == PerChannel {
		shape[e.Spec.Axis] = e.Codes.Shape[e.Spec.Axis]
	}
	out := &ir.Value{Name: p.Unique(base + "_decoded")}
	p.AddNode(&ir.Node{
		Name: out.Name, Op: CodebookOp, Domain: Domain, Out: []*ir.Value{out},
		In: []*ir.Value{
			codes,
			p.Const(base+"_scale", e.Scale.Reshape(shape...)),
			p.Const(base+"_levels", tensor.Of([]int{len(e.Levels)}, e.Levels)),
		},
	})
	return out
}

// codebookFunction computes what the power function does, on any levels.
func codebookFunction(sets []ir.Opset) *ir.Function {
	f := powerFunction(sets)
	f.Name, f.Body.Name, f.Attrs = CodebookOp, CodebookOp, nil
	f.Doc = "Weights in a codebook. Code q stands for levels[q] * scale."
	return f
}
