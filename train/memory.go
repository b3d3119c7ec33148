package train

import (
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// leastMicro is how many samples the statistics of a batch need at least.
const leastMicro = 32

// fitting is how many samples are computed at once: all of a step where their
// activations fit the memory, else fewer, down to what batch-norms need for their
// statistics; beyond that the program computes activations again.
func (t *Trainer) fitting(one *sample) int {
	batch := t.order.batch
	each := activations(t.m, one)
	if each == 0 || each*int64(batch) <= t.o.Memory {
		return batch
	}
	n, least := int(t.o.Memory/each), 1
	if !t.o.Freeze && len(statistics(t.m.Graph)) > 0 {
		least = min(leastMicro, batch)
	}
	parts := (batch + max(n, least) - 1) / max(n, least)
	return (batch + parts - 1) / parts
}

// activations is how many bytes all results of floats for one sample take;
// 0 where it is not known.
func activations(m *ir.Model, one *sample) (bytes int64) {
	c := ir.CloneModel(m)
	i := 0
	for _, v := range c.Graph.Inputs {
		if v.Const == nil {
			v.Type = ir.TypeOf(one.in[i])
			i++
		}
	}
	if _, err := op.InferWith(c, op.InferOptions{Redo: true}); err != nil {
		return 0
	}
	for _, n := range c.Graph.Nodes {
		for _, v := range n.Out {
			if v == nil || !v.Type.DType.IsFloat() || !v.Type.Ranked {
				continue
			}
			size := int64(1)
			for _, d := range v.Type.Shape {
				size *= int64(max(d.N, 1))
			}
			bytes += size * int64(tensor.Float32.Bits()/8)
		}
	}
	return bytes
}
