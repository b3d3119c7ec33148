package eval_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pare/dataset"
	"pare/eval"
	"pare/ir"
	"pare/tensor"
)

// fake is a network that returns the rows of scores in turn.
type fake struct {
	in, out []*ir.Value
	apply   func(x *tensor.Tensor) *tensor.Tensor
	got     map[string]*tensor.Tensor
}

func (f *fake) Inputs() []*ir.Value  { return f.in }
func (f *fake) Outputs() []*ir.Value { return f.out }
func (f *fake) Run(_ context.Context, in map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	f.got = in
	return map[string]*tensor.Tensor{f.out[0].Name: f.apply(in[f.in[0].Name])}, nil
}

func value(name string, t ir.Type) *ir.Value { return &ir.Value{Name: name, Type: t} }

// set serves rows as its samples' inputs.
type set struct {
	x      *tensor.Tensor
	labels []int
	task   dataset.Task
	name   string
}

func (s set) Len() int           { return s.x.Shape[0] }
func (s set) Task() dataset.Task { return s.task }
func (s set) Prepared() string   { return "" }
func (s set) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	size := len(s.x.Bytes()) / s.Len()
	t, err := tensor.FromBytes(s.x.Type, append([]int{hi - lo}, s.x.Shape[1:]...), s.x.Bytes()[lo*size:hi*size])
	b := dataset.Batch{Inputs: map[string]*tensor.Tensor{s.name: t}}
	if s.labels != nil {
		b.Labels = s.labels[lo:hi]
	}
	return b, err
}

func same(x *tensor.Tensor) *tensor.Tensor { return x }

func classifier(apply func(*tensor.Tensor) *tensor.Tensor) *fake {
	dims := []ir.Dim{ir.Symbol("n"), ir.Known(6)}
	return &fake{in: []*ir.Value{value("x", ir.TensorType(tensor.Float32, dims...))}, out: []*ir.Value{value("y", ir.Type{})}, apply: apply}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestClassification(t *testing.T) {
	nan := float32(math.NaN())
	data := set{tensor.Of([]int{4, 6}, []float32{
		9, 1, 2, 3, 4, 5, // label 0 is first
		1, 2, 3, 4, 5, 6, // label 1 is fifth
		1, 2, 3, 4, 5, 6, // label 0 is last
		nan, nan, nan, nan, nan, nan, // never right
	}), []int{0, 1, 0, 0}, dataset.Classification, ""}
	r, err := eval.Run(context.Background(), classifier(same), data, eval.Options{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	if *r.Top1 != 0.25 || *r.Top5 != 0.5 || r.Samples != 4 || r.Against != nil {
		t.Errorf("top-1 %v, top-5 %v", *r.Top1, *r.Top5)
	}
	if !(r.Top1Interval[0] < 0.25 && r.Top1Interval[1] > 0.25) {
		t.Errorf("interval %v", r.Top1Interval)
	}
}

func TestAgainstReference(t *testing.T) {
	data := set{tensor.Of([]int{2, 6}, []float32{3, 0, 0, 0, 0, 4, 0, 0, 5, 0, 0, 0}), nil, dataset.Unlabelled, "x"}
	shifted := func(x *tensor.Tensor) *tensor.Tensor {
		y := x.Clone()
		tensor.Data[float32](y)[0] += 2 // changes the top class of the first sample
		return y
	}
	r, err := eval.Run(context.Background(), classifier(shifted), data, eval.Options{Reference: classifier(same)})
	if err != nil {
		t.Fatal(err)
	}
	want := 10 * math.Log10(50.0/4)
	if a := r.Against; a.Agreement != 0.5 || !near(a.SNR, want) || a.MaxAbsError != 2 || a.Top1 != nil {
		t.Errorf("against %+v, want snr %v", *a, want)
	}
	r, err = eval.Run(context.Background(), classifier(same), data, eval.Options{Reference: classifier(same), Samples: 1})
	if err != nil || r.Against.SNR != 200 || r.Samples != 1 {
		t.Errorf("identical networks: %+v, %v", r, err)
	}
}

func TestNextToken(t *testing.T) {
	ids := tensor.Of([]int{2, 3}, []int64{0, 1, 1, 1, 0, 1})
	data := set{ids, nil, dataset.NextToken, "input_ids"}
	// Scores ln 3 for token 1 and 0 for token 0: probabilities 3/4 and 1/4.
	apply := func(x *tensor.Tensor) *tensor.Tensor {
		out := tensor.New(tensor.Float32, x.Shape[0], x.Shape[1], 2)
		for i := range x.Len() {
			tensor.Data[float32](out)[2*i+1] = float32(math.Log(3))
		}
		return out
	}
	past := ir.TensorType(tensor.Float32, ir.Symbol("batch"), ir.Known(4), ir.Symbol("past"), ir.Known(8))
	mask := ir.TensorType(tensor.Int64, ir.Symbol("batch"), ir.Symbol("seq"))
	net := &fake{
		in:  []*ir.Value{value("input_ids", ir.Type{}), value("past.0.key", past), value("attention_mask", mask)},
		out: []*ir.Value{value("logits", ir.Type{})}, apply: apply,
	}
	r, err := eval.Run(context.Background(), net, data, eval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := -math.Log(0.75), -math.Log(0.25)
	if want := ((a+a)/2 + (b+a)/2) / 2; !near(*r.NLL, want) || *r.Top1 != 0.75 {
		t.Errorf("nll %v, want %v; top-1 %v", *r.NLL, want, *r.Top1)
	}
	if p := net.got["past.0.key"]; p.String() != "f32[2,4,0,8]" || tensor.Data[int64](net.got["attention_mask"])[5] != 1 {
		t.Errorf("filled in %v", net.got)
	}
	if len(r.Notes) != 2 {
		t.Errorf("notes %q", r.Notes)
	}
}

func TestMismatches(t *testing.T) {
	wide := set{tensor.New(tensor.Float32, 2, 7), []int{0, 0}, dataset.Classification, ""}
	named := set{tensor.New(tensor.Float32, 2, 6), []int{0, 9}, dataset.Classification, "x"}
	two := classifier(same)
	two.in = append(two.in, value("extra", ir.TensorType(tensor.Float32)))
	for name, c := range map[string]struct {
		net  *fake
		data dataset.Set
		o    eval.Options
		want string
	}{
		"shape":   {classifier(same), wide, eval.Options{}, "resize, crop and layout"},
		"label":   {classifier(same), named, eval.Options{}, "label 9"},
		"input":   {two, named, eval.Options{}, `nothing for input "extra"`},
		"output":  {classifier(same), named, eval.Options{Output: "z"}, `no output "z"`},
		"unknown": {classifier(same), set{named.x, nil, dataset.Unlabelled, "x"}, eval.Options{Reference: &fake{in: two.in, out: []*ir.Value{value("q", ir.Type{})}}}, "the reference"},
	} {
		if _, err := eval.Run(context.Background(), c.net, c.data, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestWilson(t *testing.T) {
	// 9,173 of 10,000: the interval published with many calculators.
	if iv := eval.Wilson(9173, 10000); !near(math.Round(iv[0]*1e4), 9117) || !near(math.Round(iv[1]*1e4), 9225) {
		t.Errorf("interval %v", iv)
	}
	if iv := eval.Wilson(0, 10); iv[0] != 0 || iv[1] < 0.2 {
		t.Errorf("interval %v", iv)
	}
}

// TestBrokenOutputsHaveADocument: JSON holds no NaN, and a broken network must
// still be reported.
func TestBrokenOutputsHaveADocument(t *testing.T) {
	broken := func(x *tensor.Tensor) *tensor.Tensor {
		out := tensor.New(tensor.Float32, x.Shape[0], x.Shape[1], 2)
		for i := range tensor.Data[float32](out) {
			tensor.Data[float32](out)[i] = float32(math.NaN())
		}
		return out
	}
	sound := func(x *tensor.Tensor) *tensor.Tensor { return tensor.New(tensor.Float32, x.Shape[0], x.Shape[1], 2) }
	data := set{tensor.Of([]int{1, 3}, []int64{0, 1, 1}), nil, dataset.NextToken, "x"}
	net := func(apply func(*tensor.Tensor) *tensor.Tensor) *fake {
		return &fake{in: []*ir.Value{value("x", ir.Type{})}, out: []*ir.Value{value("y", ir.Type{})}, apply: apply}
	}
	r, err := eval.Run(context.Background(), net(broken), data, eval.Options{Reference: net(sound)})
	if err != nil {
		t.Fatal(err)
	}
	if *r.NLL != math.MaxFloat64 || r.Against.MaxAbsError != math.MaxFloat64 || r.Against.SNR != -200 || len(r.Notes) == 0 {
		t.Errorf("broken network: nll %v, against %+v, notes %q", *r.NLL, *r.Against, r.Notes)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// TestFixedBatch: a network that takes two samples at a time gets two, whatever
// was asked for, and no sample that fills no batch.
func TestFixedBatch(t *testing.T) {
	net := classifier(same)
	net.in[0].Type = ir.TensorType(tensor.Float32, ir.Known(2), ir.Known(6))
	data := set{tensor.New(tensor.Float32, 5, 6), []int{0, 0, 0, 1, 0}, dataset.Classification, ""}
	r, err := eval.Run(context.Background(), net, data, eval.Options{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	if r.Samples != 4 || *r.Top1 != 0.75 || net.got["x"].Shape[0] != 2 {
		t.Errorf("%d samples, %v right, the last batch of %v", r.Samples, *r.Top1, net.got["x"].Shape)
	}
	data.x = tensor.New(tensor.Float32, 1, 6)
	if _, err := eval.Run(context.Background(), net, data, eval.Options{}); err == nil || !strings.Contains(err.Error(), "takes 2 at a time") {
		t.Errorf("one sample for two: %v", err)
	}
}
