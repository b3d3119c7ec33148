package format

import (
	"pare/ir"
	"pare/tensor"
)

// Domain is the operator domain of the model-local functions that pare writes.
const Domain = "pare"

// Emit adds the ONNX form of e to the patch and returns the value that holds
// the decoded tensor, of element type t (Float32, Float16, BFloat16). Names
// derive from base. The model must speak opset e.Spec.Row().Opset or newer, of
// all terms of an expansion; it gets the functions that decode what standard
// operators do not.
func Emit(p *ir.Patch, m *ir.Model, base string, e *Encoded, t tensor.DType) *ir.Value {
	out := emitTerm(p, m, base, e)
	out.Type = ir.TensorType(tensor.Float32, ir.Dims(e.Codes.Shape)...)
	if t != tensor.Float32 {
		out = p.Node(base+"_cast", "Cast", []*ir.Value{out}, ir.Attr{Name: "to", Value: int64(t)})
		out.Type = ir.TensorType(t, ir.Dims(e.Codes.Shape)...)
	}
	return out
}

func emitTerm(p *ir.Patch, m *ir.Model, base string, e *Encoded) *ir.Value {
	if e.Orders != nil {
		return emitOrders(p, m, base, e)
	}
	codes := p.Const(base+"_codes", e.Codes)
	if e.Levels != nil {
		return emitTable(p, m, base, codes, e)
	}
	return emitUniform(p, base, codes, e)
}

func emitUniform(p *ir.Patch, base string, codes *ir.Value, e *Encoded) *ir.Value {
	in := []*ir.Value{codes, p.Const(base+"_scale", e.Scale)}
	if e.Zero != nil {
		in = append(in, p.Const(base+"_zero", e.Zero))
	}
	var attrs []ir.Attr
	if e.Spec.Grain != PerTensor {
		attrs = append(attrs, ir.Attr{Name: "axis", Value: int64(e.Spec.Axis)})
	}
	if e.Spec.Grain == PerBlock {
		attrs = append(attrs, ir.Attr{Name: "block_size", Value: int64(e.Spec.Block)})
	}
	return p.Node(base+"_decoded", "DequantizeLinear", in, attrs...)
}
