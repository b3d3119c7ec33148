package train

import (
	"context"

	"pare/calib"
	"pare/ir"
)

// Measure is what a network is worth on labelled samples: the loss is the
// cross-entropy.
func Measure(ctx context.Context, m *ir.Model, data calib.Data, threads int) (Score, error) {
	o := Options{Threads: threads}.defaults()
	if data.Run == nil {
		data.Run = runnerOf(o)
	}
	loss, err := newObjective(m, data.Set.Task(), o)
	if err != nil {
		return Score{}, err
	}
	t := &Trainer{m: m, data: data, o: o, order: &order{}, loss: loss, reader: &reader{data: data, m: m, threads: o.Threads}, micro: o.Batch}
	if fixed := ir.FixedBatch(m.Graph.Inputs); fixed > 0 {
		t.micro = fixed
	}
	for i := range data.Set.Len() {
		t.order.held = append(t.order.held, i)
	}
	return t.scored(ctx, m)
}
