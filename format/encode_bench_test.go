package format_test

import (
	"math/rand/v2"
	"testing"

	"pare/format"
	"pare/tensor"
)

// BenchmarkEncode stores a layer of a million weights on one thread.
func BenchmarkEncode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	w := tensor.New(tensor.Float32, 1024, 1024)
	for i := range tensor.Data[float32](w) {
		tensor.Data[float32](w)[i] = float32(r.NormFloat64())
	}
	specs := map[string]format.Spec{
		"uniform": {Bits: 8, Grain: format.PerChannel},
		"power":   {Kind: format.Power, Bits: 4, Exponent: 0.6, Grain: format.PerChannel},
	}
	for name, s := range specs {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(w.Bytes())))
			for b.Loop() {
				if _, _, err := format.Encode(w, s, format.Options{Threads: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
