package tensor_test

import (
	"slices"
	"testing"

	"pare/tensor"
)

func TestLater(t *testing.T) {
	made := 0
	want := tensor.Of([]int{2, 2}, []float32{1, 2, 3, 4})
	x := tensor.Later(tensor.Float32, []int{2, 2}, func() *tensor.Tensor { made++; return want.Clone() })
	y := x.Reshape(4)
	if made != 0 || x.Len() != 4 {
		t.Fatal("elements are made before they are read")
	}
	kept := tensor.Data[float32](x)
	if !tensor.Equal(x, want) || !slices.Equal(tensor.Data[float32](y), kept) || made != 1 {
		t.Fatalf("%v made %d times", kept, made)
	}
	x.Forget()
	if !slices.Equal(kept, []float32{1, 2, 3, 4}) {
		t.Fatal("a slice changed")
	}
	if !tensor.Equal(y.Reshape(2, 2).Clone(), want) || made != 2 {
		t.Fatalf("made %d times", made)
	}
	want.Forget() // nothing
	if tensor.Data[float32](want)[3] != 4 {
		t.Fatal("an ordinary tensor forgot")
	}
}
