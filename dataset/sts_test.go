package dataset

import (
	"archive/zip"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare/internal/npy"
	"pare/tensor"
)

func writeSTS(t *testing.T, arrays ...npy.Array) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "x.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for _, a := range arrays {
		w, err := z.Create(a.Name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if err := npy.Write(w, a.Tensor); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func ids(name string, cols int, x ...int64) npy.Array {
	return npy.Array{Name: name, Tensor: tensor.Of([]int{len(x) / cols, cols}, x)}
}

// TestSTS: sentences of a pair follow one another, cut to the longest of the
// batch, the sides may be padded to different lengths.
func TestSTS(t *testing.T) {
	scores := npy.Array{Name: "scores", Tensor: tensor.Of([]int{2}, []float32{5, 1.5})}
	maskA, maskB := ids("a_attention_mask", 3, 1, 1, 0, 1, 0, 0), ids("b_attention_mask", 2, 1, 0, 1, 0)
	idsA, idsB := ids("a_input_ids", 3, 11, 12, 0, 13, 0, 0), ids("b_input_ids", 2, 21, 0, 22, 0)
	s, err := Open("sts:" + writeSTS(t, scores, maskA, maskB, idsA, idsB))
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Batch(context.Background(), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Inputs["input_ids"]; !slices.Equal(tensor.Data[int64](got), []int64{11, 12, 21, 0, 13, 0, 22, 0}) || got.Shape[0] != 4 {
		t.Errorf("rows %v %v", got, tensor.Data[int64](got))
	}
	if !slices.Equal(b.Scores, []float64{5, 1.5}) || s.Len() != 2 || s.Task() != Similarity {
		t.Errorf("scores %v of %d", b.Scores, s.Len())
	}
	if b, err = s.Batch(context.Background(), 1, 2); err != nil || b.Inputs["attention_mask"].Shape[1] != 1 {
		t.Errorf("the second pair is cut to %v, %v", b.Inputs["attention_mask"], err)
	}
	for name, c := range map[string]struct {
		want   string
		arrays []npy.Array
	}{
		"one side":  {"b_INPUT for every input", []npy.Array{scores, maskA, maskB, idsA}},
		"no mask":   {"attention_mask among them", []npy.Array{scores, idsA, idsB}},
		"no scores": {"0 scores for 2 pairs", []npy.Array{maskA, maskB}},
		"lengths":   {"has shape", []npy.Array{scores, maskA, maskB, ids("a_input_ids", 2, 1, 2, 3, 4), idsB}},
		"name":      {"arrays are called", []npy.Array{scores, ids("mask", 1, 1, 1)}},
	} {
		if _, err := Open("sts:" + writeSTS(t, c.arrays...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
