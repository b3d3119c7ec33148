package format

import (
	"pare/ir"
	"pare/tensor"
)

// Domain is the operator domain of the model-local functions that pare writes.
const Domain = "pare"

// PowerOp is the name of the function that decodes power grids.
const PowerOp = "PowerDequantizeLinear"

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

func emitPower(p *ir.Patch, m *ir.Model, base string, codes *ir.Value, e *Encoded) *ir.Value {
	addFunction(m, PowerOp, powerFunction)
	// The scale has the rank of the codes, so that Mul broadcasts it.
	shape := make([]int, len(e.Codes.Shape))
	for i := range shape {
		shape[i] = 1
	}
	if e.Spec.Grain == PerChannel {
		shape[e.Spec.Axis] = e.Codes.Shape[e.Spec.Axis]
	}
	out := &ir.Value{Name: p.Unique(base + "_decoded")}
	p.AddNode(&ir.Node{
		Name: out.Name, Op: PowerOp, Domain: Domain, Out: []*ir.Value{out},
		In: []*ir.Value{
			codes,
			p.Const(base+"_scale", e.Scale.Reshape(shape...)),
			p.Const(base+"_levels", tensor.Of([]int{len(e.Levels)}, e.Levels)),
		},
		Attrs: []ir.Attr{exponentAttr(e.Spec.Exponent)},
	})
	return out
}

// addFunction gives the model one of pare's functions, or brings its operator
// set up to the model's.
func addFunction(m *ir.Model, name string, body func([]ir.Opset) *ir.Function) {
	if m.Opset(Domain) == 0 {
		m.SetOpset(Domain, 1)
	}
	sets := []ir.Opset{{Domain: "", Version: m.Opset("")}}
	for _, f := range m.Functions {
		if f.Name == name && f.Domain == Domain {
			f.Opsets = sets
			return
		}
	}
	m.Functions = append(m.Functions, body(sets))
	m.IRVersion = max(m.IRVersion, 8) // the first with functions
}

// powerFunction computes Gather(levels, codes) times scale. Gather wants 32-bit
// indices; the way there leads through DequantizeLinear with scale 1, which
// reads packed codes in more runtimes than Cast does.
func powerFunction(sets []ir.Opset) *ir.Function {
	val := func(name string) *ir.Value { return &ir.Value{Name: name} }
	codes, scale, levels := val("codes"), val("scale"), val("levels")
	one, number, index, level, y := val("one"), val("number"), val("index"), val("level"), val("y")
	body := &ir.Graph{
		Name: PowerOp, Inputs: []*ir.Value{codes, scale, levels}, Outputs: []*ir.Value{y},
		Nodes: []*ir.Node{
			bodyNode("Constant", one, []ir.Attr{{Name: "value", Value: tensor.Scalar(float32(1))}}),
			bodyNode("DequantizeLinear", number, nil, codes, one),
			bodyNode("Cast", index, []ir.Attr{{Name: "to", Value: int64(tensor.Int32)}}, number),
			bodyNode("Gather", level, []ir.Attr{{Name: "axis", Value: int64(0)}}, levels, index),
			bodyNode("Mul", y, nil, level, scale),
		},
	}
	body.Bind()
	return &ir.Function{
		Name: PowerOp, Domain: Domain, Opsets: sets, Body: body,
		Attrs: []string{"exponent"},
		Doc: "Weights on a power grid (PowerQuant, arXiv:2301.09858). Code q stands for levels[q] * scale; " +
			"levels are proportional to sign * magnitude ** (1 / exponent) and rounded to integers.",
	}
}
