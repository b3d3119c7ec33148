package calib_test

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
	"pare/dataset"
	"pare/engine"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

var update = flag.Bool("update", false, "write the measured figures into testdata/real.txt")

// real are networks whose statistics are compared with measured ones. Those
// without batch-norms get statistics from synthetic inputs.
var real = []struct {
	path, data string
	samples    int
	lo, hi     []float64
	synthetic  bool
}{
	{"cifar10/resnet20.onnx", "cifar10:%scifar10/test_5000.bin?mean=0.485,0.456,0.406&std=0.229,0.224,0.225", 100,
		[]float64{-2.118, -2.036, -1.804}, []float64{2.249, 2.429, 2.640}, false},
	{"imagenet/mobilenet_v1_0.75.onnx", "images:%simagenet/val?crop=224&mean=0.5&std=0.5", 12, []float64{-1}, []float64{1}, false},
	{"imagenet/mobilenet_v2_1.0.onnx", "images:%simagenet/val?crop=224&mean=0.5&std=0.5", 12, []float64{-1}, []float64{1}, true},
}

const realFile = "testdata/real.txt"

// deviation says how far derived statistics of a value lie from measured ones:
// error of the mean in measured deviations (root mean square over channels that
// move), ratio of deviations (median), and the range that derived statistics give
// to the whole tensor over the measured one, at 6 deviations.
type deviation struct{ mean, std, span float64 }

func compare(got, want *ir.Stats) deviation {
	var d deviation
	var ratios []float64
	for c := range want.Mean {
		if want.Std[c] < 1e-2*slices.Max(want.Std) {
			continue
		}
		z := (got.Mean[min(c, len(got.Mean)-1)] - want.Mean[c]) / want.Std[c]
		d.mean += z * z
		ratios = append(ratios, got.Std[min(c, len(got.Std)-1)]/want.Std[c])
	}
	slices.Sort(ratios)
	d.mean, d.std = math.Sqrt(d.mean/float64(len(ratios))), ratios[len(ratios)/2]
	reach := func(s *ir.Stats) float64 { return max(slices.Max(s.Hi), -slices.Min(s.Lo)) }
	d.span = reach(got) / reach(want)
	return d
}

// TestRealStatistics holds the distance of derived statistics from measured ones,
// for every value that a layer reads or computes, to the recorded one.
func TestRealStatistics(t *testing.T) {
	if testing.Short() {
		t.Skip("measures real networks")
	}
	recorded := recordedFigures(t)
	var lines []string
	for _, r := range real {
		m := folded(t, r.path)
		values := layerValues(m)
		if r.synthetic {
			synthesise(t, m, r.lo, r.hi, values)
		}
		table := calib.Propagate(m, calib.Options{InputLo: r.lo, InputHi: r.hi})
		set, err := dataset.Open(fmt.Sprintf(r.data, assets.Path(t, "")+"/"))
		if err != nil {
			t.Fatal(err)
		}
		seen := observe(t, m, set, r.samples, values)
		for _, v := range values {
			key, figures := r.path+" "+v.Name, ""
			if s, why := table.Stats(v); s == nil {
				figures = "unknown, " + why
			} else {
				d := compare(s, seen[v].Stats())
				figures = fmt.Sprintf("mean %.2f std %.2f span %.2f", d.mean, d.std, d.span)
			}
			lines = append(lines, key+": "+figures)
			if !*update && !alike(figures, recorded[key]) {
				t.Errorf("%s: measured %q, recorded %q (-update records it)", key, figures, recorded[key])
			}
		}
	}
	if *update {
		if err := os.WriteFile(realFile, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func recordedFigures(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(realFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, figures, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			out[key] = figures
		}
	}
	return out
}

// synthesise gives the results of convolutions statistics from made-up samples.
func synthesise(t *testing.T, m *ir.Model, lo, hi []float64, values []*ir.Value) {
	t.Helper()
	set, err := calib.Noise(m, lo, hi, 16, 0)
	if err != nil {
		t.Fatal(err)
	}
	for v, o := range observe(t, m, set, 16, values) {
		if v.Producer() != nil && v.Producer().Op == "Conv" {
			v.Stats = o.Stats()
			v.Stats.Lo, v.Stats.Hi = nil, nil
		}
	}
}

// alike compares two lines of figures: processors round differently.
func alike(a, b string) bool {
	var x, y deviation
	const form = "mean %f std %f span %f"
	if n, _ := fmt.Sscanf(a, form, &x.mean, &x.std, &x.span); n != 3 {
		return a == b
	}
	if n, _ := fmt.Sscanf(b, form, &y.mean, &y.std, &y.span); n != 3 {
		return false
	}
	near := func(p, q float64) bool { return math.Abs(p-q) <= 0.03+0.02*max(p, q) }
	return near(x.mean, y.mean) && near(x.std, y.std) && near(x.span, y.span)
}

func folded(t *testing.T, path string) *ir.Model {
	t.Helper()
	f, err := onnx.Open(assets.Path(t, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m := ir.CloneModel(f.Model)
	ctx := context.Background()
	if _, err := pass.Simplify(ctx, m); err != nil {
		t.Fatal(err)
	}
	if _, err := pass.FoldBatchNorms(ctx, m); err != nil {
		t.Fatal(err)
	}
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// layerValues are what layers read and compute.
func layerValues(m *ir.Model) []*ir.Value {
	var out []*ir.Value
	for _, n := range m.Graph.Nodes {
		if n.Op != "Conv" && n.Op != "Gemm" {
			continue
		}
		for _, v := range []*ir.Value{n.In[0], n.Out[0]} {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// through runs a network by the engine.
type through struct {
	s      *engine.Session
	values []*ir.Value
}

func (r through) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	got, err := r.s.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(r.values))
	for i, v := range r.values {
		if out[i] = got[v.Name]; out[i] == nil {
			out[i] = in[v.Name]
		}
	}
	return out, nil
}

func observe(t *testing.T, m *ir.Model, set dataset.Set, n int, values []*ir.Value) map[*ir.Value]*calib.Observed {
	t.Helper()
	run := func(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
		var names []string
		for _, v := range values {
			if v.Producer() != nil {
				names = append(names, v.Name)
			}
		}
		p, err := engine.Compile(context.Background(), m, engine.Options{Extra: names})
		if err != nil {
			return nil, err
		}
		return through{p.NewSession(), values}, nil
	}
	var requests []calib.Request
	for _, v := range values {
		requests = append(requests, calib.Request{Value: v, Axis: 1})
	}
	seen, err := calib.Collect(context.Background(), m, calib.Data{Set: set, Samples: n, Batch: 8, Run: run}, requests, nil)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}
