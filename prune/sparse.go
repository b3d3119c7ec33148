package prune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// checkSparse reports what single weights cannot be pruned by.
func (q *Structured) checkSparse(granularity string) error {
	if granularity == "weight" && (q.MACs != 1 || q.Params != 1) {
		return errors.New("granularity=weight leaves the sizes of tensors as they are: its amount is rate, the share of weights set to 0")
	}
	return q.check()
}

// zeroed is a layer whose weights are pruned one by one.
type zeroed struct {
	layer  *compress.Layer
	before []float32
	scores []float64 // by weight: the smallest go first
	limit  float64   // those with lower scores go
	ties   int       // and so many of those with the limit itself
}

// sparsify sets the weights of lowest score to 0: of every layer the same share, or of
// all where the scope is not the layer, scores being relative to the root mean square
// of their layer.
func (q *Structured) sparsify(ctx context.Context, m *ir.Model, env *compress.Env, score func(l *compress.Layer) []float64) error {
	if err := compress.Finite(m); err != nil {
		return err
	}
	list := zeroable(m, env)
	for _, z := range list {
		z.scores = score(z.layer)
	}
	q.cutAll(list)
	for _, z := range list {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := z.apply(m); err != nil {
			return err
		}
	}
	q.reportZeros(env, list)
	return nil
}

// zeroable are the layers whose weights may become 0; it reports why others stay.
func zeroable(m *ir.Model, env *compress.Env) (list []*zeroed) {
	layers := env.Layers(m)
	for i := range layers {
		l := &layers[i]
		if l.Reason != "" || l.Kind == compress.Embedding {
			reason := l.Reason
			if reason == "" {
				reason = "it is a table, not a layer that computes"
			}
			env.Skip(l, reason)
			continue
		}
		list = append(list, &zeroed{layer: l, before: tensor.Float32s(l.Weight.Const)})
	}
	return list
}

// cutAll finds the limits for the scores of all layers.
func (q *Structured) cutAll(list []*zeroed) {
	if q.Scope == "layer" {
		for _, z := range list {
			cut([]*zeroed{z}, q.Rate)
		}
		return
	}
	for _, z := range list {
		relative(z.scores)
	}
	cut(list, q.Rate)
}

// relative divides by the root mean square.
func relative(x []float64) {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	rms := math.Sqrt(sum / float64(max(1, len(x))))
	for i := range x {
		x[i] /= max(rms, math.SmallestNonzeroFloat32)
	}
}

// cut finds the limits at which the share rate of all scores goes, rounded down.
func cut(list []*zeroed, rate float64) {
	var all []float64
	for _, z := range list {
		all = append(all, z.scores...)
	}
	n := int(rate*float64(len(all)) + 1e-9)
	if n == 0 {
		for _, z := range list {
			z.limit = math.Inf(-1)
		}
		return
	}
	slices.Sort(all)
	limit := all[n-1]
	below, _ := slices.BinarySearch(all, limit)
	ties := n - below
	for _, z := range list {
		z.limit = limit
		for _, s := range z.scores {
			if s == limit && ties > z.ties {
				z.ties++
			}
		}
		ties -= z.ties
	}
}

// goes reports how many weights are below the limit.
func (z *zeroed) goes() (n int) {
	for _, s := range z.scores {
		if s < z.limit {
			n++
		}
	}
	return n + z.ties
}

// apply sets weights to 0.
func (z *zeroed) apply(m *ir.Model) error {
	c := z.layer.Weight.Const
	out, ties := slices.Clone(tensor.Float32s(c)), z.ties
	for i, s := range z.scores {
		if s < z.limit || s == z.limit && ties > 0 {
			if s == z.limit {
				ties--
			}
			out[i] = 0
		}
	}
	t, err := tensor.FromFloat32s(c.Type, c.Shape, out)
	if err != nil {
		return fmt.Errorf("%v: %w", z.layer.Node, err)
	}
	p := ir.NewPatch(m.Graph, "set weights to 0")
	p.SetConst(z.layer.Weight, t)
	return p.Apply()
}

// reportZeros says how many weights of every layer are 0.
func (q *Structured) reportZeros(env *compress.Env, list []*zeroed) {
	for _, z := range list {
		l, zeros := z.layer, 0
		c := l.Weight.Const
		out := tensor.Float32s(c)
		for _, x := range out {
			if x == 0 {
				zeros++
			}
		}
		bytes := int64(len(c.Bytes()))
		env.Done(compress.LayerReport{
			Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: strings.ToLower(c.Type.String()), Bits: c.Type.Bits(), Params: c.Len(),
			BytesBefore: bytes, BytesAfter: bytes, ErrorAfter: lost(z.before, out), Reason: fmt.Sprintf("%.1f %% of its weights are 0", 100*float64(zeros)/float64(max(1, len(out)))),
		})
	}
	if len(list) > 0 && q.Rate > 0 {
		env.Warn("weights that are 0 are stored like others, and most engines multiply by them: this saves no bytes, and time only where most are 0 and the engine leaves them out")
	}
}

// lost is the error of weights relative to their size.
func lost(before, after []float32) float64 {
	var d, all float64
	for i, v := range before {
		e := float64(v) - float64(after[i])
		d, all = d+e*e, all+float64(v)*float64(v)
	}
	if all == 0 {
		return 0
	}
	return math.Sqrt(d / all)
}
