package prune

import (
	"strings"
	"testing"

	"pare/cost"
	"pare/format"
	"pare/internal/assets"
	"pare/op"
)

// TestAmounts: RED removes what is asked for, whichever way it chooses, and says per
// layer what it cost.
func TestREDAmounts(t *testing.T) {
	for _, text := range []string{"red(macs=0.7,merge=nearest)", "red(rate=0.3,merge=nearest,linkage=complete,scope=layer)", "red(params=0.6,merge=nearest,aggregate=survivor,scaled=false)", "red(macs=0.7,compensate=mean)"} {
		m := simplified(t, assets.Path(t, "cifar10/resnet20.onnx"), true)
		before, was := cost.Of(m).Totals, units(t, m)
		rep := recipe(t, m, text)
		if _, err := op.Infer(m); err != nil {
			t.Fatal(err)
		}
		after, left := cost.Of(m).Totals, units(t, m)
		macs, params := float64(after.MACs)/float64(before.MACs), float64(after.Params)/float64(before.Params)
		t.Logf("%s: %.3f of the multiply-accumulates, %.3f of the parameters, %d of %d units", text, macs, params, left, was)
		switch {
		case strings.Contains(text, "macs=") && (macs > 0.7 || macs < 0.6),
			strings.Contains(text, "params=") && (params > 0.6 || params < 0.5),
			strings.Contains(text, "rate=") && (left > was*7/10 || left < was*65/100):
			t.Errorf("%s leaves %.3f, %.3f, %d of %d", text, macs, params, left, was)
		}
		for _, l := range rep.Layers {
			if !l.Skipped && l.ErrorAfter < l.ErrorBefore {
				t.Errorf("%s: %s has an error of %v after hashing, %v after merging", text, l.Name, l.ErrorBefore, l.ErrorAfter)
			}
		}
	}
}

// TestCodebookForm: hashed weights stored as codes are what hashing made of them, in
// a quarter of the bytes.
func TestREDCodebook(t *testing.T) {
	m := simplified(t, assets.Path(t, "cifar10/resnet20.onnx"), true)
	rep := recipe(t, m, "red(store=codebook)")
	found := 0
	for v := range m.Graph.Values {
		if e, ok := format.MatchWeight(m, v); ok && e.Spec.Kind == format.Codebook {
			found++
		}
	}
	if found != 20 || rep.After.Bytes > rep.Before.Bytes*3/10 {
		t.Errorf("%d codebooks; %d bytes became %d", found, rep.Before.Bytes, rep.After.Bytes)
	}
	for _, l := range rep.Layers {
		if l.ErrorAfter > 0.08 || !strings.HasPrefix(l.Format, "codebook") {
			t.Errorf("%s: %s with an error of %v", l.Name, l.Format, l.ErrorAfter)
		}
	}
}
