package decompose

import (
	"context"
	"fmt"

	"pare/compress"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "cp",
		Kind: compress.Decomposing,
		Doc:  "write convolutions as 1x1, one filter for each channel, and 1x1",
		Ref:  "[lebedev15] Speeding-up Convolutional Neural Networks Using Fine-tuned CP-Decomposition, arXiv:1412.6553",
		New:  func() compress.Method { return &CP{standard} },
	})
}

// CP decomposes convolutions into sums of products of a vector of outputs, one of
// inputs and a filter [lebedev15], by alternating least squares. Filters are not
// cut further into rows and columns of taps: that saves next to nothing and fits
// worse. Ranks beside rank=, multiples of align by powers of two and the middles
// between them, are tried in turn.
type CP struct{ Settings }

// Apply implements compress.Method.
func (q *CP) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return run(ctx, m, env, &q.Settings, q.options)
}

// options are the ranks that save something, each started from the one before.
func (q *CP) options(s *site) []option {
	if s.tapCount() == 1 {
		return nil
	}
	var out []option
	var last *sumOfProducts
	for _, rank := range q.ranks() {
		if !q.saves(s, s.productsWork(rank)) {
			break
		}
		if last == nil {
			if last = newSum(s); last == nil {
				return nil
			}
		}
		last = last.fit(rank)
		if !last.sound() {
			break
		}
		fitted := last
		o := newOption(fmt.Sprintf("rank %d", rank), rank, s.productsWork(rank))
		o.lost = fitted.lost()
		o.make = func() *chain { return fitted.chain(s) }
		out = append(out, o)
	}
	return out
}

// mostRank bounds the ranks that are tried.
const mostRank = 1024

// ranks are those to try.
func (q *CP) ranks() (out []int) {
	if q.Rank != 0 {
		return []int{roundUp(q.Rank, q.Align)}
	}
	for r := q.Align; r <= mostRank; r *= 2 {
		out = append(out, r)
		if r > q.Align {
			out = append(out, roundUp(r+r/2, q.Align))
		}
	}
	return out
}

// productsWork is that of the three layers.
func (s *site) productsWork(rank int) []work {
	return []work{{s.read(), rank, s.in, 1, false}, {s.places, rank, 1, s.tapCount(), false}, {s.places, s.out, rank, 1, false}}
}
