package train_test

import (
	"context"
	"math"
	"testing"

	"pare/compress"
	"pare/internal/fault"
	"pare/tensor"
)

// TestBrokenWeights: a network with a weight that is no number is named, and not
// written out again as if it had been trained.
func TestBrokenWeights(t *testing.T) {
	m := net(t, "N")
	l := compress.Layers(m)[0]
	tensor.Data[float32](l.Weight.Const)[0] = float32(math.NaN())
	samples := data(8)
	r, err := compress.Parse("tune(steps=1)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Run(context.Background(), m, compress.Options{Data: &samples})
	if _, node, hint := fault.Describe(err); err == nil || node == "" || hint == "" {
		t.Errorf("a weight that is NaN: %v; want an error that names its node, with a hint", err)
	}
}
