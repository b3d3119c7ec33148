package ort_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"pare"
	"pare/tensor"
	"pare/x/ort"
)

// judgedRecipe is a recipe, and whether it leaves data as codes.
type judgedRecipe struct {
	recipe string
	coded  bool
}

// recipes make the compressed forms that are judged. coded says that data pass
// through quantisers on the way.
var recipes = []judgedRecipe{
	{"original", false},
	{"copy", false},
	{"fold", false},
	{"w8", false},
	{"w8a8", true},
	{"fold+uniform(w=4)", false},
	{"fold+powerquant(w=4)", false},
	{"fold+powerquant(w=4,a=4)", true},
	{"fold+powerquant(w=8,a=8)", true},
	{"w4a4", true},
	{"w4a8", true},
	{"w6a6", true},
	{"fold+uniform(w=3)", false},
	{"fold+powerquant(w=3)", false},
	{"fold+uniform(w=2)", false},
	{"fold+uniform(w=4,granularity=block,block=32)", false},
	{"fold+uniform(w=8,symmetric=false,granularity=tensor)", false},
	{"fold+spiq(w=6,a=6,form=axis)+uniform(w=6)", true},
	{"fold+spiq(form=axis)+uniform(a=8)", true},
	{"fold+rex", false},
	{"fold+rex(base=powerquant(w=4),order=2,bits=4,steps=max,budget=0)", false},
	{"fold+rex(base=uniform(w=4),order=2,bits=4,steps=fused)", false},
	{"fold+rex(base=ternary,order=4,bits=1,budget=2)", false},
	{"fold+rex(base=uniform(w=8,a=8))", true},
	{"fold+rex(base=powerquant(w=4,a=4))", true},
	{"fold+codebook(w=4)", false},
	{"w2a16", false},
	{"fold+ternary(edges=0)", false},
	{"fold+split(form=split)", false},
	{"fold+red", false},
	{"fold+red++(form=split)", false},
	{"fold+red+++powerquant(w=4)", false},
	{"fold+uniform(w=4)+red++", false},
	{"fold+random(rate=0.4)", false},
	{"fold+svd(error=0.3,pays=macs)", false},
	{"fold+tucker(error=0.4,pays=macs)", false},
	{"fold+cp(error=0.4,pays=macs)", false},
	{"fold+svd(error=0.2,form=channel,pays=macs)+uniform(w=8,a=8)", true},
}

// leastFloat is the least signal-to-noise ratio of results in float, in
// decibels: sums in another order lose a few units in the last place of 24 bits,
// and deep networks stay above 100.
const leastFloat = 100

// leastHalf is that of results in half precision, of 11 bits: ONNX Runtime
// rounds every step to them, pare none but the last.
const leastHalf = 66

// beyond is by how many decibels results behind quantisers must be closer to
// the judge's than to the original's. A bound on floats would be wrong: where a
// value lies in the middle between two codes, a difference in its last place
// becomes a whole step, which moves every value behind it, so that in deep
// networks what is left is of the order of the noise of the quantisation.
const beyond = 3

// Every form of every network gives in ONNX Runtime what it gives in pare.
func TestJudge(t *testing.T) { judge(t, networks, recipes) }

// learned are recipes that learn from samples, on networks that this takes little time for.
var learned = []judgedRecipe{
	{"fold+gptq(w=4)", false},
	{"fold+gptq(base=powerquant(w=4,a=8))", true},
	{"fold+adaround(w=4,steps=5)", false},
	{"fold+brecq(w=4,a=4,steps=5)", true},
	{"fold+qdrop(base=powerquant(w=4,a=4),steps=5)", true},
	{"fold+adaquant(w=3,a=8,steps=5)", true},
	{"fold+nupes(w=4,a=4,steps=5)", true},
	{"fold+smooth+uniform(w=8,a=8)", true},
	{"taylor(macs=0.8)+fold", false},
	{"singe(macs=0.8,steps=2,epochs=1)+fold+uniform(w=8)", false},
	{"tune(steps=2)+fold", false},
}

func TestJudgeLearned(t *testing.T) {
	judge(t, slices.DeleteFunc(slices.Clone(networks), func(n network) bool {
		return n.file != "cifar10/resnet20.onnx" && n.file != "cifar10/vit_tiny.onnx"
	}), learned)
}

func judge(t *testing.T, networks []network, recipes []judgedRecipe) {
	needLibrary(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "network\trecipe\tmax abs\tmax rel\tSNR, dB\tto the original, dB")
	for _, n := range networks {
		t.Run(n.file, func(t *testing.T) {
			m := n.load(t)
			if n.refused != "" {
				refuses(t, m.Path(), n.refused)
				return
			}
			in := n.inputs(t, m)
			original := run(t, m, in)
			for _, r := range recipes {
				t.Run(r.recipe, func(t *testing.T) {
					small := m
					if r.recipe != "original" {
						small = compressed(t, n, m, r.recipe)
					}
					got := run(t, small, in)
					loss := between(t, original, got)
					d := between(t, judged(t, small.Path(), in), got)
					fmt.Fprintf(w, "%s\t%s\t%.2e\t%.2e\t%.1f\t%.1f\n", n.file, r.recipe, d.abs, d.rel, d.snr, loss.snr)
					least := cmp.Or(n.least, leastFloat)
					if r.coded {
						least = min(least, loss.snr+beyond)
					}
					if d.snr < least {
						t.Errorf("signal-to-noise ratio %.1f dB, want at least %.1f: %v", d.snr, least, d)
					}
				})
			}
		})
	}
	w.Flush()
	t.Log("\n" + table.String())
}

// refuses holds that ONNX Runtime does not load a file.
func refuses(t *testing.T, path, reason string) {
	t.Helper()
	if s, err := ort.Open(path, ort.Options{}); err == nil {
		s.Close()
		t.Errorf("ONNX Runtime loads what it is said to refuse: %s", reason)
	}
}

// judged are the outputs of a file in ONNX Runtime.
func judged(t *testing.T, path string, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	s, err := ort.Open(path, ort.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func between(t *testing.T, want, got map[string]*tensor.Tensor) difference {
	t.Helper()
	d, err := compare(want, got)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// compressed is the model that a recipe makes of m, written and read again.
func compressed(t *testing.T, n network, m *pare.Model, recipe string) *pare.Model {
	t.Helper()
	c := m.Clone()
	if _, err := c.Compress(context.Background(), recipe, pare.Options{Data: n.set(t, m), Samples: n.samples}); err != nil {
		t.Fatal(err)
	}
	return written(t, c)
}

// written is a model after it was written to a file and read.
func written(t *testing.T, m *pare.Model) *pare.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if _, err := m.Save(path, pare.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	return load(t, path)
}

func load(t *testing.T, path string) *pare.Model {
	t.Helper()
	m, err := pare.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
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
