package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"pare/format"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// Options say how to compile. The zero value uses all processors.
type Options struct {
	// Threads is the number of threads of one run; 0 stands for all processors.
	Threads int
	// Extra names values of the main graph that Run returns besides the
	// outputs. They have their ONNX meaning whatever is fused around them.
	Extra []string
	// Reference evaluates everything node by node with package op.
	Reference bool
	// Direct computes all convolutions as the sums that define them. By default
	// 3x3 filters take Winograd's form where it is faster, which rounds more
	// often: see kernel.Winograd for the error.
	Direct bool
}

// Program is a compiled model. It does not change and may be used by any number
// of sessions at a time.
type Program struct {
	o       Options
	inputs  []*ir.Value
	outputs []*ir.Value
	wanted  []string  // names of what Run returns
	raw     *ir.Model // with the wanted values as outputs
	base    *ir.Model // raw, simplified

	mu      sync.Mutex
	codes   map[*tensor.Tensor]*format.Encoded // of decoded weights
	turned  map[*tensor.Tensor]*tensor.Tensor  // what a transposed matrix is made from
	special []*special                         // latest last
	weights *weights
}

// Compile prepares a model for running. The model is not changed; its constants
// are shared and must stay as they are while the program is in use.
func Compile(ctx context.Context, m *ir.Model, o Options) (*Program, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	p := &Program{o: o, raw: ir.CloneModel(m), codes: map[*tensor.Tensor]*format.Encoded{}, turned: map[*tensor.Tensor]*tensor.Tensor{}}
	p.inputs, p.outputs = p.raw.Graph.Inputs, slices.Clone(p.raw.Graph.Outputs)
	if err := p.want(o.Extra); err != nil {
		return nil, err
	}
	if err := known(p.raw); err != nil {
		return nil, err
	}
	if !o.Reference {
		if _, err := op.InferWith(p.raw, op.InferOptions{Redo: true}); err != nil {
			return nil, err
		}
	}
	p.base = ir.CloneModel(p.raw)
	if !o.Reference {
		dropDefaults(p.base.Graph)
		var err error
		if p.base, err = prepare(ctx, p.base, p.codes, p.turned); err != nil {
			return nil, err
		}
	}
	p.weights = newWeights(p.base.Graph)
	return p, nil
}

// want makes outputs of the extra values, so that nothing may change them.
func (p *Program) want(extra []string) error {
	g := p.raw.Graph
	for _, v := range g.Outputs {
		p.wanted = append(p.wanted, v.Name)
	}
	for _, name := range extra {
		v := g.Value(name)
		if v == nil {
			return fmt.Errorf("the graph has no value called %q", name)
		}
		if !slices.Contains(p.wanted, name) {
			g.Outputs = append(g.Outputs, v)
			p.wanted = append(p.wanted, name)
		}
	}
	return nil
}

// known reports the first node that neither the operator table nor the model
// defines.
func known(m *ir.Model) error {
	for _, n := range m.Graph.Nodes {
		if d := op.Find(n.Domain, n.Op); m.Function(n) == nil && (d == nil || d.Eval == nil) {
			return fault.AtNode(n, errors.New("pare does not know this operator and the model does not define it as a function"))
		}
	}
	return nil
}

// dropDefaults turns inputs with a default into plain constants; a run that
// gives them starts from the graph as it was.
func dropDefaults(g *ir.Graph) {
	g.Inputs = slices.DeleteFunc(slices.Clone(g.Inputs), func(v *ir.Value) bool { return v.Const != nil })
}

// rowsOpset is the version of the standard operator set that rows are written
// for.
const rowsOpset = 18

// NewSession returns a session with an arena of its own.
func (p *Program) NewSession() *Session { return &Session{p: p} }

// isReal reports whether steps compute elements of the type, in float32.
func isReal(t tensor.DType) bool {
	return t == tensor.Float32 || t == tensor.Float16 || t == tensor.BFloat16
}
