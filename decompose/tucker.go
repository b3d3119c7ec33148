package decompose

import (
	"context"
	"fmt"

	"pare/compress"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "tucker",
		Kind: compress.Decomposing,
		Doc:  "write convolutions as 1x1 to fewer channels, filters between these, and 1x1 back",
		Ref:  "[kim16] Compression of Deep Convolutional Neural Networks for Fast and Low Power Mobile Applications, arXiv:1511.06530",
		New:  func() compress.Method { return &Tucker{standard} },
	})
}

// Tucker decomposes convolutions along both of their channel axes [kim16]: by the
// singular vectors of the weights unfolded along each, which are then fitted to
// each other in turn. A rank is that of both axes, as far as they have as many
// channels.
type Tucker struct{ Settings }

// Apply implements compress.Method.
func (q *Tucker) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return run(ctx, m, env, &q.Settings, q.options)
}

// options are all pairs of ranks that save something.
func (q *Tucker) options(s *site) []option {
	mostIn, mostOut := s.in/q.Align*q.Align, s.out/q.Align*q.Align
	if s.tapCount() == 1 || !q.saves(s, s.coreWork(min(q.Align, s.out), min(q.Align, s.in))) {
		return nil
	}
	b := newBases(s)
	if b == nil {
		return nil
	}
	kept := b.kept(s)
	var out []option
	for in := q.Align; in <= mostIn; in += q.Align {
		for to := q.Align; to <= mostOut && q.saves(s, s.coreWork(to, in)); to += q.Align {
			o := newOption(fmt.Sprintf("ranks %d and %d", in, to), 0, s.coreWork(to, in))
			if rank := max(in, to); in == min(rank, mostIn) && to == min(rank, mostOut) {
				o.rank = rank
			}
			o.lost = max(0, 1-kept.At(to-1, in-1)/b.total)
			o.make = func() *chain { return b.chain(s, to, in) }
			out = append(out, o)
		}
	}
	return out
}

// coreWork is that of the three layers.
func (s *site) coreWork(out, in int) []work {
	return []work{{s.read(), in, s.in, 1, false}, {s.places, out, in, s.tapCount(), s.quick()}, {s.places, s.out, out, 1, false}}
}
