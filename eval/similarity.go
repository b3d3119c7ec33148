package eval

import (
	"fmt"
	"math"
	"slices"

	"pare/dataset"
	"pare/tensor"
)

// similarity gathers, pair by pair, the cosine of two sentence vectors and the
// score that people gave.
type similarity struct {
	vectors         logits // of the last batch, of length 1
	cosines, scores []float64
}

// add takes in the vectors of all tokens of a batch. The vector of a sentence is
// the mean over its tokens, those that the attention mask leaves.
func (s *similarity) add(l logits, b dataset.Batch) error {
	mask := b.Inputs["attention_mask"]
	rows := 2 * len(b.Scores)
	switch {
	case mask == nil || mask.Shape[0] != rows:
		return fmt.Errorf("the data have no attention mask for %d sentences", rows)
	case l.rows != mask.Len():
		return fmt.Errorf("the judged output has %d rows for %d tokens; want a vector for every token", l.rows, mask.Len())
	}
	s.vectors = means(l, tensor.Data[int64](mask), rows)
	d := l.classes
	for i := range b.Scores {
		x := s.vectors.x[2*i*d:]
		s.cosines = append(s.cosines, cosine(x[:d], x[d:2*d]))
	}
	s.scores = append(s.scores, b.Scores...)
	return nil
}

// means are the normalised mean vectors of the tokens that mask leaves of each
// sentence.
func means(l logits, mask []int64, sentences int) logits {
	d, length := l.classes, len(mask)/sentences
	out := logits{rows: sentences, classes: d, x: make([]float32, sentences*d)}
	sum := make([]float64, d)
	for i := range sentences {
		clear(sum)
		for t := range length {
			if mask[i*length+t] == 0 {
				continue
			}
			for k, v := range l.x[(i*length+t)*d:][:d] {
				sum[k] += float64(v)
			}
		}
		norm := 0.0
		for _, v := range sum {
			norm += v * v
		}
		for k, v := range sum {
			out.x[i*d+k] = float32(v / max(math.Sqrt(norm), 1e-30))
		}
	}
	return out
}

// cosine is that of the angle between two vectors, 0 where one vanishes.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		y := float64(b[i])
		ab += float64(x) * y
		aa += float64(x) * float64(x)
		bb += y * y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// spearman is the rank correlation of cosines and scores, nil where it has no
// value.
func (s *similarity) spearman() *float64 {
	return finite(Spearman(s.cosines, s.scores))
}

func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// Spearman is the rank correlation of two lists of one length; equal numbers
// share the mean of their ranks. It is NaN where a list does not vary.
func Spearman(x, y []float64) float64 {
	a, b := ranks(x), ranks(y)
	mean := float64(len(x)-1) / 2
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - mean) * (b[i] - mean)
		aa += (a[i] - mean) * (a[i] - mean)
		bb += (b[i] - mean) * (b[i] - mean)
	}
	return ab / math.Sqrt(aa*bb)
}

func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case x[i] < x[j]:
			return -1
		case x[i] > x[j]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:max(j, i+1)] {
			out[k] = float64(i+max(j, i+1)-1) / 2
		}
		i = max(j, i+1)
	}
	return out
}
