package prune

import (
	"context"
	"errors"
	"fmt"

	"pare/compress"
	"pare/decompose"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "red",
		Kind: compress.Pruning,
		Doc:  "merge neurons that are alike once weights are hashed to the modes of their density, without data",
		Ref:  "[yvinec21] RED: Looking for Redundancies for Data-Free Structured Compression of Deep Neural Networks, arXiv:2105.14797",
		New:  func() compress.Method { return newRED() },
	})
}

func newRED() *RED {
	return &RED{
		Structured: usual(), Merge: explained, Hash: true, Error: 0.002, Tau: 0.05, Grain: byChannel, Levels: "mean", Correct: true, Store: "float",
		Law: "block", Linkage: "components", Aggregate: "mean", Scaled: true,
	}
}

// RED merges redundant neurons [yvinec21]: those whose weights are alike once the
// weights of every layer are hashed to few values. Without alpha and amount only
// neurons go that cost nothing: identical ones, multiples and dead ones.
type RED struct {
	Structured
	Merge     string  `json:"merge" doc:"which neurons go where an amount is given: those that all others of their group can stand in for best, by a model of the error, or those nearest to one other" values:"explained|nearest"`
	Hash      bool    `json:"hash" doc:"replace weights by the modes of their density"`
	Bandwidth float64 `json:"bandwidth" doc:"of the density, in median distances between neighbouring weights of a layer; 0 for the largest that keeps within error"`
	Error     float64 `json:"error" doc:"how far hashing may move the weights of a layer, relative to them, where no bandwidth is given"`
	Tau       float64 `json:"tau" doc:"prominence from which a mode of the density counts: by how much of its height it rises above the higher minimum beside it"`
	Grain     string  `json:"granularity" doc:"what weights are hashed in units of: nothing (layer), so that kernels repeat across output channels, the root mean square of their output channel to the nearest power of two, which folded batch-norms can make very different, or the former where no channel suffers" values:"auto|layer|channel"`
	Levels    string  `json:"levels" doc:"what the weights of a mode become: its maximum, or their mean" values:"mode|mean"`
	Correct   bool    `json:"correct" doc:"take the mean error that hashing causes out of biases, where the statistics of what a layer reads are known"`
	Store     string  `json:"store" doc:"hashed weights as floats, or as codes of at most 64 levels, which take a quarter of the bytes" values:"float|codebook"`
	Alpha     float64 `json:"alpha" doc:"share of the pairs of neurons of a group that are near enough to be merged; 0 for identical ones alone, which changes nothing"`
	Law       string  `json:"law" doc:"how alpha changes from layer to layer: not, linearly, or from stage to stage of maps of equal size" values:"constant|ascending|descending|block"`
	Linkage   string  `json:"linkage" doc:"what is merged: neurons that are connected by near pairs, or of which all pairs are near" values:"components|complete"`
	Aggregate string  `json:"aggregate" doc:"what merged neurons become: their mean, or the first of them" values:"mean|survivor"`
	Scaled    bool    `json:"scaled" doc:"merge neurons that are multiples of each other, where the functions behind allow it"`
	Separate  bool    `json:"separate" doc:"compute repeated kernels of convolutions once, where that takes fewer multiplications: the step split"`
}

// explained is the word for neurons that others can stand in for.
const explained = "explained"

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
	case q.Alpha != 0 && q.Given():
		return fmt.Errorf("alpha=%v and %v both say how much goes: give one", q.Alpha, &q.Amount)
	case q.Store == codebook && !q.Hash:
		return errors.New("store=codebook holds hashed weights: leave hash=true")
	case q.Store == codebook && q.Separate:
		return errors.New("store=codebook and separate=true: kernels are computed once in floats only; add separate=false")
	}
	return q.check()
}

// Apply implements compress.Method.
func (q *RED) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.compress(ctx, m, env, decompose.FormAuto)
}

// compress reduces, then writes kernels that repeat in a form, or weights as codes.
func (q *RED) compress(ctx context.Context, m *ir.Model, env *compress.Env, form string) error {
	w, err := q.reduce(ctx, m, env)
	if err != nil {
		return err
	}
	if q.Separate {
		if err := w.split(ctx, form); err != nil {
			return err
		}
	}
	if q.Store == codebook {
		if err := w.encode(ctx, q.hashing()); err != nil {
			return err
		}
	}
	w.report()
	return nil
}

func (q *RED) hashing() Hashing {
	h := Hashing{Width: q.Bandwidth, Error: q.Error, Tau: q.Tau, Mean: q.Levels == "mean", Correct: q.Correct}
	if q.Grain != "auto" {
		h.Grain = q.Grain
	}
	if q.Store == codebook {
		h.Most = mostLevels
	}
	return h
}
