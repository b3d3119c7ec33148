package grad

import (
	"context"
	"fmt"
	"slices"

	"pare/internal/crew"
	"pare/ir"
	"pare/tensor"
)

// Program computes a network forward and its gradients backward. One goroutine at
// a time may use it.
type Program struct {
	options Options
	base    *ir.Model // without shapes; parameters are inputs behind the data inputs
	inputs  []string  // data inputs
	wanted  []int     // position among them of Options.Inputs
	params  []*Param
	stats   map[string]*Param // running statistics by name; Grad is nil
	plans   []*plan           // most recently used first
	clock   uint64            // forwards so far, for random operators
	arena   []float32         // serves one plan at a time
	crew    crew.Job
	work    *work       // that runs
	scratch [][]float32 // by thread
}

// New prepares a network for differentiation; m is not changed. It reports nodes
// that a gradient would have to pass but cannot, by their names.
func New(m *ir.Model, o Options) (*Program, error) {
	o.Threads = max(1, o.Threads)
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	p := &Program{options: o, stats: map[string]*Param{}}
	p.crew.Run = func(thread, task int) { p.work.run(task, p.scratch[thread]) }
	p.crew.Init(o.Threads)
	p.scratch = make([][]float32, o.Threads)
	if err := p.prepare(m); err != nil {
		return nil, err
	}
	return p, nil
}

// Params returns the parameters in the order of Options.Params.
func (p *Program) Params() []*Param { return p.params }

// ZeroGrads sets the gradients of all parameters to zero.
func (p *Program) ZeroGrads() {
	for _, q := range p.params {
		clear(q.Grad)
	}
}

// Forward computes Options.Outputs from the graph's data inputs, in their order.
// Results are float32 or what the network says, and valid until the next Forward.
// Shapes seen before cost no allocation.
func (p *Program) Forward(ctx context.Context, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	pl, err := p.planFor(ctx, in)
	if err != nil {
		return nil, err
	}
	p.clock++
	p.crew.Join()
	defer p.crew.Leave()
	if err := pl.goForward(ctx, in); err != nil {
		return nil, err
	}
	return pl.results(), nil
}

// Backward adds the gradients of the parameters for the last Forward to Param.Grad
// and sets those of Options.Inputs. dOut holds the gradients of Forward's results;
// nil entries count as zero. It needs a Forward of its own every time.
func (p *Program) Backward(ctx context.Context, dOut []*tensor.Tensor) error {
	if len(p.plans) == 0 || !p.plans[0].ran {
		return fmt.Errorf("Backward needs a Forward before it")
	}
	pl := p.plans[0]
	if len(dOut) != len(pl.outputs) {
		return fmt.Errorf("%d gradients for %d results", len(dOut), len(pl.outputs))
	}
	p.crew.Join()
	defer p.crew.Leave()
	return pl.goBackward(ctx, dOut)
}

// InputGrad is the gradient of Options.Inputs[i] by the last Backward, float32 in
// the input's shape, valid until the next Forward.
func (p *Program) InputGrad(i int) *tensor.Tensor {
	s := p.plans[0].inputs[p.wanted[i]]
	return tensor.Of(s.shape, s.grad)
}

// mostPlans is how many shapes a program remembers.
const mostPlans = 4

// planFor finds or makes the plan for the shapes of the inputs.
func (p *Program) planFor(ctx context.Context, in []*tensor.Tensor) (*plan, error) {
	if len(in) != len(p.inputs) {
		return nil, fmt.Errorf("the network takes %d inputs, %d given", len(p.inputs), len(in))
	}
	for i, pl := range p.plans {
		if pl.fits(in) {
			copy(p.plans[1:i+1], p.plans[:i])
			p.plans[0] = pl
			pl.bind()
			return pl, nil
		}
	}
	pl, err := p.specialise(ctx, in)
	if err != nil {
		return nil, err
	}
	p.plans = slices.Insert(p.plans, 0, pl)
	if len(p.plans) > mostPlans {
		p.plans[mostPlans] = nil
		p.plans = p.plans[:mostPlans]
	}
	pl.bind()
	return pl, nil
}

// Store writes the parameters and the running statistics of batch-norms into m, the
// model that New was given or a copy, as new constants.
func (p *Program) Store(m *ir.Model) error {
	patch := ir.NewPatch(m.Graph, "store what was learned")
	list := slices.Clone(p.params)
	for _, s := range p.stats {
		list = append(list, s)
	}
	for _, q := range list {
		v := m.Graph.Value(q.Value.Name)
		if v == nil || v.Const == nil {
			return fmt.Errorf("the model has no constant %q", q.Value.Name)
		}
		t, err := tensor.Convert(tensor.Of(slices.Clone(q.Shape), slices.Clone(q.Data)), v.Const.Type, tensor.Options{})
		if err != nil {
			return err
		}
		patch.SetConst(v, t)
	}
	return patch.Apply()
}
