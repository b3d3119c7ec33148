package train

import (
	"fmt"

	"pare/grad/optim"
	"pare/ir"
	"pare/tensor"
)

// Checkpoint is all that training goes on from. It survives JSON and gob.
type Checkpoint struct {
	Done    int                  // steps
	Weights map[string][]float32 // learned constants and statistics of batch-norms
	State   *optim.State
}

// Checkpoint returns a copy of where training is.
func (t *Trainer) Checkpoint() (*Checkpoint, error) {
	m, err := t.copy()
	if err != nil {
		return nil, err
	}
	s := *t.opt.State()
	s.Moments = make([][][]float32, len(s.Moments))
	for k, moments := range t.opt.State().Moments {
		for _, x := range moments {
			s.Moments[k] = append(s.Moments[k], append([]float32(nil), x...))
		}
	}
	return &Checkpoint{Done: t.done, Weights: weightsOf(m), State: &s}, nil
}

// Restore goes on from a checkpoint, which it takes over, with the same bits as if
// training had not stopped there.
func (t *Trainer) Restore(c *Checkpoint) error {
	if c.Done < 0 || c.Done > t.o.Steps || c.State == nil {
		return fmt.Errorf("a checkpoint behind step %d of %d", c.Done, t.o.Steps)
	}
	t.done = c.Done
	return t.restore(c.Weights, c.State)
}

// restore puts weights into the model and makes the program anew.
func (t *Trainer) restore(weights map[string][]float32, state *optim.State) error {
	p := ir.NewPatch(t.m.Graph, "restore weights")
	for name, x := range weights {
		v := t.m.Graph.Value(name)
		if v == nil || v.Const == nil || v.Const.Len() != len(x) {
			return fmt.Errorf("a checkpoint of another network: %q does not fit", name)
		}
		p.SetConst(v, tensor.Of(v.Const.Shape, append([]float32(nil), x...)))
	}
	if err := p.Apply(); err != nil {
		return err
	}
	return t.build(state)
}

// weightsOf are all constants that training may change.
func weightsOf(m *ir.Model) map[string][]float32 {
	out := map[string][]float32{}
	for _, v := range append(learnable(m.Graph, nil), statistics(m.Graph)...) {
		if v.Const.Type == tensor.Float32 {
			out[v.Name] = tensor.Float32s(v.Const)
		}
	}
	return out
}
