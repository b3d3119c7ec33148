package quant_test

import (
	"testing"

	"pare/compress"
	"pare/tensor"
)

// TestForMachine checks which layers get 7 bits where the recipe is for processors
// without VNNI, and that nothing else changes.
func TestForMachine(t *testing.T) {
	const narrow, full = 63, 127
	for recipe, want := range map[string]int{
		"uniform(a=8)":                      full,
		"uniform(a=8);for=avx2":             narrow,
		"uniform(w=8);for=avx2":             full, // the data stay in float
		"uniform(a=8);fc:a=32;for=avx2":     full,
		"uniform(a=8);fc:w=8;for=avx2":      full, // the recipe says so
		"uniform(w=4,a=8);for=avx2":         7,
		"uniform(w=4,a=8,edges=8);for=avx2": narrow,
		"mixed(base=powerquant(a=8,exponent=layer,aexponent=1),least=6,budget=8);for=avx2": narrow,
	} {
		m, _ := gemm(t, 3, 40, 8)
		compressed(t, m, recipe)
		var largest int
		for _, l := range compress.Layers(m) {
			for _, v := range tensor.Float64s(l.Encoded.Codes) {
				largest = max(largest, int(v), -int(v))
			}
		}
		if largest != want {
			t.Errorf("%s: the largest weight is %d, want %d", recipe, largest, want)
		}
	}
}
