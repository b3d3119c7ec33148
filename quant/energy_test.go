package quant

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// TestPerWeight: every weight counts what the channel of the data that it
// multiplies does, in all layouts of weights.
func TestPerWeight(t *testing.T) {
	grouped := &ir.Node{Op: "Conv", Attrs: []ir.Attr{{Name: "group", Value: int64(3)}}}
	for _, c := range []struct {
		l        compress.Layer
		shape    []int
		channels int
	}{
		{compress.Layer{Kind: compress.Conv, Node: &ir.Node{Op: "Conv"}, In: 1, Out: 0}, []int{4, 3, 2, 2}, 3},
		{compress.Layer{Kind: compress.Conv, Node: &ir.Node{Op: "Conv"}, In: 1, Out: 0}, []int{4, 3, 1, 1}, 3},
		{compress.Layer{Kind: compress.Conv, Node: grouped, In: 1, Out: 0}, []int{6, 2, 3}, 6},
		{compress.Layer{Kind: compress.Dense, Node: &ir.Node{Op: "MatMul"}, In: 0, Out: 1}, []int{5, 7}, 5},
		{compress.Layer{Kind: compress.Dense, Node: &ir.Node{Op: "Gemm"}, In: 1, Out: 0}, []int{5, 7}, 7},
	} {
		energy := make([]float64, c.channels)
		for i := range energy {
			energy[i] = float64(i + 1)
		}
		channel, n, _ := inputChannels(&c.l, c.shape)
		if n != c.channels {
			t.Fatalf("%v: %d channels, want %d", c.shape, n, c.channels)
		}
		for i, w := range perWeight(&c.l, c.shape, energy) {
			if want := float32(energy[channel(i)]); w != want {
				t.Fatalf("%v %v: weight %d counts %v, want %v", c.l.Kind, c.shape, i, w, want)
			}
		}
	}
}

// TestChannelEnergies compares with one sum after the other.
func TestChannelEnergies(t *testing.T) {
	r, shape := rand.New(rand.NewPCG(5, 6)), []int{6, 37, 3}
	x, counts := make([]float32, tensor.Len(shape)), make([]float32, tensor.Len(shape))
	for i := range x {
		x[i], counts[i] = float32(r.IntN(9)-4), float32(r.IntN(5))
	}
	for axis, dim := range shape {
		step := strides(shape)[axis]
		plain, weighted := make([]float64, dim), make([]float64, dim)
		for i, v := range x {
			plain[i/step%dim] += float64(v) * float64(v)
			weighted[i/step%dim] += float64(counts[i]) * float64(v) * float64(v)
		}
		if got := channelEnergies(tensor.Of(shape, x), axis, nil); !slices.Equal(got, plain) {
			t.Errorf("axis %d: %v, want %v", axis, got, plain)
		}
		if got := channelEnergies(tensor.Of(shape, x), axis, counts); !slices.Equal(got, weighted) {
			t.Errorf("axis %d, weighted: %v, want %v", axis, got, weighted)
		}
	}
}
