package recon_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/engine"
	"pare/format"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	_ "pare/quant"
	"pare/recon"
	"pare/tensor"
)

const cifar = "?mean=0.485,0.456,0.406&std=0.229,0.224,0.225"

func load(t testing.TB, network string) *ir.Model {
	t.Helper()
	f, err := onnx.Open(assets.Path(t, network))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return ir.CloneModel(f.Model)
}

func images(t testing.TB, batch string, from, n int) dataset.Set {
	t.Helper()
	set, err := dataset.Open("cifar10:" + assets.Path(t, "cifar10/"+batch) + cifar)
	if err != nil {
		t.Fatal(err)
	}
	return dataset.Head(dataset.Tail(set, from), n)
}

// observer returns values of networks that the engine runs.
type observer struct {
	s      *engine.Session
	values []*ir.Value
}

func newRunner(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
	var extra []string
	for _, v := range values {
		if v.Producer() != nil && !m.Graph.IsOutput(v) {
			extra = append(extra, v.Name)
		}
	}
	p, err := engine.Compile(context.Background(), m, engine.Options{Extra: extra})
	if err != nil {
		return nil, err
	}
	return observer{p.NewSession(), values}, nil
}

func (o observer) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	got, err := o.s.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(o.values))
	for i, v := range o.values {
		if out[i] = got[v.Name]; out[i] == nil {
			out[i] = in[v.Name]
		}
	}
	return out, nil
}

func compressed(t testing.TB, m *ir.Model, recipe string, o compress.Options) (*ir.Model, *compress.Report) {
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
	return m, rep
}

func text(t testing.TB, m *ir.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := ir.Print(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var rangeOfCIFAR = compress.InputRange{Lo: []float64{-2.118, -2.036, -1.804}, Hi: []float64{2.249, 2.429, 2.640}}

// TestRestated: before anything is learned, what a learner would deploy is what it
// began with, bit for bit, in every form that weights, biases and data have.
func TestRestated(t *testing.T) {
	folded, _ := compressed(t, load(t, "cifar10/resnet20.onnx"), "fold", compress.Options{})
	original := func(name string) []float32 {
		n := folded.Graph.Value(name).Producer()
		return tensor.Float32s(n.In[1].Const)
	}
	for _, recipe := range []string{
		"uniform(w=4)", "uniform(w=4,a=4)", "uniform(w=3,a=8,symmetric=false)", "uniform(w=2,granularity=tensor,store=int8)", "uniform(w=4,granularity=block,block=16)",
		"uniform(w=5,a=6,bias=float,range=mse)", "powerquant(w=4)", "powerquant(w=3,a=4)", "powerquant(w=6,a=6)", "codebook(w=4)", "codebook(w=3,top=0)", "uniform(w=4,rounding=squant)",
	} {
		for _, variable := range []string{"h", "ste", "soft"} {
			m, _ := compressed(t, folded, recipe, compress.Options{Input: rangeOfCIFAR})
			before := text(t, m)
			n, err := recon.Restated(m, original, func(s *recon.Settings) { s.Variable = variable })
			if err != nil || n < 20 {
				t.Errorf("%s, %s: %d layers, %v", recipe, variable, n, err)
				continue
			}
			if after := text(t, m); !bytes.Equal(before, after) {
				t.Errorf("%s, %s: %s", recipe, variable, firstChange(before, after))
			}
		}
	}
}

func firstChange(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i][:min(len(x[i]), 300)] + "\nbecame\n" + y[i][:min(len(y[i]), 300)]
		}
	}
	return "lengths differ"
}

// TestMoved: grids with other scales are grids still, and the same but for these.
func TestMoved(t *testing.T) {
	net := load(t, "cifar10/resnet20.onnx")
	for _, recipe := range []string{"fold+uniform(w=4,a=4)", "fold+uniform(w=8,a=8)", "fold+powerquant(w=4,a=4)"} {
		m, _ := compressed(t, net, recipe, compress.Options{Input: rangeOfCIFAR})
		before := activations(m)
		if err := recon.Moved(m, 1.5); err != nil {
			t.Fatal(err)
		}
		after := activations(m)
		if len(before) < 20 || len(after) != len(before) {
			t.Fatalf("%s: %d grids became %d", recipe, len(before), len(after))
		}
		for i, a := range before {
			if a.Scale *= 1.5; after[i] != a {
				t.Errorf("%s: %v became %v", recipe, a, after[i])
			}
		}
	}
}

func activations(m *ir.Model) (out []format.Activation) {
	for _, n := range m.Graph.Nodes {
		a, _, ok := format.MatchActivation(n.Out[0])
		if !ok {
			a, _, ok = format.MatchPowerActivation(m, n.Out[0])
		}
		if ok {
			out = append(out, a)
		}
	}
	return out
}
