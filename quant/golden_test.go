package quant_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/engine"
	"pare/eval"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/tensor"
)

var update = flag.Bool("update", false, "write the measured figures into testdata/golden.txt")

// golden are the networks and recipes whose quality is held; "@data" calibrates.
var golden = []struct {
	network, data, calibration string
	samples                    int
	input                      compress.InputRange
	recipes                    []string
}{
	{
		"cifar10/resnet20.onnx", "cifar10:%scifar10/test_5000.bin?mean=0.485,0.456,0.406&std=0.229,0.224,0.225",
		"cifar10:%scifar10/train_batch_1.bin?mean=0.485,0.456,0.406&std=0.229,0.224,0.225", 200,
		compress.InputRange{Lo: []float64{-2.118, -2.036, -1.804}, Hi: []float64{2.249, 2.429, 2.640}},
		[]string{"w8", "w8a8", "w8a8@data", "w4", "fold+uniform(w=4,a=4)@data", "fold+uniform(w=3)", "fold+powerquant(w=3)",
			"fold+uniform(w=4,a=4)", "fold+equalize+absorb+uniform(w=4,a=4)+correct", "fold+spiq(w=4,a=4)+uniform(w=4,a=4)+correct",
			"w6a6", "w4a8", "w4a4", "w4a16", "w3a16", "w2a16"},
	},
	{
		"cifar10/vit_tiny.onnx", "cifar10:%scifar10/test_5000.bin?mean=0.4914,0.4822,0.4465&std=0.2023,0.1994,0.201",
		"cifar10:%scifar10/train_batch_1.bin?mean=0.4914,0.4822,0.4465&std=0.2023,0.1994,0.201", 200,
		compress.InputRange{Lo: []float64{-2.43, -2.42, -2.22}, Hi: []float64{2.52, 2.60, 2.76}},
		[]string{"w8", "w8a8", "w8a8@data", "fold+uniform(w=4)", "w4", "w6a6", "w4a8", "w4a4", "w4a16", "w3a16", "w2a16"},
	},
	{
		"imagenet/mobilenet_v1_0.75.onnx", "images:%simagenet/val?crop=224&mean=0.5&std=0.5", "", 24,
		compress.InputRange{Lo: []float64{-1}, Hi: []float64{1}},
		[]string{"w8", "w8a8", "fold+powerquant(w=8)", "fold+uniform(w=6,a=6)", "fold+equalize+absorb+uniform(w=6,a=6)+correct", "fold+spiq(w=6,a=6)+uniform(w=6,a=6)+correct", "w6a6", "w4a8", "w4a4", "w4", "w4a16", "w3a16", "w2a16"},
	},
	{
		"imagenet/mobilenet_v2_1.0.onnx", "images:%simagenet/val?crop=224&mean=0.5&std=0.5&classes=1001&offset=1", "", 24,
		compress.InputRange{Lo: []float64{-1}, Hi: []float64{1}},
		[]string{"w8a8", "fold+equalize+absorb+uniform(w=8,a=8)+correct", "fold+spiq+uniform(w=8,a=8)+correct",
			"fold+equalize(reach=false)+uniform(w=8,granularity=tensor)+correct"},
	},
}

const goldenFile = "testdata/golden.txt"

// TestGolden holds the agreement with the original and the signal-to-noise ratio
// of the outputs to the figures in the golden file. Processors add up in
// different orders, so a sample or a fraction of a decibel may differ.
func TestGolden(t *testing.T) {
	if testing.Short() {
		t.Skip("measures real networks")
	}
	want := goldenFigures(t)
	var lines []string
	for _, g := range golden {
		m, set := load(t, g.network), open(t, g.data, g.samples)
		ref := session(t, m)
		for _, recipe := range g.recipes {
			text, withData := strings.CutSuffix(recipe, "@data")
			o := compress.Options{Input: g.input, Run: newRunner}
			if withData {
				o.Data = &calib.Data{Set: open(t, g.calibration, 64), Run: newRunner}
			}
			got, bytes := measure(t, m, text, o, set, ref)
			key := g.network + " " + recipe
			lines = append(lines, fmt.Sprintf("%s agreement %.3f snr %.1f bytes %d", key, got.Agreement, got.SNR, bytes))
			if w, ok := want[key]; !*update && (!ok || math.Abs(got.Agreement-w.agreement) > 2.1/float64(g.samples) ||
				math.Abs(got.SNR-w.snr) > 0.5 || bytes != w.bytes) {
				t.Errorf("measured %s; recorded %+v (-update records it)", lines[len(lines)-1], w)
			}
		}
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSentences: without data, 8 bits keep the directions of sentence vectors,
// although a few channels of a transformer reach many times further than others.
func TestSentences(t *testing.T) {
	if testing.Short() {
		t.Skip("measures a real network")
	}
	m, set := load(t, "language/minilm-l6.onnx"), open(t, "sts:%slanguage/stsb_750.npz", 32)
	ref := session(t, m)
	for recipe, least := range map[string]float64{"w8a8": 0.98, "fold+powerquant(w=8,a=8)": 0.993} {
		got, _ := measure(t, m, recipe, compress.Options{}, set, ref)
		if got.Cosine == nil || *got.Cosine < least {
			t.Errorf("%s: mean cosine %v to the original's sentence vectors, want %v", recipe, *got.Cosine, least)
		}
	}
}

// figures of one network and recipe; bytes are those of the constants.
type figures struct {
	agreement, snr float64
	bytes          int64
}

func goldenFigures(t *testing.T) map[string]figures {
	t.Helper()
	text, err := os.ReadFile(goldenFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	out := map[string]figures{}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(line, " agreement ")
		var f figures
		if _, err := fmt.Sscanf(rest, "%f snr %f bytes %d", &f.agreement, &f.snr, &f.bytes); err != nil {
			t.Fatalf("%s: %q: %v", goldenFile, line, err)
		}
		out[key] = f
	}
	return out
}

func load(t *testing.T, network string) *ir.Model {
	t.Helper()
	f, err := onnx.Open(assets.Path(t, network))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Model
}

func open(t *testing.T, spec string, samples int) dataset.Set {
	t.Helper()
	set, err := dataset.Open(fmt.Sprintf(spec, assets.Path(t, "")+"/"))
	if err != nil {
		t.Fatal(err)
	}
	return dataset.Head(set, samples)
}

func session(t *testing.T, m *ir.Model) *engine.Session {
	t.Helper()
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p.NewSession()
}

func measure(t *testing.T, m *ir.Model, recipe string, o compress.Options, set dataset.Set, ref eval.Network) (eval.Against, int64) {
	t.Helper()
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	m = ir.CloneModel(m)
	rep, err := r.Run(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	res, err := eval.Run(context.Background(), session(t, m), set, eval.Options{Reference: ref, Batch: 8})
	if err != nil {
		t.Fatal(err)
	}
	return *res.Against, rep.After.Bytes
}

// probe is a session that returns the values that calibration asks for.
type probe struct {
	s      *engine.Session
	values []*ir.Value
}

func newRunner(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
	var names []string
	for _, v := range values {
		if !slices.Contains(m.Graph.Inputs, v) {
			names = append(names, v.Name)
		}
	}
	p, err := engine.Compile(context.Background(), m, engine.Options{Extra: names})
	if err != nil {
		return nil, err
	}
	return probe{p.NewSession(), values}, nil
}

func (p probe) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	got, err := p.s.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(p.values))
	for i, v := range p.values {
		if out[i] = in[v.Name]; out[i] == nil {
			out[i] = got[v.Name]
		}
	}
	return out, nil
}
