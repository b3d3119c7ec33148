package op

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"pare/ir"
	"pare/tensor"
)

// DefaultMaxBytes bounds one result of a reference evaluation, unless an
// Interp says otherwise.
const DefaultMaxBytes = 8 << 30

// maxDepth bounds the nesting of sub-graphs and function calls, so that
// functions that call each other in a circle are reported.
const maxDepth = 100

// Interp evaluates a model by the reference evaluations of the operator table:
// slow and obvious, what engines are compared with. An Interp may be used by
// one goroutine at a time; the model must not change while it is in use.
type Interp struct {
	Model *ir.Model
	// MaxBytes bounds every single result; 0 means DefaultMaxBytes.
	MaxBytes int64
	// Observe, when set, sees every result of every node right after it was
	// computed, those of sub-graphs and function bodies included.
	Observe func(n *ir.Node, v *ir.Value, x Val)

	plans  map[*ir.Graph]*plan
	bodies map[*ir.Node]*ir.Graph // of functions, by call
}

// Run evaluates the model's graph. Inputs are looked up by name; those that
// have a default (a constant of the same value) may be left out. The results
// are in the order of the graph's outputs.
func Run(ctx context.Context, m *ir.Model, inputs map[string]Val) ([]Val, error) {
	return (&Interp{Model: m}).Run(ctx, inputs)
}

// RunList is Run with the inputs in the order of the graph's inputs; nil leaves
// one out that has a default.
func RunList(ctx context.Context, m *ir.Model, inputs []Val) ([]Val, error) {
	return (&Interp{Model: m}).RunList(ctx, inputs)
}

// Run is the package's Run with the settings of r.
func (r *Interp) Run(ctx context.Context, inputs map[string]Val) ([]Val, error) {
	list := make([]Val, len(r.Model.Graph.Inputs))
	found := 0
	for i, v := range r.Model.Graph.Inputs {
		if x, ok := inputs[v.Name]; ok {
			list[i] = x
			found++
		}
	}
	if found < len(inputs) {
		for name := range inputs {
			if v := r.Model.Graph.Value(name); v == nil || v.Producer() != nil {
				return nil, fmt.Errorf("the model has no input called %q", name)
			}
		}
	}
	return r.RunList(ctx, list)
}

// RunList is the package's RunList with the settings of r.
func (r *Interp) RunList(ctx context.Context, inputs []Val) ([]Val, error) {
	s := &scope{interp: r, ctx: ctx, opsets: r.Model.Opsets}
	return s.graph(r.Model.Graph, inputs)
}

// Node evaluates one node of the model's graph with the given operands.
// Lookup finds the values that the node's sub-graphs capture; it may be nil
// for nodes that have none.
func (r *Interp) Node(ctx context.Context, n *ir.Node, in []Val, lookup func(*ir.Value) (Val, bool)) ([]Val, error) {
	s := &scope{interp: r, ctx: ctx, opsets: r.Model.Opsets, lookup: lookup}
	return s.apply(n, in)
}

// scope is one activation of a graph.
type scope struct {
	interp *Interp
	ctx    context.Context
	outer  *scope // nil at the top of the model and of a function
	vals   map[*ir.Value]Val
	lookup func(*ir.Value) (Val, bool)
	opsets []ir.Opset
	depth  int
}

// find returns the run-time value of v in s or around it.
func (s *scope) find(v *ir.Value) (Val, error) {
	for at := s; at != nil; at = at.outer {
		if x, ok := at.vals[v]; ok {
			return x, nil
		}
		if at.lookup != nil {
			if x, ok := at.lookup(v); ok {
				return x, nil
			}
		}
	}
	if v.Const != nil {
		return v.Const, nil
	}
	return nil, fmt.Errorf("value %q is not available", v.Name)
}

// graph evaluates g in the scope s, which becomes its activation.
func (s *scope) graph(g *ir.Graph, inputs []Val) ([]Val, error) {
	if s.depth > maxDepth {
		return nil, fmt.Errorf("sub-graphs and functions are nested more than %d deep; does a function call itself?", maxDepth)
	}
	if len(inputs) > len(g.Inputs) {
		return nil, fmt.Errorf("graph %q takes %d inputs, %d given", g.Name, len(g.Inputs), len(inputs))
	}
	s.vals = make(map[*ir.Value]Val, len(g.Nodes)+len(inputs))
	for i, v := range g.Inputs {
		if i < len(inputs) && inputs[i] != nil {
			s.vals[v] = inputs[i]
		} else if v.Const == nil && s.depth == 0 {
			return nil, fmt.Errorf("input %q (%v) is missing", v.Name, v.Type)
		} else if v.Const == nil {
			s.vals[v] = nil // an optional operand of a function, left out
		}
	}
	p := s.interp.plan(g)
	for i, n := range g.Nodes {
		if err := s.step(n); err != nil {
			return nil, err
		}
		for _, v := range p.last[i] {
			delete(s.vals, v)
		}
	}
	out := make([]Val, len(g.Outputs))
	for i, v := range g.Outputs {
		x, err := s.find(v)
		if err != nil {
			return nil, fmt.Errorf("output of graph %q: %w", g.Name, err)
		}
		out[i] = x
	}
	return out, nil
}

// step evaluates one node of the activation.
func (s *scope) step(n *ir.Node) error {
	in := make([]Val, len(n.In))
	for i, v := range n.In {
		if v == nil {
			continue
		}
		x, err := s.find(v)
		if err != nil {
			return fmt.Errorf("%v: operand %d: %w", n, i, err)
		}
		in[i] = x
	}
	out, err := s.apply(n, in)
	if err != nil {
		return err
	}
	for i, v := range n.Out {
		if v == nil {
			continue
		}
		s.vals[v] = out[i]
		if s.interp.Observe != nil {
			s.interp.Observe(n, v, out[i])
		}
	}
	return nil
}

// apply evaluates one application of an operator or function.
func (s *scope) apply(n *ir.Node, in []Val) ([]Val, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	if f := s.interp.Model.Function(n); f != nil {
		return s.call(f, n, in)
	}
	d, version, err := s.resolve(n)
	if err != nil {
		return nil, err
	}
	c := &Eval{Ctx: s.ctx, Node: n, Version: version, In: in, Out: make([]Val, len(n.Out)), limit: s.interp.MaxBytes}
	c.Run = func(g *ir.Graph, in []Val) ([]Val, error) {
		inner := &scope{interp: s.interp, ctx: s.ctx, outer: s, opsets: s.opsets, depth: s.depth + 1}
		return inner.graph(g, in)
	}
	if err := d.checkArity(n); err != nil {
		return nil, fmt.Errorf("%v: %w", n, err)
	}
	if err := guarded(d, c); err != nil {
		return nil, fmt.Errorf("%v: %w", n, err)
	}
	return c.Out, nil
}

// resolve finds the row of n and the version in force.
func (s *scope) resolve(n *ir.Node) (*Def, int, error) {
	d := Find(n.Domain, n.Op)
	if d == nil {
		return nil, 0, fmt.Errorf("%v: pare does not know this operator and the model does not define it as a function", n)
	}
	if d.Eval == nil {
		return nil, 0, fmt.Errorf("%v: this operator cannot be evaluated by reference", n)
	}
	version := versionOf(d, s.opsets)
	if version < d.Versions[0] {
		return nil, 0, fmt.Errorf("%v: the operator exists from version %d of its operator set; the model imports version %d", n, d.Versions[0], version)
	}
	return d, version, nil
}

// versionOf is the version of d's domain in force; where the domain is not
// imported, the newest that d knows.
func versionOf(d *Def, opsets []ir.Opset) int {
	if v := ir.FindOpset(opsets, d.Domain); v != 0 {
		return v
	}
	return d.Versions[len(d.Versions)-1]
}

// checkArity reports a node with too few or too many operands or results.
func (d *Def) checkArity(n *ir.Node) error {
	if len(n.In) < d.In.Min || d.In.Max != Variadic && len(n.In) > d.In.Max {
		return fmt.Errorf("%d operands; the operator takes %v", len(n.In), d.In)
	}
	if d.Out.Max != Variadic && len(n.Out) > d.Out.Max {
		return fmt.Errorf("%d results; the operator gives %v", len(n.Out), d.Out)
	}
	for i := range d.In.Min {
		if n.In[i] == nil {
			return fmt.Errorf("operand %d is left out but not optional", i)
		}
	}
	return nil
}

// String prints the bounds, such as "2", "1 to 3" or "at least 1".
func (a Arity) String() string {
	switch a.Max {
	case a.Min:
		return fmt.Sprint(a.Min)
	case Variadic:
		return fmt.Sprintf("at least %d", a.Min)
	}
	return fmt.Sprintf("%d to %d", a.Min, a.Max)
}

// refusal is what Eval.New and its like abandon an evaluation with.
type refusal struct{ error }

// guarded calls the evaluation and turns a panic (an operand of a shape or type
// that the reference did not expect) into an error.
func guarded(d *Def, c *Eval) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case refusal:
			err = p.error
		default:
			err = &PanicError{Value: p, Stack: debug.Stack(), Operands: describe(c.In)}
		}
	}()
	return d.Eval(c)
}

// PanicError is a panic inside a reference evaluation: operands that the
// operator does not allow, or a mistake in the reference.
type PanicError struct {
	Value    any
	Stack    []byte
	Operands string
}

// Error describes the panic without its stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("cannot be evaluated on %s: %v", e.Operands, e.Value)
}

// Unwrap returns the runtime error, where the panic was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func describe(in []Val) string {
	s := "("
	for i, x := range in {
		if i > 0 {
			s += ", "
		}
		switch x := x.(type) {
		case nil:
			s += "nothing"
		case *tensor.Tensor:
			s += x.String()
		default:
			s += TypeOfVal(x).String()
		}
	}
	return s + ")"
}

// ErrTooLarge is wrapped by errors about results above the bound of Interp.
var ErrTooLarge = errors.New("result is too large")

// plan says which values are read for the last time at each node of a graph.
type plan struct{ last [][]*ir.Value }

func (r *Interp) plan(g *ir.Graph) *plan {
	if p := r.plans[g]; p != nil {
		return p
	}
	p := &plan{last: make([][]*ir.Value, len(g.Nodes))}
	at := map[*ir.Value]int{}
	for i, n := range g.Nodes {
		for _, v := range n.Out {
			if v != nil {
				at[v] = i
			}
		}
		for _, v := range n.In {
			if v != nil {
				at[v] = i
			}
		}
		for _, sub := range n.Subgraphs() {
			for _, v := range sub.Captures() {
				at[v] = i
			}
		}
	}
	for _, v := range g.Outputs {
		delete(at, v)
	}
	for v, i := range at {
		p.last[i] = append(p.last[i], v)
	}
	if r.plans == nil {
		r.plans = map[*ir.Graph]*plan{}
	}
	r.plans[g] = p
	return p
}
