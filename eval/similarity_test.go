package eval_test

import (
	"context"
	"math"
	"testing"

	"pare/dataset"
	"pare/eval"
	"pare/ir"
	"pare/tensor"
)

func TestSpearman(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4}, []float64{10, 20, 30, 1000}, 1},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		{[]float64{1, 2, 2, 3}, []float64{1, 3, 2, 4}, 4.5 / math.Sqrt(22.5)}, // a tie: ranks 0, 1.5, 1.5, 3
	} {
		if got := eval.Spearman(c.x, c.y); !near(got, c.want) {
			t.Errorf("%v, %v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
	if !math.IsNaN(eval.Spearman([]float64{1, 1}, []float64{1, 2})) {
		t.Error("a constant list has a correlation")
	}
}

// pairs are two pairs of one-token sentences, padded to two tokens.
type pairs struct{ ids []int64 }

func (p pairs) Len() int           { return 2 }
func (p pairs) Task() dataset.Task { return dataset.Similarity }
func (p pairs) Prepared() string   { return "" }
func (p pairs) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	n := 2 * (hi - lo)
	return dataset.Batch{Scores: []float64{5, 1}[lo:hi], Inputs: map[string]*tensor.Tensor{
		"input_ids":      tensor.Of([]int{n, 2}, p.ids[4*lo:4*hi]),
		"attention_mask": tensor.Of([]int{n, 2}, []int64{1, 0, 1, 0, 1, 0, 1, 0}[4*lo:4*hi]),
	}}, nil
}

// TestSimilarity: the second token is padding and must not count.
func TestSimilarity(t *testing.T) {
	net := func(turn float64) *fake {
		ids := ir.TensorType(tensor.Int64, ir.Symbol("n"), ir.Symbol("l"))
		return &fake{
			in: []*ir.Value{value("input_ids", ids), value("attention_mask", ids)}, out: []*ir.Value{value("y", ir.Type{})},
			apply: func(x *tensor.Tensor) *tensor.Tensor { // a token is an angle
				out := tensor.New(tensor.Float32, x.Shape[0], x.Shape[1], 2)
				for i, k := range tensor.Data[int64](x) {
					a := float64(k)/10 + turn
					tensor.Data[float32](out)[2*i], tensor.Data[float32](out)[2*i+1] = float32(math.Cos(a)), float32(math.Sin(a))
				}
				return out
			},
		}
	}
	data := pairs{[]int64{1, 9, 2, 0, 3, 7, 9, 1}}
	r, err := eval.Run(context.Background(), net(0.1), data, eval.Options{Batch: 1, Reference: net(0)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Spearman == nil || *r.Spearman != 1 || r.Top1 != nil {
		t.Errorf("spearman %v, top-1 %v", r.Spearman, r.Top1)
	}
	if a := r.Against; a.Cosine == nil || math.Abs(*a.Cosine-math.Cos(0.1)) > 1e-6 || *a.Spearman != 1 {
		t.Errorf("against %+v", a)
	}
}
