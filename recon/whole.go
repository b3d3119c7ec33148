package recon

import (
	"context"
	"math"

	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// wholeSamples is how many samples the network's outputs are compared on.
const wholeSamples = 128

// whole compares the outputs of networks on samples with those of the original.
type whole struct {
	r    *run
	in   feed
	want feed
	runs [][]int
}

func (r *run) newWhole(ctx context.Context, given feed) (*whole, error) {
	w := &whole{r: r, in: given}
	n := min(r.samples, wholeSamples)
	if fixed := ir.FixedBatch(r.m.Graph.Inputs); fixed > 0 {
		n = max(fixed, n/fixed*fixed)
	}
	w.runs = given.runs(inputNames(r.f), n, r.batch())
	part, err := between(r.f, "", "")
	if err != nil {
		return nil, err
	}
	w.want, err = fill(ctx, r.env.Run, part, given, n, r.batch())
	return w, err
}

// snr is the signal-to-noise ratio in dB of the worst output.
func (w *whole) snr(ctx context.Context, m *ir.Model) (float64, error) {
	part, err := between(m, "", "")
	if err != nil {
		return 0, err
	}
	run, err := w.r.env.Run(part, part.Graph.Outputs)
	if err != nil {
		return 0, err
	}
	names := inputNames(part)
	buf := make([]*tensor.Tensor, len(names))
	errs := make([]format.Error, len(part.Graph.Outputs))
	for _, idx := range w.runs {
		got, err := w.in.run(ctx, run, names, idx, buf)
		if err != nil {
			return 0, err
		}
		for i := range part.Graph.Outputs {
			want, err := w.want[w.r.f.Graph.Outputs[i].Name].Read(idx, nil)
			if err != nil {
				return 0, err
			}
			errs[i].Add(format.Difference(tensor.Float32s(want), tensor.Float32s(got[i])))
		}
	}
	worst := math.Inf(1)
	for _, e := range errs {
		if snr := e.SNR(); snr < worst || snr != snr {
			worst = snr
		}
	}
	return worst, nil
}

// settle compares the fitted network with what it was at the start and goes back to
// that where it is worse: each unit fits better, but errors may add up otherwise.
func (r *run) settle(ctx context.Context, w *whole, before float64) error {
	after, err := w.snr(ctx, r.m)
	if err != nil {
		return err
	}
	if after >= before || len(r.undo) == 0 {
		r.env.Log.Info("outputs on samples that were learned from", "before_db", before, "after_db", after)
		return nil
	}
	r.env.Warn("the outputs came out further from the original's than at the start (%.1f dB instead of %.1f), so that nothing learned was kept; more samples or steps may help", after, before)
	for i := len(r.undo) - 1; i >= 0; i-- {
		if err := r.undo[i].apply(r.m.Graph, "go back"); err != nil {
			return err
		}
	}
	return nil
}
