package quant_test

import (
	"testing"

	"pare/compress"
)

// TestRexClaims holds on a real network what expansions are for: agreement grows
// with the orders up to that of the original, and at the cost of wider evenly
// spaced weights they follow it more closely, in fewer bytes.
func TestRexClaims(t *testing.T) {
	if testing.Short() {
		t.Skip("measures a real network")
	}
	g := golden[0]
	m, set := load(t, g.network), open(t, g.data, g.samples)
	ref := session(t, m)
	snr, agreement, bytes := map[string]float64{}, map[string]float64{}, map[string]int64{}
	try := func(recipe string) string {
		got, size := measure(t, m, recipe, compress.Options{Input: g.input}, set, ref)
		snr[recipe], agreement[recipe], bytes[recipe] = got.SNR, got.Agreement, size
		return recipe
	}
	ahead := func(better, worse string, decibels float64) {
		t.Helper()
		if a, b := try(better), try(worse); snr[a] < snr[b]+decibels {
			t.Errorf("%s: %.1f dB, %s: %.1f dB; want %.0f more", a, snr[a], b, snr[b], decibels)
		}
	}
	// 4 bits at 1.5 times the bit-operations cost what 6 bits cost, and are stored
	// in 6.3 bits instead of 8.
	ahead("fold+rex", "fold+uniform(w=6)", 0)
	if a, b := bytes["fold+rex"], bytes["fold+uniform(w=6)"]; 10*a > 8*b {
		t.Errorf("%d bytes against %d", a, b)
	}
	// The default is no worse than terms of as many bits as the first, at one cost.
	ahead("fold+rex", "fold+rex(order=2,bits=4)", 3)
	ahead("fold+rex(base=uniform(w=2),order=3,budget=0)", "fold+rex(base=uniform(w=2),order=2,budget=0)", 8)
	ahead("fold+rex(base=uniform(w=2),order=4,budget=0)", "fold+rex(base=uniform(w=2),order=3,budget=0)", 8)
	if a := agreement["fold+rex(base=uniform(w=2),order=4,budget=0)"]; a < 0.985 {
		t.Errorf("four orders of 2 bits: agreement %.3f", a)
	}
	ahead("fold+rex(base=ternary,order=2,budget=0)", "fold+ternary", 8)
	ahead("fold+rex(base=uniform(w=4,a=4),inputs=2)", "fold+rex(base=uniform(w=4,a=4))", 8)
	ahead("fold+codebook(w=3)", "fold+powerquant(w=3)", 1)
}
