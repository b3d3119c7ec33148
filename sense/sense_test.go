package sense_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pare/calib"
	"pare/dataset"
	"pare/engine"
	"pare/ir"
	"pare/op"
	"pare/sense"
	"pare/tensor"
)

// tiny is three dense layers. Weights of the first and third are almost on 4-bit levels,
// those of the second are not.
func tiny(t *testing.T) *ir.Model {
	t.Helper()
	r, text := rand.New(rand.NewPCG(3, 4)), strings.Builder{}
	for _, name := range []string{"w1", "w2", "w3"} {
		fmt.Fprintf(&text, "  const %s = f32[8,8]{", name)
		for i := range 64 {
			x := float64(r.IntN(15)-7)/7 + 0.01*r.NormFloat64()
			if i < 8 {
				x = 1 // the largest of an output channel
			}
			if name == "w2" {
				x = r.NormFloat64()
			}
			fmt.Fprintf(&text, "%s%v", map[bool]string{true: ", "}[i > 0], float32(x))
		}
		text.WriteString("}\n")
	}
	m, err := ir.Parse(strings.NewReader("opset 17\ngraph g(x f32[N,8]) -> (y) {\n" + text.String() + `
  a = MatMul(x, w1) @first
  b = Relu(a) @relu1
  c = MatMul(b, w2) @second
  d = Relu(c) @relu2
  y f32[N,8] = MatMul(d, w3) @third
}
`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	return m
}

type noise struct {
	width  int
	labels bool
}

func (noise) Len() int         { return 40 }
func (noise) Prepared() string { return "" }
func (n noise) Task() dataset.Task {
	return map[bool]dataset.Task{true: dataset.Classification, false: dataset.Unlabelled}[n.labels]
}
func (n noise) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	x := tensor.New(tensor.Float32, hi-lo, n.width)
	var b dataset.Batch
	for s := lo; s < hi; s++ {
		r := rand.New(rand.NewPCG(9, uint64(s)))
		for i := range n.width {
			v := 0.5 * r.NormFloat64()
			tensor.Data[float32](x)[(s-lo)*n.width+i] = float32(v)
		}
		if n.labels {
			b.Labels = append(b.Labels, r.IntN(8))
		}
	}
	b.Inputs = map[string]*tensor.Tensor{"x": x}
	return b, nil
}

type runner struct {
	s     *engine.Session
	names []string
}

func (r runner) Run(ctx context.Context, in map[string]*tensor.Tensor) (out []*tensor.Tensor, err error) {
	got, err := r.s.Run(ctx, in)
	for _, n := range r.names {
		out = append(out, got[n])
	}
	return out, err
}

func options(set dataset.Set, threads int) sense.Options {
	run := func(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
		p, err := engine.Compile(context.Background(), m, engine.Options{Threads: threads})
		if err != nil {
			return nil, err
		}
		return runner{p.NewSession(), []string{values[0].Name}}, nil
	}
	return sense.Options{Bits: 4, Threads: threads, Data: calib.Data{Set: set, Samples: 40, Batch: 8, Run: run}}
}

// TestSensitiveLayer: the layer that 4 bits do most harm to comes first by every measure.
func TestSensitiveLayer(t *testing.T) {
	for _, labels := range []bool{false, true} {
		r, err := sense.Run(t.Context(), tiny(t), options(noise{8, labels}, 1))
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]sense.Loss{true: sense.Labels, false: sense.Answers}[labels]; r.Loss != want || r.Samples != 40 || len(r.Layers) != 3 {
			t.Fatalf("%+v", r)
		}
		first := r.Layers[slices.IndexFunc(r.Layers, func(l sense.Layer) bool { return l.Name == "second" })]
		if !labels && r.Layers[0].Name != "second" { // by labels, change may be for the better
			t.Errorf("%s comes first", r.Layers[0].Name)
		}
		for _, l := range r.Layers {
			if l.SNR < first.SNR || *l.Fisher > *first.Fisher || *l.SInGE > *first.SInGE || *l.Gradient > *first.Gradient || math.Abs(l.Loss) > math.Abs(first.Loss) || l.WeightError > first.WeightError {
				t.Errorf("labels %v: %s is before the second", labels, l.Name)
			}
			if labels != (l.Divergence != nil) || labels && !(*l.Divergence <= *first.Divergence) {
				t.Errorf("divergence of %s: %v", l.Name, l.Divergence)
			}
		}
	}
}

// TestThreads: nothing depends on their number.
func TestThreads(t *testing.T) {
	one, err := sense.Run(t.Context(), tiny(t), options(noise{8, true}, 1))
	if err != nil {
		t.Fatal(err)
	}
	two, err := sense.Run(t.Context(), tiny(t), options(noise{8, true}, 3))
	if err != nil || !reflect.DeepEqual(one, two) {
		t.Errorf("%v: %+v and %+v", err, one, two)
	}
}

// TestRefuses: what cannot be measured is an error, what cannot be estimated a warning.
func TestRefuses(t *testing.T) {
	o := options(noise{8, false}, 1)
	for _, bad := range []int{1, 9} {
		o.Bits = bad
		if _, err := sense.Run(t.Context(), tiny(t), o); err == nil {
			t.Errorf("%d bits are accepted", bad)
		}
	}
	if _, err := sense.Run(t.Context(), tiny(t), options(noise{7, false}, 1)); err == nil {
		t.Error("data that do not fit are accepted")
	}
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	o = options(noise{8, false}, 1)
	o.Progress = func(what string, done, _ int) {
		if what == "layers" && done == 1 {
			cancel(stop)
		}
	}
	if _, err := sense.Run(ctx, tiny(t), o); !errors.Is(err, stop) {
		t.Errorf("cancelled: %v", err)
	}
	m, err := ir.Parse(strings.NewReader("opset 17\ngraph g(x f32[N,8]) -> (y) {\n  y f32[N,8] = Relu(x) @r\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sense.Run(t.Context(), m, options(noise{8, false}, 1)); err == nil || !strings.Contains(err.Error(), "no layer") {
		t.Errorf("no layers: %v", err)
	}
}

// TestWithoutGradients: where gradients are not to be had, measures stay and a warning
// says why.
func TestWithoutGradients(t *testing.T) {
	m := tiny(t)
	m.Graph.Inputs[0].Type.Shape[0] = ir.Known(8)
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	r, err := sense.Run(t.Context(), m, options(noise{8, false}, 1))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "several at a time") || r.Layers[0].Name != "second" || r.Layers[0].Fisher != nil || r.Correlation.Fisher != nil || r.Correlation.WeightError == nil {
		t.Errorf("%+v", r)
	}
	o := options(noise{8, false}, 1)
	o.Data.Samples = 7
	if _, err := sense.Run(t.Context(), m, o); err == nil || !strings.Contains(err.Error(), "8 at a time") {
		t.Errorf("7 samples: %v", err)
	}
}

// TestCorrelation: against ranks counted by hand. Losses 3, 2, 1 rank 3, 2, 1; errors rank
// as the result says.
func TestCorrelation(t *testing.T) {
	r, err := sense.Run(t.Context(), tiny(t), options(noise{8, false}, 1))
	if err != nil {
		t.Fatal(err)
	}
	d := 0.0 // of ranks, squared: 1 - 6 d / (n (n^2 - 1))
	for i, l := range r.Layers {
		rank := 1
		for _, o := range r.Layers {
			if o.WeightError > l.WeightError {
				rank++
			}
		}
		d += float64((rank - i - 1) * (rank - i - 1))
	}
	if want := 1 - 6*d/24; math.Abs(*r.Correlation.WeightError-want) > 1e-12 {
		t.Errorf("correlation %v, by hand %v", *r.Correlation.WeightError, want)
	}
}
