package dataset

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"pare/internal/npy"
	"pare/tensor"
)

// arrays are NumPy arrays that need no preparation.
type arrays struct {
	inputs map[string]*tensor.Tensor
	labels []int
	n      int
	task   Task
	query  url.Values
}

func openNPZ(s Spec) (Set, error) {
	a := &arrays{inputs: map[string]*tensor.Tensor{}, task: Unlabelled, query: s.query}
	path, list, err := readOne(s)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if err := a.add(x, s.query.Get("input")); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, x.Name, err)
		}
	}
	if len(a.inputs) == 0 {
		return nil, fmt.Errorf("no input arrays; name them as the network names its inputs")
	}
	if a.labels != nil && len(a.labels) != a.n {
		return nil, fmt.Errorf("%d labels for %d samples", len(a.labels), a.n)
	}
	return a, nil
}

// add files one array; rename, when set, is the input that a sole array feeds.
func (a *arrays) add(x npy.Array, rename string) error {
	if x.Name == "labels" {
		labels, err := integers(x.Tensor)
		a.labels, a.task = labels, Classification
		return err
	}
	if x.Tensor.Rank() == 0 {
		return fmt.Errorf("a scalar cannot hold samples")
	}
	if a.inputs[x.Name] != nil {
		return fmt.Errorf("two arrays of this name")
	}
	if len(a.inputs) > 0 && x.Tensor.Shape[0] != a.n {
		return fmt.Errorf("%d samples where other arrays have %d", x.Tensor.Shape[0], a.n)
	}
	if rename != "" {
		x.Name = rename
	}
	a.inputs[x.Name], a.n = x.Tensor, x.Tensor.Shape[0]
	return nil
}

// integers reads a tensor of any integer type.
func integers(t *tensor.Tensor) ([]int, error) {
	switch t.Type {
	case tensor.Int64:
		return toInts[int64](t), nil
	case tensor.Int32:
		return toInts[int32](t), nil
	case tensor.Int16:
		return toInts[int16](t), nil
	case tensor.Int8:
		return toInts[int8](t), nil
	case tensor.Uint8:
		return toInts[uint8](t), nil
	case tensor.Uint16:
		return toInts[uint16](t), nil
	case tensor.Uint32:
		return toInts[uint32](t), nil
	}
	return nil, fmt.Errorf("want integers, found %v", t)
}

func toInts[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](t *tensor.Tensor) []int {
	data := tensor.Data[T](t)
	out := make([]int, len(data))
	for i, x := range data {
		out[i] = int(x)
	}
	return out
}

func (a *arrays) Len() int         { return a.n }
func (a *arrays) Task() Task       { return a.task }
func (a *arrays) Prepared() string { return spell(a.query) }

func (a *arrays) Batch(_ context.Context, lo, hi int) (Batch, error) {
	if lo < 0 || hi <= lo || hi > a.n {
		return Batch{}, fmt.Errorf("batch of samples %d to %d of %d", lo, hi, a.n)
	}
	b := Batch{Inputs: map[string]*tensor.Tensor{}}
	for name, t := range a.inputs {
		if name == "input" && len(a.inputs) == 1 {
			name = ""
		}
		b.Inputs[name] = rows(t, lo, hi)
	}
	if a.labels != nil {
		b.Labels = a.labels[lo:hi]
	}
	return b, nil
}

// rows is a copy of the samples lo to hi-1 of t.
func rows(t *tensor.Tensor, lo, hi int) *tensor.Tensor {
	shape := append([]int{hi - lo}, t.Shape[1:]...)
	size := t.Type.Bits() / 8 * tensor.Len(t.Shape[1:])
	out := tensor.New(t.Type, shape...)
	copy(out.Bytes(), t.Bytes()[lo*size:hi*size])
	return out
}

// openTokens reads sequences of token numbers: the only array of the file, or
// the one that the option input names. The network gets them as int64 under
// that name.
func openTokens(s Spec) (Set, error) {
	a := &arrays{inputs: map[string]*tensor.Tensor{}, task: NextToken, query: s.query}
	path, list, err := readOne(s)
	if err != nil {
		return nil, err
	}
	want := s.query.Get("input")
	if want == "" && len(list) > 1 {
		want = "input_ids"
	}
	var names []string
	for _, x := range list {
		names = append(names, x.Name)
		if want != "" && x.Name != want {
			continue
		}
		tokens, err := integers(x.Tensor)
		if err != nil || x.Tensor.Rank() != 2 || x.Tensor.Shape[1] < 2 {
			return nil, fmt.Errorf("%s: %s: want integers of shape [sequences, length >= 2], found %v", path, x.Name, x.Tensor)
		}
		ids := make([]int64, len(tokens))
		for i, k := range tokens {
			ids[i] = int64(k)
		}
		a.inputs[x.Name], a.n = tensor.Of(x.Tensor.Shape, ids), x.Tensor.Shape[0]
	}
	if len(a.inputs) == 0 {
		return nil, fmt.Errorf("%s: choose the array of tokens with ?input=; there are %s", path, strings.Join(names, ", "))
	}
	return a, nil
}

// readOne reads the only file of a specification.
func readOne(s Spec) (path string, list []npy.Array, err error) {
	if len(s.Paths) != 1 {
		return "", nil, fmt.Errorf("%s takes one file, not %d", s.Kind, len(s.Paths))
	}
	list, err = npy.ReadZip(s.Paths[0])
	return s.Paths[0], list, err
}
