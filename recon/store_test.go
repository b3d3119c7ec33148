package recon_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"pare/recon"
	"pare/tensor"
)

// TestStore: samples come back as they went in, in any order, those of other shapes
// and types as well, and leave nothing behind.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, err := recon.NewStore()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	batch := func(n, w int, first float32) *tensor.Tensor {
		x := tensor.New(tensor.Float32, n, w)
		for i := range tensor.Data[float32](x) {
			tensor.Data[float32](x)[i] = first + float32(i)
		}
		return x
	}
	for _, b := range []*tensor.Tensor{batch(2, 3, 0), batch(3, 3, 6), batch(1, 5, 100)} {
		if err := s.Append(b, b.Shape[0]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Read([]int{4, 0, 1, 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{12, 13, 14, 0, 1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(tensor.Data[float32](got), want) {
		t.Errorf("got %v, want %v", tensor.Data[float32](got), want)
	}
	again, err := s.Read([]int{1, 2, 3, 4}, got)
	if err != nil || again != got || tensor.Data[float32](got)[0] != 3 {
		t.Errorf("the buffer was not used: %v", err)
	}
	if other, err := s.Read([]int{5}, got); err != nil || !slices.Equal(other.Shape, []int{1, 5}) || tensor.Data[float32](other)[4] != 104 {
		t.Errorf("got %v, %v", other, err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("the folder holds %v", files)
	}
	var odd *recon.NotBatchedError
	if err := s.Append(batch(2, 3, 0), 3); !errors.As(err, &odd) {
		t.Errorf("got %v", err)
	}
}

// TestStoreFull: a full disk is one clear error.
func TestStoreFull(t *testing.T) {
	t.Setenv("TMPDIR", "/nowhere")
	if _, err := recon.NewStore(); err == nil {
		t.Error("a store in a folder that does not exist")
	}
}
