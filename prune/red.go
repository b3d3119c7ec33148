package prune

import (
	"context"
	"fmt"

	"pare/compress"
	"pare/ir"
	"pare/op"
)

func init() {
	compress.Register(compress.Info{
		Name: "red",
		Kind: compress.Pruning,
		Doc:  "hash weights to the modes of their density and merge neurons that are then alike, without data",
		Ref:  "[yvinec21] RED: Looking for Redundancies for Data-Free Structured Compression of Deep Neural Networks, arXiv:2105.14797",
		New:  func() compress.Method { return newRED() },
	})
}

func newRED() *RED {
	return &RED{Hash: true, Error: 0.03, Tau: 0.05, Grain: "channel", Levels: "mean", Law: "block", Linkage: "components", Aggregate: "mean", Scaled: true}
}

// RED merges redundant neurons [yvinec21]: those whose weights are alike once the
// weights of every layer are hashed to few values.
type RED struct {
	Hash      bool    `json:"hash" doc:"replace weights by the modes of their density first"`
	Bandwidth float64 `json:"bandwidth" doc:"of the density, in median distances between neighbouring weights of a layer; 0 for the largest that keeps within error"`
	Error     float64 `json:"error" doc:"how far hashing may move the weights of a layer, relative to them, where no bandwidth is given"`
	Tau       float64 `json:"tau" doc:"prominence from which a mode of the density counts: by how much of its height it rises above the higher minimum beside it"`
	Grain     string  `json:"granularity" doc:"what weights are hashed in units of: nothing, or the root mean square of their output channel, which folded batch-norms make very different" values:"layer|channel"`
	Levels    string  `json:"levels" doc:"what the weights of a mode become: its maximum, or their mean" values:"mode|mean"`
	Alpha     float64 `json:"alpha" doc:"share of the pairs of neurons of a group that are near enough to be merged; 0 for identical ones alone, which changes nothing"`
	Law       string  `json:"law" doc:"how alpha changes from layer to layer: not, linearly, or from stage to stage of maps of equal size" values:"constant|ascending|descending|block"`
	Linkage   string  `json:"linkage" doc:"what is merged: neurons that are connected by near pairs, or of which all pairs are near" values:"components|complete"`
	Aggregate string  `json:"aggregate" doc:"what merged neurons become: their mean, or the one nearest to the others" values:"mean|survivor"`
	Scaled    bool    `json:"scaled" doc:"merge neurons that are multiples of each other, where the functions behind allow it"`
}

// Validate implements compress.Method.
func (q *RED) Validate() error {
	switch {
	case !(q.Bandwidth == 0 || q.Bandwidth >= 0.01 && q.Bandwidth <= 1e6):
		return fmt.Errorf("bandwidth=%v is neither 0 nor in 0.01..1e6", q.Bandwidth)
	case !(q.Error >= 0 && q.Error <= 1):
		return fmt.Errorf("error=%v is not in 0..1", q.Error)
	case !(q.Tau >= 0 && q.Tau < 1):
		return fmt.Errorf("tau=%v is not in 0..1, without 1", q.Tau)
	case !(q.Alpha >= 0 && q.Alpha <= 1):
		return fmt.Errorf("alpha=%v is not in 0..1", q.Alpha)
	}
	return nil
}

// Apply implements compress.Method.
func (q *RED) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	w, err := q.reduce(ctx, m, env)
	if err != nil {
		return err
	}
	w.report()
	return nil
}

// reduce hashes and merges.
func (q *RED) reduce(ctx context.Context, m *ir.Model, env *compress.Env) (*work, error) {
	if _, err := op.Infer(m); err != nil {
		return nil, err
	}
	w := newWork(m, env)
	if q.Hash {
		if err := w.hash(ctx, q.hashing()); err != nil {
			return nil, err
		}
	}
	if q.Alpha > 0 {
		if _, err := w.merge(ctx, q, true); err != nil {
			return nil, err
		}
	}
	for {
		if n, err := w.merge(ctx, q, false); err != nil || n == 0 {
			return w, err
		}
	}
}

func (q *RED) hashing() Hashing {
	return Hashing{Width: q.Bandwidth, Error: q.Error, Tau: q.Tau, Mean: q.Levels == "mean", PerChannel: q.Grain == "channel"}
}
