package grad

import (
	"context"
	"fmt"

	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

func (pl *plan) goForward(ctx context.Context, in []*tensor.Tensor) error {
	pl.ran = false
	for i, x := range pl.inputs {
		if x.isFloat() {
			copy(x.data, tensor.Float32s(in[i]))
		} else {
			x.other = in[i]
		}
	}
	for i := range pl.forward {
		if err := pl.perform(ctx, &pl.forward[i]); err != nil {
			return err
		}
	}
	pl.ran = true
	return nil
}

// results are the outputs as tensors.
func (pl *plan) results() []*tensor.Tensor {
	for i, x := range pl.outputs {
		if !x.isFloat() {
			pl.tensors[i], _ = x.other.(*tensor.Tensor)
		}
	}
	return pl.tensors
}

func (pl *plan) goBackward(ctx context.Context, dOut []*tensor.Tensor) error {
	pl.ran = false // gradients take the place of what forward left
	if err := pl.plant(dOut); err != nil {
		return err
	}
	for i := range pl.backward {
		if err := pl.perform(ctx, &pl.backward[i]); err != nil {
			return err
		}
	}
	return nil
}

// plant hands the gradients given to the outputs.
func (pl *plan) plant(dOut []*tensor.Tensor) error {
	for _, x := range pl.unread {
		clear(x.grad)
	}
	for _, x := range pl.outputs {
		if x.wants && x.param == nil {
			clear(x.grad)
		}
	}
	for i, x := range pl.outputs {
		if dOut[i] == nil || !x.wants {
			continue
		}
		if dOut[i].Len() != x.size() {
			return fmt.Errorf("gradient %d is %v, the result has shape %v", i, dOut[i], x.shape)
		}
		for k, v := range tensor.Float32s(dOut[i]) {
			x.grad[k] += v
		}
	}
	return nil
}

// perform runs one instruction.
func (pl *plan) perform(ctx context.Context, in *instruction) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, b := range in.binds {
		pl.rebind(b)
	}
	for _, x := range in.zero {
		clear(x.grad)
	}
	if st := in.step; st.eval != nil {
		if err := st.eval(ctx); err != nil {
			return fault.AtNode(st.node, err)
		}
	}
	if err := pl.p.do(ctx, in.step.node, in.works); err != nil {
		return err
	}
	return pl.p.do(ctx, in.step.node, in.after)
}

// do runs works one after the other.
func (p *Program) do(ctx context.Context, n *ir.Node, list []work) error {
	for i := range list {
		p.work, p.crew.Tasks = &list[i], list[i].tasks
		if failure := p.crew.Do(ctx); failure != nil {
			err := fmt.Errorf("%v", failure)
			if n == nil {
				return err
			}
			return fault.AtNode(n, err)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// rebind moves the data of a slot, and of those that share them.
func (pl *plan) rebind(b binding) {
	b.slot.data = pl.at(b.to)
	for _, v := range b.slot.viewers {
		v.data = b.slot.data
	}
}
