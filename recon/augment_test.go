package recon

import (
	"slices"
	"testing"

	"pare/tensor"
)

// TestMirror: left and right change places, in both layouts of pictures.
func TestMirror(t *testing.T) {
	first := []float32{1, 2, 3, 4, 5, 6}
	mirror(first, []int{2, 1, 3})
	if want := []float32{3, 2, 1, 6, 5, 4}; !slices.Equal(first, want) {
		t.Errorf("got %v, want %v", first, want)
	}
	last := make([]float32, 5*2*2)
	for i := range last {
		last[i] = float32(i)
	}
	mirror(last, []int{5, 2, 2})
	if want := []float32{2, 3, 0, 1}; !slices.Equal(last[:4], want) {
		t.Errorf("got %v, want %v", last[:4], want)
	}
}

// TestAugment: pictures change, the original batch does not, other values neither, and
// a sample is mirrored or not whatever batch it comes in.
func TestAugment(t *testing.T) {
	x := make([]float32, 4*3*2*2)
	for i := range x {
		x[i] = float32(i)
	}
	batch := tensor.Of([]int{4, 3, 2, 2}, slices.Clone(x))
	for _, how := range []string{"flip", "mixup"} {
		got := augment(how, batch, 8, 1)
		if tensor.Equal(got, batch) || !slices.Equal(tensor.Data[float32](batch), x) {
			t.Errorf("%s changed nothing, or the original", how)
		}
	}
	whole := tensor.Data[float32](augment("flip", batch, 8, 1))
	half := tensor.Data[float32](augment("flip", tensor.Of([]int{2, 3, 2, 2}, x[24:]), 10, 1))
	if !slices.Equal(whole[24:], half) {
		t.Error("a sample depends on its batch")
	}
	if rows := tensor.Of([]int{6, 8}, slices.Clone(x)); augment("mixup", rows, 0, 1) != rows {
		t.Error("rows were mixed")
	}
}
