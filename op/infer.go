package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// maxData is the largest number of elements of an integer value whose contents
// inference follows.
const maxData = 1024

// maxInferred bounds the number of node applications of one inference:
// functions that call functions can describe exponentially many.
const maxInferred = 10_000_000

// Inference is what is known of a model before it runs.
type Inference struct {
	data map[*ir.Value][]ir.Dim
}

// Data returns the elements of a small integer value, in C order, as far as they
// are known before running: numbers (negative ones as Dim{N: n}), symbols, or
// UnknownElem. ok is false when not even their number is known.
func (inf *Inference) Data(v *ir.Value) (elems []ir.Dim, ok bool) {
	if elems, ok = inf.data[v]; ok {
		return elems, true
	}
	return constData(v)
}

// Ints is Data where all elements are numbers.
func (inf *Inference) Ints(v *ir.Value) ([]int, bool) {
	elems, ok := inf.Data(v)
	if !ok {
		return nil, false
	}
	return numbers(elems)
}

// InferOptions are the settings of InferWith.
type InferOptions struct {
	// Strict reports operators that the table does not know and results whose
	// type stays unknown.
	Strict bool
	// Redo ignores the types that the model declares for values other than inputs,
	// outputs and constants.
	Redo bool
}

// Infer fills in the types of all values of the model, sub-graphs included. A
// type that the model declares is merged with the inferred one; a contradiction
// is an error that names the node. Values that depend on unknown operators keep
// what the model declares.
func Infer(m *ir.Model) (*Inference, error) { return InferWith(m, InferOptions{}) }

// InferWith is Infer with options.
func InferWith(m *ir.Model, o InferOptions) (*Inference, error) {
	r := &inferrer{m: m, o: o, types: map[*ir.Value]ir.Type{}, data: map[*ir.Value][]ir.Dim{}, opsets: m.Opsets, budget: new(int)}
	*r.budget = maxInferred
	if err := r.graph(m.Graph); err != nil {
		return nil, err
	}
	for v, t := range r.types {
		v.Type = t
	}
	return &Inference{data: r.data}, nil
}

// InferNode returns the types of n's results from the types of its operands,
// for an operator of the table; opset is the version of its domain. It follows
// no sub-graphs.
func InferNode(n *ir.Node, opset int, in []ir.Type) ([]ir.Type, error) {
	d := Find(n.Domain, n.Op)
	if d == nil {
		return nil, fmt.Errorf("%v: pare does not know this operator", n)
	}
	r := &inferrer{types: map[*ir.Value]ir.Type{}, data: map[*ir.Value][]ir.Dim{}, opsets: []ir.Opset{{Domain: d.Domain, Version: opset}}, budget: new(int)}
	*r.budget = maxInferred
	c, err := r.rule(d, n, in)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", n, err)
	}
	return c.Out, nil
}

// inferrer is one inference: of the model's graph with its sub-graphs, or of
// one function call. Types of what it covers lie in types, not in the values,
// because a function body has other types at every call.
type inferrer struct {
	m      *ir.Model
	o      InferOptions
	opsets []ir.Opset
	types  map[*ir.Value]ir.Type
	data   map[*ir.Value][]ir.Dim
	depth  int
	budget *int
}

// typeOf is what is known of v.
func (r *inferrer) typeOf(v *ir.Value) ir.Type {
	if t, ok := r.types[v]; ok {
		return t
	}
	if v.Const != nil && v.Producer() == nil && v.Type.Kind == ir.KindUnknown {
		return ir.TypeOf(v.Const)
	}
	if r.o.Redo && v.Producer() != nil {
		return ir.Type{}
	}
	return v.Type
}

func (r *inferrer) graph(g *ir.Graph) error {
	if r.depth > maxDepth {
		return fmt.Errorf("sub-graphs and functions are nested more than %d deep; does a function call itself?", maxDepth)
	}
	outputs := map[*ir.Value]ir.Type{}
	for _, v := range g.Outputs {
		outputs[v] = v.Type // declared ones count even where Redo ignores others
	}
	for _, n := range g.Nodes {
		if err := r.node(n, outputs); err != nil {
			return err
		}
	}
	return nil
}

func (r *inferrer) node(n *ir.Node, outputs map[*ir.Value]ir.Type) error {
	if *r.budget--; *r.budget < 0 {
		return fmt.Errorf("%v: functions expand to more than %d nodes", n, maxInferred)
	}
	in := make([]ir.Type, len(n.In))
	for i, v := range n.In {
		if v != nil {
			in[i] = r.typeOf(v)
		}
	}
	out, err := r.apply(n, in)
	if err != nil {
		return fmt.Errorf("%v: %w", n, err)
	}
	for i, v := range n.Out {
		if v == nil {
			continue
		}
		declared, isOut := outputs[v]
		if !isOut {
			declared = r.typeOf(v)
		}
		t, err := ir.Merge(declared, out[i])
		if err != nil {
			return fmt.Errorf("%v: result %q: the model declares %v, the operator gives %v", n, v.Name, declared, out[i])
		}
		if r.o.Strict && t.Kind == ir.KindUnknown {
			return fmt.Errorf("%v: the type of result %q cannot be inferred", n, v.Name)
		}
		r.types[v] = t
	}
	return nil
}

// apply returns the types of the results, all unknown where the operator is.
func (r *inferrer) apply(n *ir.Node, in []ir.Type) ([]ir.Type, error) {
	if r.m != nil {
		if f := r.m.Function(n); f != nil {
			return r.call(f, n, in)
		}
	}
	d := Find(n.Domain, n.Op)
	if d == nil || d.Infer == nil {
		if r.o.Strict {
			return nil, fmt.Errorf("pare has no shape rule for this operator")
		}
		return make([]ir.Type, len(n.Out)), nil
	}
	c, err := r.rule(d, n, in)
	if err != nil {
		return nil, err
	}
	for i, v := range n.Out {
		if v != nil && i < len(c.outData) && c.outData[i] != nil && c.fits(i) {
			r.data[v] = c.outData[i]
		}
	}
	return c.Out, nil
}

// rule runs the shape rule of d.
func (r *inferrer) rule(d *Def, n *ir.Node, in []ir.Type) (c *Shape, err error) {
	if err := d.checkArity(n); err != nil {
		return nil, err
	}
	c = &Shape{Node: n, Version: versionOf(d, r.opsets), In: in, Out: make([]ir.Type, len(n.Out)), data: make([][]ir.Dim, len(n.In))}
	for i, v := range n.In {
		if v == nil {
			continue
		}
		if elems, ok := r.data[v]; ok {
			c.data[i] = elems
		} else if elems, ok := constData(v); ok {
			c.data[i] = elems
		}
	}
	c.Sub = func(g *ir.Graph, in []ir.Type) ([]ir.Type, error) { return r.sub(g, in) }
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the operator does not allow operands of types %v (%v)", in, p)
		}
	}()
	return c, d.Infer(c)
}

// fits reports whether result i has as many elements as were recorded for it.
// Rules for elementwise operators take elements for those of vectors; where they
// come from a matrix, this tells.
func (c *Shape) fits(i int) bool {
	shape, ok := c.Out[i].Sizes()
	return !ok || tensor.Len(shape) == len(c.outData[i])
}

// sub infers a sub-graph with the given input types.
func (r *inferrer) sub(g *ir.Graph, in []ir.Type) ([]ir.Type, error) {
	r.depth++
	defer func() { r.depth-- }()
	for i, v := range g.Inputs {
		t := r.typeOf(v)
		if i < len(in) {
			merged, err := ir.Merge(t, in[i])
			if err != nil {
				return nil, fmt.Errorf("input %q of sub-graph %q: %w", v.Name, g.Name, err)
			}
			t = merged
		}
		r.types[v] = t
	}
	if err := r.graph(g); err != nil {
		return nil, err
	}
	out := make([]ir.Type, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = r.typeOf(v)
	}
	return out, nil
}

// call infers the body of a function for one call.
func (r *inferrer) call(f *ir.Function, n *ir.Node, in []ir.Type) ([]ir.Type, error) {
	body, err := instantiate(f, n)
	if err != nil {
		return nil, err
	}
	if len(in) > len(body.Inputs) || len(n.Out) > len(body.Outputs) {
		return nil, fmt.Errorf("%d operands and %d results; the function has %d and %d",
			len(in), len(n.Out), len(body.Inputs), len(body.Outputs))
	}
	inner := &inferrer{m: r.m, o: r.o, opsets: functionOpsets(f, r.opsets), depth: r.depth + 1,
		types: map[*ir.Value]ir.Type{}, data: map[*ir.Value][]ir.Dim{}, budget: r.budget}
	for i, v := range body.Inputs {
		if i >= len(in) || n.In[i] == nil {
			continue
		}
		inner.types[v] = in[i]
		if elems, ok := r.data[n.In[i]]; ok {
			inner.data[v] = elems
		} else if elems, ok := constData(n.In[i]); ok {
			inner.data[v] = elems
		}
	}
	if err := inner.graph(body); err != nil {
		return nil, err
	}
	out := make([]ir.Type, len(n.Out))
	for i := range out {
		out[i] = inner.typeOf(body.Outputs[i])
		if elems, ok := inner.data[body.Outputs[i]]; ok && n.Out[i] != nil {
			r.data[n.Out[i]] = elems
		}
	}
	return out, nil
}

// constData is the elements of a small integer constant of rank 0 or 1; those
// of booleans are 0 and 1.
func constData(v *ir.Value) ([]ir.Dim, bool) {
	t := v.Const
	if t == nil || t.Rank() > 1 || t.Len() > maxData || t.Type != tensor.Int64 && t.Type != tensor.Int32 && t.Type != tensor.Bool {
		return nil, false
	}
	if t.Type == tensor.Bool {
		list := make([]ir.Dim, t.Len())
		for i, x := range tensor.Data[bool](t) {
			list[i] = num(boolInt(x))
		}
		return list, true
	}
	list, err := intsOf(t)
	if err != nil {
		return nil, false
	}
	return knownElems(list), true
}

// knownElems turns numbers into elements of Data.
func knownElems(list []int) []ir.Dim {
	out := make([]ir.Dim, len(list))
	for i, n := range list {
		out[i] = ir.Dim{N: n}
	}
	return out
}

// numbers is the inverse of knownElems, false where an element is no number.
func numbers(elems []ir.Dim) ([]int, bool) {
	out := make([]int, len(elems))
	for i, d := range elems {
		if !isNumber(d) {
			return nil, false
		}
		out[i] = d.N
	}
	return out, true
}
