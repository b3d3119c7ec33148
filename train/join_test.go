package train

import (
	"slices"
	"testing"

	"pare/dataset"
	"pare/tensor"
)

// Rows of tokens are made as long as the longest; pictures must have one size.
func TestJoin(t *testing.T) {
	batch := func(x *tensor.Tensor, labels ...int) dataset.Batch {
		return dataset.Batch{Inputs: map[string]*tensor.Tensor{"x": x}, Labels: labels}
	}
	b, err := join([]dataset.Batch{batch(tensor.Of([]int{2, 1}, []int64{1, 2}), 5, 6), batch(tensor.Of([]int{1, 3}, []int64{3, 4, 5}), 7)})
	if err != nil || !slices.Equal(tensor.Data[int64](b.Inputs["x"]), []int64{1, 0, 0, 2, 0, 0, 3, 4, 5}) || !slices.Equal(b.Labels, []int{5, 6, 7}) {
		t.Errorf("%v, %v", b, err)
	}
	if _, err := join([]dataset.Batch{batch(tensor.New(tensor.Float32, 1, 3, 4, 4)), batch(tensor.New(tensor.Float32, 1, 3, 4, 5))}); err == nil {
		t.Error("pictures of two sizes are joined")
	}
}
