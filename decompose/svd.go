package decompose

import (
	"context"
	"fmt"
	"math"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"

	"gonum.org/v1/gonum/mat"
)

func init() {
	compress.Register(compress.Info{
		Name: "svd",
		Kind: compress.Decomposing,
		Doc:  "write dense and convolutional layers as two thin ones in a row",
		Ref:  "[zhang15] Accelerating Very Deep Convolutional Networks for Classification and Detection, arXiv:1505.06798; [jaderberg14] Speeding up Convolutional Neural Networks with Low Rank Expansions, arXiv:1405.3866",
		New: func() compress.Method {
			return &SVD{Amount: usual, Form: "auto", Weighted: true, Correct: true}
		},
	})
}

// SVD writes layers as products of two by singular value decomposition. Filters
// become either a basis of fewer filters and products of pixels [zhang15], or
// columns and then rows of taps [jaderberg14].
type SVD struct {
	Amount
	Form     string `json:"form" values:"auto|channel|spatial" doc:"how filters are cut: channel has fewer filters and 1x1 behind, spatial a column and a row of taps, auto what loses less"`
	Weighted bool   `json:"weighted" doc:"weigh channels by how much they vary, in data or by the network's own statistics"`
	Correct  bool   `json:"correct" doc:"move biases by what is left out on average"`
}

// Validate implements compress.Method.
func (q *SVD) Validate() error { return q.check() }

// Needs implements compress.Calibrated: the moments of what layers read.
func (q *SVD) Needs(m *ir.Model, env *compress.Env) []calib.Request { return requests(m, env) }

// requests asks for the moments of what layers read.
func requests(m *ir.Model, env *compress.Env) []calib.Request {
	if _, err := op.Infer(m); err != nil {
		return nil // Apply reports it
	}
	var out []calib.Request
	for _, l := range env.Layers(m) {
		if unsuited(&l) == "" && l.Node.In[0].Type.Rank() > 1 {
			out = append(out, calib.Request{Value: l.Node.In[0], Axis: dataAxis(&l), Moments: true})
		}
	}
	return out
}

// Apply implements compress.Method.
func (q *SVD) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return run(ctx, m, env, &q.Amount, q.options)
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
	for r := q.Align; r <= min(rows, cols) && f.cost(s, r) < s.macs && int64(r*(rows+cols)) < s.params(); r += q.Align {
		most = r
	}
	if most == 0 {
		return nil
	}
	var scale []float64
	if q.Weighted {
		scale = s.input.scale(q.Correct && s.place)
	}
	sp, ok := newSpectrum(m, scale, most)
	if !ok {
		return nil
	}
	var out []option
	for r := q.Align; r <= most; r += q.Align {
		out = append(out, option{
			name: fmt.Sprintf("rank %d, %s", r, f.name), rank: r, macs: f.cost(s, r), params: int64(r * (rows + cols)), lost: sp.lost(r),
			make: func() *chain { return q.chain(s, f, sp, r) },
		})
	}
	return out
}

// chain is a layer at a rank.
func (q *SVD) chain(s *site, f *form, sp *spectrum, rank int) *chain {
	a, b := sp.factors(rank)
	c := &chain{links: f.chain(s, a, b)}
	if s.input.mean == nil {
		return c
	}
	if q.Correct && s.place {
		var product mat.Dense
		product.Mul(a, b)
		c.missing = missing(sp.matrix, &product, s.input.mean, s.out)
	}
	c.between = []*ir.Stats{{
		Axis: axisBehind(s), Mean: products(b, s.input.mean), Std: deviations(b, s.input.variance), Source: "factors of " + s.layer.Name,
	}}
	return c
}

// axisBehind is the axis of the channels of what a layer computes.
func axisBehind(s *site) int {
	if s.layer.Kind == compress.Dense {
		return s.layer.Node.In[0].Type.Rank() - 1
	}
	return 1
}

// products are those of the rows of b, all taps of a channel alike, with means.
func products(b *mat.Dense, mean []float64) []float64 {
	rank, cols := b.Dims()
	out := make([]float64, rank)
	for k := range out {
		for j, x := range b.RawRowView(k) {
			out[k] += x * mean[j/(cols/len(mean))]
		}
	}
	return out
}

// deviations are those of what the rows of b compute, inputs taken as
// independent.
func deviations(b *mat.Dense, variance []float64) []float64 {
	rank, cols := b.Dims()
	out := make([]float64, rank)
	for k := range out {
		for j, x := range b.RawRowView(k) {
			out[k] += x * x * variance[j/(cols/len(variance))]
		}
		out[k] = math.Sqrt(out[k])
	}
	return out
}
