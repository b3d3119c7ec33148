package ir

import (
	"fmt"
	"slices"

	"pare/tensor"
)

// Value is an edge of the graph: produced once, read any number of times.
type Value struct {
	Name string
	Type Type
	// Const is the data of a constant; nil for everything computed at run
	// time. Its bytes may be mapped: clone before writing.
	Const *tensor.Tensor
	// Sparse is the stored form of a constant kept in coordinate form; Const
	// then holds it expanded.
	Sparse *tensor.Sparse
	// Stats are the channel statistics of the value, nil when unknown.
	Stats *Stats
	// Declared says that the model states the type itself (value_info).
	Declared bool
	Doc      string
	// Extra holds what the file format says of the value and pare does not
	// interpret, in the file format's own encoding.
	Extra []byte

	producer *Node
	uses     []Use
}

// Use is one place where a value is read.
type Use struct {
	Node *Node
	In   int // index in Node.In; -1-k for a capture by the node's k-th sub-graph
}

// Stats are per-channel statistics of a value, of length C along Axis.
type Stats struct {
	Axis   int
	Mean   []float64
	Std    []float64
	Lo, Hi []float64 // range known to hold or estimated; nil when unknown
	Source string    // where they come from, such as "batch-norm bn1"
}

// Producer is the node that computes v; nil for inputs and constants.
func (v *Value) Producer() *Node { return v.producer }

// Uses lists where v is read, sub-graphs included, graph outputs not. The
// slice is read-only.
func (v *Value) Uses() []Use { return v.uses }

// NewConst returns an unattached constant; Patch.AddConst attaches it.
func NewConst(name string, t *tensor.Tensor) *Value {
	return &Value{Name: name, Type: TypeOf(t), Const: t}
}

// Attr is a named attribute. Value is one of int64, float32, string,
// *tensor.Tensor, *tensor.Sparse, *Graph, Type, slices of these, or Ref.
type Attr struct {
	Name  string
	Value any
	Doc   string
	Extra []byte
}

// Ref is the attribute value that stands for an attribute of the function in
// whose body it occurs. Kind is the file format's number of the attribute type.
type Ref struct {
	Name string
	Kind int
}

// Node is one operator application.
type Node struct {
	Name, Op string
	Domain   string // "" is the standard operator set
	Overload string
	In       []*Value // nil where an optional operand is left out
	Out      []*Value // nil where an optional result is not wanted
	Attrs    []Attr
	Doc      string
	Metadata []KV
	Extra    []byte
}

// KV is one entry of ordered metadata.
type KV struct{ Key, Value string }

// Graph is a directed acyclic graph; Nodes are in topological order. A
// sub-graph (the body of If, Loop, Scan) may read values of the graphs around it.
type Graph struct {
	Name     string
	Inputs   []*Value
	Outputs  []*Value
	Consts   []*Value // every constant of the graph, used or not
	Nodes    []*Node
	Doc      string
	Metadata []KV
	Extra    []byte

	edits int
}

// Edits counts the patches that were applied to the graph itself: what follows from
// the graph holds as long as the count does.
func (g *Graph) Edits() int { return g.edits }

// Opset says which version of an operator set a model speaks.
type Opset struct {
	Domain  string
	Version int
}

// Function is an operator defined by the model itself.
type Function struct {
	Name, Domain, Overload string
	Attrs                  []string // required attribute names
	Defaults               []Attr
	Opsets                 []Opset
	Body                   *Graph // Inputs and Outputs are the formal parameters
	Doc                    string
	Metadata               []KV
	Extra                  []byte
}

// Model is a graph with what surrounds it in a file.
type Model struct {
	Graph                     *Graph
	Opsets                    []Opset
	Functions                 []*Function
	IRVersion                 int64
	Producer, ProducerVersion string
	Domain                    string
	Version                   int64
	Doc                       string
	Metadata                  []KV
	Extra                     []byte
}

// Opset is the version of the operator set called domain, 0 when the model
// does not import it.
func (m *Model) Opset(domain string) int { return FindOpset(m.Opsets, domain) }

// FindOpset is the version of domain in a list, 0 when absent. "" and
// "ai.onnx" are the same domain.
func FindOpset(sets []Opset, domain string) int {
	for _, o := range sets {
		if CanonicalDomain(o.Domain) == CanonicalDomain(domain) {
			return o.Version
		}
	}
	return 0
}

// CanonicalDomain maps the two spellings of the standard domain to "".
func CanonicalDomain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}

// SetOpset sets the version of a domain, importing it when absent.
func (m *Model) SetOpset(domain string, version int) {
	for i, o := range m.Opsets {
		if CanonicalDomain(o.Domain) == CanonicalDomain(domain) {
			m.Opsets[i].Version = version
			return
		}
	}
	m.Opsets = append(m.Opsets, Opset{domain, version})
}

// Function finds the model-local function that n calls, nil when n is an
// ordinary operator.
func (m *Model) Function(n *Node) *Function {
	for _, f := range m.Functions {
		if f.Name == n.Op && CanonicalDomain(f.Domain) == CanonicalDomain(n.Domain) && f.Overload == n.Overload {
			return f
		}
	}
	return nil
}

// Meta looks a metadata key up.
func (m *Model) Meta(key string) (string, bool) {
	for _, kv := range m.Metadata {
		if kv.Key == key {
			return kv.Value, true
		}
	}
	return "", false
}

// SetMeta sets a metadata key, in place when it exists.
func (m *Model) SetMeta(key, value string) {
	for i := range m.Metadata {
		if m.Metadata[i].Key == key {
			m.Metadata[i].Value = value
			return
		}
	}
	m.Metadata = append(m.Metadata, KV{key, value})
}

// Value finds a value of the graph (not of its sub-graphs) by name, nil when
// there is none.
func (g *Graph) Value(name string) *Value {
	for v := range g.Values {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// Values yields every value of the graph once: inputs, constants, results.
func (g *Graph) Values(yield func(*Value) bool) {
	for _, v := range g.Inputs {
		if !yield(v) {
			return
		}
	}
	isInput := g.inputSet()
	for _, v := range g.Consts {
		if isInput(v) { // a constant that is an overridable input
			continue
		}
		if !yield(v) {
			return
		}
	}
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			if v != nil && !yield(v) {
				return
			}
		}
	}
}

// inputSet tells the inputs of g from other values, fast for many of them.
func (g *Graph) inputSet() func(*Value) bool {
	if len(g.Inputs) < 16 {
		return func(v *Value) bool { return slices.Contains(g.Inputs, v) }
	}
	set := make(map[*Value]bool, len(g.Inputs))
	for _, v := range g.Inputs {
		set[v] = true
	}
	return func(v *Value) bool { return set[v] }
}

// FixedBatch is the number of samples that a network with these inputs takes at
// a time, where their first dimension is a number; 0 where it is open.
func FixedBatch(inputs []*Value) int {
	n := 0
	for _, v := range inputs {
		if v.Const != nil || v.Type.Rank() < 2 {
			continue
		}
		if d := v.Type.Shape[0]; !d.IsKnown() || n != 0 && d.N != n {
			return 0
		}
		n = v.Type.Shape[0].N
	}
	return n
}

// IsOutput reports whether v is an output of g.
func (g *Graph) IsOutput(v *Value) bool { return slices.Contains(g.Outputs, v) }

// Bind computes producers and uses from scratch, for a graph that was built by
// hand (a reader, a parser) rather than by patches. It includes sub-graphs.
func (g *Graph) Bind() {
	g.reset()
	for _, n := range g.Nodes {
		n.addUses()
	}
}

func (g *Graph) reset() {
	for v := range g.Values {
		v.uses, v.producer = nil, nil
	}
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			if v != nil {
				v.producer = n
			}
		}
		for _, s := range n.Subgraphs() {
			s.reset()
		}
	}
}

// addUses records what n and the nodes of its sub-graphs read.
func (n *Node) addUses() {
	for i, v := range n.In {
		if v != nil {
			v.uses = append(v.uses, Use{n, i})
		}
	}
	for k, s := range n.Subgraphs() {
		for _, v := range s.Captures() {
			v.uses = append(v.uses, Use{n, -1 - k})
		}
		for _, m := range s.Nodes {
			m.addUses()
		}
	}
}

func (n *Node) dropUses() {
	drop := func(v *Value) {
		if v != nil {
			v.uses = slices.DeleteFunc(slices.Clone(v.uses), func(u Use) bool { return u.Node == n })
		}
	}
	for _, v := range n.In {
		drop(v)
	}
	for _, s := range n.Subgraphs() {
		for _, v := range s.Captures() {
			drop(v)
		}
		for _, m := range s.Nodes {
			m.dropUses()
		}
	}
}

// Captures lists the values that g and its sub-graphs read from outside g, each
// once, in order of first reading.
func (g *Graph) Captures() []*Value {
	own := map[*Value]bool{}
	for v := range g.Values {
		own[v] = true
	}
	var out []*Value
	seen := map[*Value]bool{}
	read := func(v *Value) {
		if v != nil && !own[v] && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			read(v)
		}
		for _, s := range n.Subgraphs() {
			for _, v := range s.Captures() {
				read(v)
			}
		}
	}
	for _, v := range g.Outputs {
		read(v)
	}
	return out
}

// Subgraphs lists the graphs among the node's attributes, in order.
func (n *Node) Subgraphs() []*Graph {
	var out []*Graph
	for _, a := range n.Attrs {
		switch x := a.Value.(type) {
		case *Graph:
			out = append(out, x)
		case []*Graph:
			out = append(out, x...)
		}
	}
	return out
}

// Label is the name of the node, that of its first result where it has none, or its
// operator.
func (n *Node) Label() string {
	if n.Name != "" {
		return n.Name
	}
	for _, v := range n.Out {
		if v != nil {
			return v.Name
		}
	}
	return n.Op
}

// String names the node for messages: `Conv "conv1"`, with its first result
// where it has no name.
func (n *Node) String() string {
	name := n.Name
	if name == "" {
		for _, v := range n.Out {
			if v != nil {
				name = v.Name
				break
			}
		}
	}
	op := n.Op
	if d := CanonicalDomain(n.Domain); d != "" {
		op = d + "::" + op
	}
	return fmt.Sprintf("%s %q", op, name)
}
