package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pare/internal/npy"
	"pare/tensor"
)

// pairs are sentences to be compared two by two. A batch of n samples holds 2n
// rows, the two sentences of a pair one after the other, cut to the longest.
type pairs struct {
	sides  [2]map[string]*tensor.Tensor // token numbers and what goes with them, by input
	scores []float64
}

// stsMask is the array that says where tokens are; what lies behind the last one
// of a batch is cut off.
const stsMask = "attention_mask"

// openSTS reads integer arrays a_NAME and b_NAME of shape [pairs, length] for
// every input NAME, and the array scores.
func openSTS(s Spec) (Set, error) {
	path, list, err := readOne(s)
	if err != nil {
		return nil, err
	}
	p := &pairs{sides: [2]map[string]*tensor.Tensor{{}, {}}}
	for _, x := range list {
		if err := p.add(x); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, x.Name, err)
		}
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func (p *pairs) add(x npy.Array) error {
	side, name, _ := strings.Cut(x.Name, "_")
	switch {
	case x.Name == "scores":
		p.scores = tensor.Float64s(x.Tensor)
		return nil
	case side != "a" && side != "b" || name == "":
		return fmt.Errorf("arrays are called scores, a_INPUT and b_INPUT")
	}
	ids, err := integers(x.Tensor)
	if err != nil || x.Tensor.Rank() != 2 {
		return fmt.Errorf("want integers of shape [pairs, length], found %v", x.Tensor)
	}
	out := make([]int64, len(ids))
	for i, k := range ids {
		out[i] = int64(k)
	}
	p.sides[side[0]-'a'][name] = tensor.Of(x.Tensor.Shape, out)
	return nil
}

func (p *pairs) check() error {
	if len(p.sides[0]) != len(p.sides[1]) || p.sides[0][stsMask] == nil || p.sides[1][stsMask] == nil {
		return fmt.Errorf("want arrays a_INPUT and b_INPUT for every input, %s among them", stsMask)
	}
	for k, side := range p.sides {
		for name, x := range side {
			switch {
			case p.sides[1-k][name] == nil:
				return fmt.Errorf("only one sentence of a pair has the array %s", name)
			case !slices.Equal(x.Shape, side[stsMask].Shape):
				return fmt.Errorf("%s has shape %v, %s %v", name, x.Shape, stsMask, side[stsMask].Shape)
			case x.Shape[0] != len(p.scores):
				return fmt.Errorf("%d scores for %d pairs", len(p.scores), x.Shape[0])
			}
		}
	}
	return nil
}

// Len implements Set.
func (p *pairs) Len() int { return len(p.scores) }

// Task implements Set.
func (p *pairs) Task() Task { return Similarity }

// Prepared implements Set: there is nothing to prepare.
func (p *pairs) Prepared() string { return "" }

// Batch implements Set.
func (p *pairs) Batch(_ context.Context, lo, hi int) (Batch, error) {
	if lo < 0 || hi <= lo || hi > p.Len() {
		return Batch{}, fmt.Errorf("batch of samples %d to %d of %d", lo, hi, p.Len())
	}
	b := Batch{Inputs: map[string]*tensor.Tensor{}, Scores: p.scores[lo:hi]}
	width := max(p.longest(0, lo, hi), p.longest(1, lo, hi), 1)
	for name := range p.sides[0] {
		t := tensor.New(tensor.Int64, 2*(hi-lo), width)
		rows := tensor.Data[int64](t)
		for i := range 2 * (hi - lo) {
			from := p.sides[i%2][name]
			copy(rows[i*width:(i+1)*width], rowOf(from, lo+i/2))
		}
		b.Inputs[name] = t
	}
	return b, nil
}

func rowOf(t *tensor.Tensor, i int) []int64 {
	n := t.Shape[1]
	return tensor.Data[int64](t)[i*n : (i+1)*n]
}

// longest is the number of tokens up to the last one of the sentences lo to
// hi-1 of a side.
func (p *pairs) longest(side, lo, hi int) int {
	mask := p.sides[side][stsMask]
	n, top := mask.Shape[1], 0
	for i, m := range tensor.Data[int64](mask)[lo*n : hi*n] {
		if m != 0 {
			top = max(top, i%n+1)
		}
	}
	return top
}
