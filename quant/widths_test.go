package quant_test

import (
	"context"
	"testing"

	"pare/compress"
)

// budgeted compresses ResNet-20 and returns the bits of all weights
// and the report.
func budgeted(t *testing.T, recipe string) (bits int, rep *compress.Report) {
	m := load(t, "cifar10/resnet20.onnx")
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	rep, err = r.Run(context.Background(), m, compress.Options{Threads: 1, Input: compress.InputRange{Lo: []float64{-2}, Hi: []float64{2}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range compress.Layers(m) {
		if l.Encoded != nil {
			bits += l.Params() * l.Encoded.Spec.Bits
		}
	}
	return bits, rep
}

// TestBudgets: budgets widen weights within the size they allow, and the data of
// some layers, the network's input among them.
func TestBudgets(t *testing.T) {
	plain, _ := budgeted(t, "fold+powerquant(w=4,a=4)")
	spent, rep := budgeted(t, "fold+powerquant(w=4,a=4,wbudget=1.25,abudget=1.25)")
	if spent <= plain || float64(spent) > 1.25*float64(plain) {
		t.Errorf("%d bits of weights, %d without a budget of 1.25", spent, plain)
	}
	weights, data, first := map[int]int{}, map[int]int{}, 0
	for _, l := range rep.Layers {
		if l.Skipped || l.Params == 0 {
			continue
		}
		if first == 0 {
			first = l.ActivationBits
		}
		weights[l.Bits]++
		data[l.ActivationBits]++
	}
	if first != 8 || weights[4] == 0 || weights[8] == 0 || data[4] == 0 || data[8] < 2 {
		t.Errorf("layers by bits of weights %v, of data %v; the input has %d", weights, data, first)
	}
}
