package decompose

import (
	"context"
	"fmt"

	"pare/compress"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "svd",
		Kind: compress.Decomposing,
		Doc:  "write dense and convolutional layers as two thin ones in a row",
		Ref:  "[zhang15] Accelerating Very Deep Convolutional Networks for Classification and Detection, arXiv:1505.06798; [jaderberg14] Speeding up Convolutional Neural Networks with Low Rank Expansions, arXiv:1405.3866",
		New:  func() compress.Method { return &SVD{Settings: standard, Form: "auto"} },
	})
}

// SVD writes layers as products of two by singular value decomposition. Filters
// become either a basis of fewer filters and products of pixels [zhang15], or
// columns and then rows of taps [jaderberg14].
type SVD struct {
	Settings
	Form string `json:"form" values:"auto|channel|spatial" doc:"how filters are cut: channel has fewer filters and 1x1 behind, spatial a column and a row of taps, auto what loses less"`
}

// Apply implements compress.Method.
func (q *SVD) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return run(ctx, m, env, &q.Settings, q.options)
}

// options are all ranks of all forms that suit a layer.
func (q *SVD) options(s *site) []option {
	var out []option
	for i := range forms {
		f := &forms[i]
		if f.suits(s) && (q.Form == "auto" || q.Form == f.name || s.tapCount() == 1) {
			out = append(out, q.ranks(s, f)...)
		}
	}
	return out
}

// ranks are those of a form that save something.
func (q *SVD) ranks(s *site, f *form) []option {
	m := f.matrix(s)
	rows, cols := m.Dims()
	most := 0
	for r := q.Align; r <= min(rows, cols) && q.saves(s, f.work(s, r)); r += q.Align {
		most = r
	}
	if most == 0 {
		return nil
	}
	sp := newSpectrum(m, most)
	if sp == nil {
		return nil
	}
	var out []option
	for r := q.Align; r <= most; r += q.Align {
		o := newOption(fmt.Sprintf("rank %d, %s", r, f.name), r, f.work(s, r))
		o.lost = sp.lost(r)
		o.make = func() *chain {
			a, b := sp.factors(f.matrix(s), r)
			c := s.newChain(f.chain(s, a, b))
			c.lost = o.lost
			return c
		}
		out = append(out, o)
	}
	return out
}
