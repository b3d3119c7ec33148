package op

import (
	"context"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// Variadic as Def.Max means any number of operands or results.
const Variadic = -1

// Arity is the smallest and largest number of operands or results. Max may be
// Variadic.
type Arity struct{ Min, Max int }

// Def is one operator: everything pare knows about it in one row.
type Def struct {
	Name   string
	Domain string // "" is the standard operator set
	// Versions are the opset versions in which the schema changed, ascending.
	// The row serves every version from the first on; where semantics differ,
	// Infer and Eval look at Version.
	Versions []int
	In, Out  Arity
	// Infer sets the types of the results. What it cannot know it leaves unset.
	Infer func(c *Shape) error
	// Eval is the reference evaluation. Clarity before speed.
	Eval func(c *Eval) error
	// Raise maps a schema version v to the rewrite of a node from the version
	// before v. A version without entry only widens what is allowed, so that
	// nodes stay as they are.
	Raise map[int]func(c *Raising) error
	// Random marks operators whose result is not a function of operands and
	// attributes; they are never folded.
	Random bool
	// MACs counts multiply-accumulates from the shapes of operands and first
	// result; nil for operators whose cost is not counted.
	MACs func(n *ir.Node, in [][]int, out []int) (int64, bool)
}

// Val is a run-time value: *tensor.Tensor, *Sequence, *Optional, or nil for an
// operand that was left out.
type Val any

// Sequence is a list of tensors of one element type, or of other values.
type Sequence struct {
	Elems []Val
	Type  ir.Type // of the elements; may be unknown
}

// Optional holds a value or nothing.
type Optional struct {
	Elem Val // nil when empty
	Type ir.Type
}

// Eval carries one application through a reference evaluation: operands and
// attributes in, results out.
type Eval struct {
	Ctx     context.Context
	Node    *ir.Node
	Version int // opset version in force for the node's domain
	In      []Val
	Out     []Val // as long as Node.Out; Eval fills it
	// Run evaluates a sub-graph of the node with the given inputs, in the
	// scope of the node.
	Run func(g *ir.Graph, in []Val) ([]Val, error)

	limit int64 // bound of New in bytes; 0 is DefaultMaxBytes
}

// Has reports whether operand i is present.
func (c *Eval) Has(i int) bool { return i < len(c.In) && c.In[i] != nil }

// Tensor returns operand i as a tensor, nil when it was left out or is not a
// tensor.
func (c *Eval) Tensor(i int) *tensor.Tensor {
	if i >= len(c.In) {
		return nil
	}
	t, _ := c.In[i].(*tensor.Tensor)
	return t
}

// Set stores result i; results that the node does not want are dropped.
func (c *Eval) Set(i int, v Val) {
	if i < len(c.Out) {
		c.Out[i] = v
	}
}

// Shape carries one application through shape inference.
type Shape struct {
	Node    *ir.Node
	Version int
	In      []ir.Type // KindUnknown where an operand is left out
	Out     []ir.Type // as long as Node.Out; Infer fills it
	// Sub infers a sub-graph of the node with the given input types and
	// returns its output types.
	Sub func(g *ir.Graph, in []ir.Type) ([]ir.Type, error)

	// data are the known elements of small integer operands and results
	// (shapes, axes), symbolic where needed; nil when unknown.
	data    [][]ir.Dim
	outData [][]ir.Dim
}

// Has reports whether operand i is present.
func (c *Shape) Has(i int) bool { return i < len(c.Node.In) && c.Node.In[i] != nil }

// Const returns operand i when it is a constant of the graph, else nil.
func (c *Shape) Const(i int) *tensor.Tensor {
	if !c.Has(i) {
		return nil
	}
	return c.Node.In[i].Const
}

// Data returns the elements of a small integer operand, in C order, as
// dimensions, as far as they are known before running (negative numbers occur
// as Dim{N: negative}). ok is false when not even their number is known.
func (c *Shape) Data(i int) (elems []ir.Dim, ok bool) {
	if !c.Has(i) {
		return nil, false
	}
	if i < len(c.data) && c.data[i] != nil {
		return c.data[i], true
	}
	return nil, false
}

// Ints is Data where all elements are numbers.
func (c *Shape) Ints(i int) ([]int, bool) {
	elems, ok := c.Data(i)
	if !ok {
		return nil, false
	}
	return numbers(elems)
}

// SetData records the elements of integer result i.
func (c *Shape) SetData(i int, elems []ir.Dim) {
	for len(c.outData) <= i {
		c.outData = append(c.outData, nil)
	}
	c.outData[i] = elems
}

// Set stores the type of result i; results that the node does not want are
// dropped.
func (c *Shape) Set(i int, t ir.Type) {
	if i < len(c.Out) {
		c.Out[i] = t
	}
}

// Raising carries one node through a rewrite to a newer schema.
type Raising struct {
	Node  *ir.Node
	Patch *ir.Patch
	To    int // the schema version being reached
}

// Find returns the row of a node's operator, nil when pare does not know it.
func Find(domain, name string) *Def { return byName[key{ir.CanonicalDomain(domain), name}] }

type key struct{ domain, name string }

var byName = map[key]*Def{}

// init rather than an initialiser: rows may refer to functions that call Find.
func init() {
	for i := range Table {
		d := &Table[i]
		k := key{d.Domain, d.Name}
		if byName[k] != nil {
			panic(fmt.Sprintf("operator %s::%s has two rows", d.Domain, d.Name))
		}
		byName[k] = d
	}
}

// unknownElem marks an element of Data about which nothing is known. Negative
// sizes are legitimate elements (axes, -1 in Reshape), so Unknown, whose N is
// -1, cannot be told from the number -1 by IsKnown alone.
const unknownElem = "?"

// UnknownElem is the element of Data about which nothing is known.
func UnknownElem() ir.Dim { return ir.Dim{N: -1, Sym: unknownElem} }

func isNumber(d ir.Dim) bool { return d.Sym == "" }
