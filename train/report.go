package train

import (
	"fmt"
	"math"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// plenty is how many samples training wants at least.
const plenty = 500

// tell reports how training went.
func (t *Tune) tell(env *compress.Env, r *Result) {
	var curve []float64
	for _, s := range r.Curve {
		curve = append(curve, s.Loss)
	}
	env.Step().Training = &compress.Training{
		Curve:   curve,
		Samples: r.Samples, Held: r.Start.Samples, Steps: r.Steps, Epochs: r.Epochs, Best: r.Best,
		LossBefore: r.Start.Loss, LossAfter: r.End.Loss, RightBefore: share(r.Start), RightAfter: share(r.End),
	}
	if r.Samples < plenty {
		env.Warn("%d samples are few to train on; --samples says how many of the data to use", r.Samples)
	}
	switch {
	case r.Diverged != nil && r.Best == 0:
		env.Warn("%v; the network stays as it was: lower the rate", r.Diverged)
	case r.Diverged != nil:
		env.Warn("%v; the network is that behind epoch %d: lower the rate", r.Diverged, r.Best)
	case r.Best == 0:
		env.Warn("training did not help on samples that were held apart, so that the network stays as it was: more data, a lower rate or more epochs may")
	}
}

func share(s Score) *float64 {
	if s.Right < 0 {
		return nil
	}
	return &s.Right
}

// report says of every layer how far its weights moved, or why they did not.
func report(env *compress.Env, before, after *ir.Model, o Options) {
	learned := map[string]bool{}
	for _, v := range learnable(after.Graph, o.Skip) {
		learned[v.Name] = true
	}
	for _, l := range env.Layers(after) {
		switch {
		case l.Left:
			env.Skip(&l, l.Reason)
		case l.Weight == nil || !learned[l.Weight.Name]:
			env.Skip(&l, cause(&l))
		default:
			env.Done(compress.LayerReport{
				Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Params: l.Params(),
				Reason: fmt.Sprintf("weights moved by %.2g %%", 100*moved(before.Graph.Value(l.Weight.Name), l.Weight)),
			})
		}
	}
}

func cause(l *compress.Layer) string {
	if l.Weight == nil && l.Reason != "" {
		return l.Reason
	}
	return "its weights are no constants of 32 bits that gradients reach"
}

// moved is how far weights are from what they were, relative to their size.
func moved(before, after *ir.Value) float64 {
	if before == nil || before.Const.Len() != after.Const.Len() {
		return 0
	}
	var d, e float64
	b := tensor.Float32s(before.Const)
	for i, x := range tensor.Float32s(after.Const) {
		d += float64(x-b[i]) * float64(x-b[i])
		e += float64(b[i]) * float64(b[i])
	}
	return math.Sqrt(d / max(e, 1e-30))
}
