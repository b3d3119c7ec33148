package pare_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare"
	"pare/dataset"
	"pare/eval"
	"pare/ir"
	"pare/tensor"
)

func parse(t *testing.T, text string) *pare.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	m.IRVersion = 8
	return pare.New(m)
}

func TestPreparationComesFromTheNearestPlace(t *testing.T) {
	dir := t.TempDir()
	m := parse(t, network)
	m.IR().SetMeta(pare.MetaPreparation, "mean=0.5")
	path := filepath.Join(dir, "m.onnx")
	if _, err := m.Save(path, pare.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	check := func(want pare.Preparation) {
		t.Helper()
		m, err := pare.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if got, err := m.Preparation(); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	check(pare.Preparation{Options: "mean=0.5", Source: "metadata"})
	put := func(name, text string) string {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return p
	}
	other := put("other.data.json", `{"std": [1, 2, 4]}`)
	check(pare.Preparation{Options: "std=1,2,4", Source: other})
	own := put("m.data.json", `{"crop": 224, "layout": "nhwc"}`)
	check(pare.Preparation{Options: "crop=224&layout=nhwc", Source: own})
	for text, want := range map[string]string{
		`{"scale": 3}`:       "unknown option",
		`{"crop": {}}`:       "want a text, a number",
		`{"crop": "x"}`:      "crop=x",
		`[1]`:                "JSON object",
		`{"mean": ["a", 1]}`: "want a text, a number",
	} {
		put("m.data.json", text)
		m, err := pare.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Preparation(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "m.data.json") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		m.Close()
	}
}

func TestInputRangeFollowsFromPreprocessing(t *testing.T) {
	m := parse(t, network)
	for options, want := range map[string][2][]float64{
		"mean=0.5&std=0.5":            {{-1}, {1}},
		"mean=0,0.5,1&std=0.5&crop=8": {{0, -1, -2}, {2, 1, 0}},
		"crop=224":                    {{0}, {1}},
		"input=x":                     {},
	} {
		r, err := m.InputRange(options)
		if err != nil || !slices.Equal(r.Lo, want[0]) || !slices.Equal(r.Hi, want[1]) {
			t.Errorf("%s: %v, %v", options, r, err)
		}
	}
	if r, err := m.InputRange(""); err != nil || r.Lo != nil {
		t.Errorf("nothing known: %v, %v", r, err)
	}
}

func TestGoals(t *testing.T) {
	top1, ref := 0.9, 0.95
	figures := pare.Figures(&eval.Result{Top1: &top1, Against: &eval.Against{Agreement: 0.97, Top1: &ref}})
	for text, want := range map[string]string{
		"top1>=90%,drop<=6%,agreement>=0.97": "",
		"top1>=0.91":                         "top1>=0.91: it is 0.9",
		"drop<=1%":                           "drop<=0.01: it is 0.05",
		"nll<=2":                             "nll<=2: not measured here; measured are agreement, drop",
	} {
		g, err := pare.ParseGoals(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(pare.Missed(g, figures), "; "); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if g, _ := pare.ParseGoals("size<=0.5"); pare.Missed(g, map[string]float64{"size": math.NaN()}) == nil {
		t.Error("NaN meets a goal")
	}
	for _, text := range []string{"", "top1", "top1>90", "top1>=x", "speed>=2"} {
		if _, err := pare.ParseGoals(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestFailedCompressionLeavesTheModelAlone(t *testing.T) {
	m := parse(t, strings.Replace(network, "0.125", "NaN", 1))
	before := m.IR().String()
	if _, err := m.Compress(context.Background(), "uniform(w=4)", pare.Options{}); err == nil {
		t.Fatal("a NaN weight is accepted")
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := parse(t, network).Compress(ctx, "uniform(w=4)", pare.Options{}); !errors.Is(err, stop) {
		t.Errorf("cancelled: %v", err)
	}
	if m.IR().String() != before {
		t.Error("the model has changed")
	}
}

// rows is a set of samples for the small network.
type rows struct{ *tensor.Tensor }

func (r rows) Len() int           { return r.Shape[0] }
func (r rows) Task() dataset.Task { return dataset.Unlabelled }
func (r rows) Prepared() string   { return "" }
func (r rows) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	x := tensor.Data[float32](r.Tensor)[lo*4 : hi*4]
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": tensor.Of([]int{hi - lo, 4}, x)}}, nil
}

// chain has a batch-norm between two layers, so that folding changes what the
// first layer's result means.
const chain = `
opset 17
graph chain(x f32[N,2,4,4]) -> (y) {
  const w1 = f32[2,2,1,1]{0.5, -1, 0.25, 0.75}
  const w2 = f32[2,2,1,1]{1, 0.5, -0.25, 1}
  const g = f32[2]{2, 0.5}
  const b = f32[2]{0.25, -0.5}
  const mu = f32[2]{0.1, 0.2}
  const var = f32[2]{1, 4}
  c1 = Conv(x, w1, _) @conv1
  n1 = BatchNormalization(c1, g, b, mu, var) @bn
  r1 = Relu(n1) @relu
  y f32[N,2,4,4] = Conv(r1, w2, _) @conv2
}
`

// TestCompareIsolatesLayers spoils the first of two layers: the second one's
// accumulated result suffers, its isolated one does not.
func TestCompareIsolatesLayers(t *testing.T) {
	for _, recipe := range []string{"copy", "fold"} {
		original := parse(t, chain)
		m := original.Clone()
		if _, err := m.Compress(context.Background(), recipe, pare.Options{}); err != nil {
			t.Fatal(err)
		}
		spoil(t, m.IR())
		d, err := m.Compare(context.Background(), original, pare.CompareOptions{Random: pare.Random{Batch: 4}})
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Layers) != 2 || len(d.Unmatched) != 0 {
			t.Fatalf("%s: compared %+v, not %+v", recipe, d.Layers, d.Unmatched)
		}
		first, second := d.Layers[0], d.Layers[1]
		if first.SNR > 60 || first.Isolated > 60 || second.SNR > 60 || second.Isolated < 100 {
			t.Errorf("%s: drift %+v", recipe, d.Layers)
		}
		if !slices.Equal(d.Guilty, []string{"conv1"}) {
			t.Errorf("%s: guilty %v", recipe, d.Guilty)
		}
	}
}

// spoil changes the first weight of the first convolution.
func spoil(t *testing.T, m *ir.Model) {
	t.Helper()
	for _, n := range m.Graph.Nodes {
		if n.Op == "Conv" {
			w := n.In[1].Const.Clone()
			tensor.Data[float32](w)[0] += 0.125
			p := ir.NewPatch(m.Graph, "spoil")
			p.SetConst(n.In[1], w)
			if err := p.Apply(); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

func TestCalibrationReachesTheEngine(t *testing.T) {
	x := tensor.New(tensor.Float32, 6, 4)
	for i := range x.Len() {
		tensor.Data[float32](x)[i] = float32(i%5) / 5
	}
	m := parse(t, network)
	rep, err := m.Compress(context.Background(), "uniform(w=8,a=8)", pare.Options{Data: rows{x}, Samples: 4})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Steps[0].Activations == 0 {
		t.Errorf("no activation was quantised: %+v", rep.Steps[0])
	}
	res, err := m.Evaluate(context.Background(), rows{x}, pare.EvalOptions{Against: parse(t, network)})
	if err != nil {
		t.Fatal(err)
	}
	if res.Against.SNR < 25 || res.Samples != 6 {
		t.Errorf("measured %+v", *res.Against)
	}
}

func TestRandomInputs(t *testing.T) {
	m := parse(t, `
opset 17
graph tokens(input_ids i64[N,S], attention_mask i64[N,S], past.0.key f32[N,2,P,4]) -> (y, z, k) {
  const table = f32[3,2]{1, 2, 3, 4, 5, 6}
  y = Gather(table, input_ids)
  z = Identity(attention_mask)
  k = Identity(past.0.key)
}
`)
	in, notes, err := m.RandomInputs(pare.Random{Batch: 2, Shapes: map[string][]int{"input_ids": {2, 50}}})
	if err != nil {
		t.Fatal(err)
	}
	ids := tensor.Data[int64](in["input_ids"])
	if slices.Max(ids) != 2 || slices.Min(ids) != 0 || len(ids) != 100 {
		t.Errorf("%d tokens between %d and %d", len(ids), slices.Min(ids), slices.Max(ids))
	}
	if in["past.0.key"].String() != "f32[2,2,0,4]" || in["attention_mask"].String() != "i64[2,50]" {
		t.Errorf("made up %v %v", in["past.0.key"], in["attention_mask"])
	}
	if len(notes) != 2 {
		t.Errorf("notes %q", notes)
	}
	if _, _, err := m.RandomInputs(pare.Random{Shapes: map[string][]int{"ids": {1}}}); err == nil {
		t.Error("a shape for no input is accepted")
	}
}

func TestReportTellsOfLostPredictions(t *testing.T) {
	for _, c := range []struct {
		recipe    string
		agreement float64
		want      string
	}{
		{"fold+uniform(w=3,a=8)", 0.9, "10.0 % of the predictions changed; a power grid of the same width often keeps more: try --recipe 'fold+powerquant(w=3)'"},
		{"fold+uniform;fc:skip", 0.97, "3.0 % of the predictions changed; a power grid of the same width often keeps more: try --recipe 'fold+powerquant(w=8);fc:skip'"},
		{"powerquant", 0.5, "50.0 % of the predictions changed"},
		{"fold+uniform", 0.99, ""},
	} {
		r := &pare.Report{}
		r.Recipe = c.recipe
		r.Judge(&eval.Result{Against: &eval.Against{Agreement: c.agreement}})
		if got := strings.Join(r.Warnings, "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", c.recipe, got, c.want)
		}
	}
}
