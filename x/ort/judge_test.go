package ort_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"pare"
	"pare/internal/assets"
	"pare/tensor"
	"pare/x/ort"
)

// recipes are the compressed forms that are judged. coded says that data pass
// through quantisers on the way.
var recipes = []struct {
	recipe string
	coded  bool
}{
	{"copy", false},
	{"fold", false},
	{"w8", false},
	{"w8a8", true},
	{"fold+uniform(w=4)", false},
	{"fold+powerquant(w=4)", false},
	{"fold+uniform(w=3)", false},
	{"fold+powerquant(w=3)", false},
	{"fold+uniform(w=2)", false},
	{"fold+uniform(w=4,granularity=block,block=32)", false},
	{"fold+uniform(w=8,symmetric=false,granularity=tensor)", false},
}

// The least signal-to-noise ratios, in decibels. Sums of floats in another
// order lose a few units in the last place of 24 bits: deep networks stay above
// 100. Quantisers turn a difference in the last place into a whole step where a
// value lies at the middle between two codes, and such steps pass on: what is
// left is well above the noise of the quantisation itself (20 to 40 dB).
const (
	leastFloat = 100
	leastCoded = 40
)

// Every form of every network gives in ONNX Runtime what it gives in pare.
func TestJudge(t *testing.T) {
	needLibrary(t)
	for _, n := range networks {
		t.Run(n.file, func(t *testing.T) {
			m, err := pare.Load(assets.Path(t, n.file))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if n.refused != "" {
				if s, err := ort.Open(m.Path(), ort.Options{}); err == nil {
					s.Close()
					t.Errorf("ONNX Runtime loads what it is said to refuse: %s", n.refused)
				}
				return
			}
			in := n.inputs(t, m)
			t.Run("original", func(t *testing.T) { judge(t, m, in, leastFloat) })
			for _, r := range recipes {
				t.Run(r.recipe, func(t *testing.T) {
					least := float64(leastFloat)
					if r.coded {
						least = leastCoded
					}
					judge(t, compressed(t, n, m, r.recipe), in, least)
				})
			}
		})
	}
}

// compressed is the model that a recipe makes of m, written and read again.
func compressed(t *testing.T, n network, m *pare.Model, recipe string) *pare.Model {
	t.Helper()
	c := m.Clone()
	if _, err := c.Compress(context.Background(), recipe, pare.Options{Data: n.set(t, m), Samples: 16}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "small.onnx")
	if _, err := c.Save(path, pare.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	small, err := pare.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { small.Close() })
	return small
}

// judge runs the file of m in both engines and compares.
func judge(t *testing.T, m *pare.Model, in map[string]*tensor.Tensor, least float64) {
	t.Helper()
	judge, err := ort.Open(m.Path(), ort.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer judge.Close()
	want, err := judge.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	d, err := compare(want, run(t, m, in))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(d)
	if d.snr < least {
		t.Errorf("signal-to-noise ratio %.1f dB, want at least %.0f", d.snr, least)
	}
}

// run computes the outputs of m by pare's engine.
func run(t *testing.T, m *pare.Model, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	s, err := m.NewSession(context.Background(), pare.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// needLibrary skips, loudly, where ONNX Runtime is missing.
func needLibrary(t testing.TB) {
	t.Helper()
	v, err := ort.Version()
	if errors.Is(err, ort.ErrNoLibrary) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ONNX Runtime %s", v)
}
