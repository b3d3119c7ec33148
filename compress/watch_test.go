package compress_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// halve is a pruning method for tests: it zeroes every second weight of layers,
// or, when told to, breaks the network's output.
type halve struct {
	Break bool `json:"break" doc:"whether outputs lose their shape"`
}

func (*halve) Validate() error { return nil }

func (h *halve) Apply(_ context.Context, m *ir.Model, env *compress.Env) error {
	p := ir.NewPatch(m.Graph, "halve")
	for _, l := range env.Layers(m) {
		w := l.Weight.Const.Clone()
		for i := range tensor.Data[float32](w) {
			tensor.Data[float32](w)[i] *= float32(i % 2)
		}
		p.Replace(l.Weight, p.Const(l.Weight.Name+"_halved", w))
		env.Done(compress.LayerReport{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Params: l.Params(), Reason: "every second weight is 0"})
	}
	if h.Break {
		y := m.Graph.Outputs[0]
		p.SetInput(y.Producer(), 0, p.Node("cut", "Slice", []*ir.Value{y.Producer().In[0], p.Const("zero", tensor.Of([]int{1}, []int64{0})), p.Const("one", tensor.Of([]int{1}, []int64{1}))}))
	}
	return p.Apply()
}

func init() {
	compress.Register(compress.Info{Name: "halve", Kind: compress.Pruning, Doc: "for tests", New: func() compress.Method { return &halve{} }})
}

const twoLayers = `
opset 17
graph two(x f32[N,2]) -> (y) {
  const a = f32[2,3]{1, 2, 2,  0, 3, 4}
  const b = f32[3,2]{1, 1,  2, -2,  5, 0.5}
  h = MatMul(x, a) @first
  y = MatMul(h, b) @second
}
`

func parseModel(t *testing.T, text string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// reference runs networks by the operators' reference.
type reference struct {
	m      *ir.Model
	values []*ir.Value
}

func newReference(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
	return &reference{m, values}, nil
}

func (r *reference) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	vals := map[string]op.Val{}
	for name, x := range in {
		vals[name] = x
	}
	got, err := op.Run(ctx, r.m, vals)
	var out []*tensor.Tensor
	for _, v := range got {
		out = append(out, v.(*tensor.Tensor))
	}
	return out, err
}

// TestWatch checks what the runner measures itself around steps: costs by hand, and
// the outputs against the definition of the ratio.
func TestWatch(t *testing.T) {
	r, err := compress.Parse("copy+halve+copy")
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.Of([]int{4, 2}, []float32{1, 2, -1, 3, 0.5, -2, 2, 2})
	rep, err := r.Run(context.Background(), parseModel(t, twoLayers), compress.Options{
		Run:    newReference,
		Random: func(*ir.Model, int) (map[string]*tensor.Tensor, error) { return map[string]*tensor.Tensor{"x": x}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Steps[0].Output != nil || rep.Steps[0].After.Multiplications != 1+2+0+1+2 {
		t.Errorf("the step before pruning: %+v", rep.Steps[0])
	}
	// Left are 2 and 4, and 1, -2 and 0.5; the product by 1 is no multiplication.
	s := rep.Steps[1]
	if s.Before.MACs != 12 || s.After.MACs != 12 || s.Before.Additions != 11 || s.After.Additions != 5 || s.After.Multiplications != 2+2 {
		t.Errorf("%+v to %+v", s.Before, s.After)
	}
	if rep.After != s.After || rep.Before != rep.Steps[0].Before {
		t.Errorf("the whole: %+v to %+v", rep.Before, rep.After)
	}
	if l := rep.Layers[0]; l.Name != "first" || l.Before.NonZero != 5 || l.After.NonZero != 2 || l.After.Products != 2 || l.After.Inputs != 2 || l.After.Channels != 3 {
		t.Errorf("%+v: %+v to %+v", l, l.Before, l.After)
	}
	want := ratioByHand(x)
	for _, s := range rep.Steps[1:] {
		if s.Output == nil || math.Abs(s.Output.SNR-want) > 1e-4 || s.Output.Samples != 4 || s.Output.Basis != "random inputs" {
			t.Errorf("%s: output %+v, want %.3f dB", s.Step, s.Output, want)
		}
	}
}

// ratioByHand is that of the halved network's output.
func ratioByHand(x *tensor.Tensor) float64 {
	whole := [2][2]float64{{1 + 4 + 10, 1 - 4 + 1}, {6 + 20, -6 + 2}} // the product of a and b
	halved := [2][2]float64{{0, 2 * -2}, {0, 4 * 0.5}}                // of what is left
	var signal, noise float64
	for n := range 4 {
		for k := range 2 {
			var a, b float64
			for i := range 2 {
				v := float64(tensor.Data[float32](x)[n*2+i])
				a += v * whole[i][k]
				b += v * halved[i][k]
			}
			signal += a * a
			noise += (a - b) * (a - b)
		}
	}
	return 10 * math.Log10(signal/noise)
}

// TestUnmeasured: what cannot be run is compressed with a warning; a step that
// breaks outputs is an error.
func TestUnmeasured(t *testing.T) {
	r, err := compress.Parse("halve")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.Run(context.Background(), parseModel(t, twoLayers), compress.Options{})
	if err != nil || rep.Steps[0].Output != nil || len(rep.Warnings) != 1 || !strings.Contains(rep.Warnings[0], "no means to run networks") {
		t.Errorf("without a runner: %v, %+v", err, rep)
	}
	rep, err = r.Run(context.Background(), parseModel(t, twoLayers), compress.Options{
		Run: newReference,
		Random: func(*ir.Model, int) (map[string]*tensor.Tensor, error) {
			return map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 4, 7)}, nil
		},
	})
	if err != nil || rep.Steps[0].Output != nil || len(rep.Warnings) != 1 || !strings.Contains(rep.Warnings[0], "not measured") {
		t.Errorf("with inputs that do not fit: %v, %+v", err, rep)
	}
	if r, err = compress.Parse("halve(break=true)"); err != nil {
		t.Fatal(err)
	}
	_, err = r.Run(context.Background(), parseModel(t, twoLayers), compress.Options{
		Run: newReference,
		Random: func(*ir.Model, int) (map[string]*tensor.Tensor, error) {
			return map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 4, 2)}, nil
		},
	})
	if err == nil || !strings.Contains(err.Error(), `output "y" has 2 numbers after this step, 8 before`) {
		t.Errorf("a broken output: %v", err)
	}
}

// thin writes the layer "second" as two of rank 1, whatever comes of it.
type thin struct{}

func (*thin) Validate() error { return nil }

func (*thin) Apply(_ context.Context, m *ir.Model, env *compress.Env) error {
	p := ir.NewPatch(m.Graph, "thin")
	l := env.Layers(m)[1]
	narrow := p.Node(l.Name+"_thin", "MatMul", []*ir.Value{l.Node.In[0], p.Const("narrow", tensor.Of([]int{3, 1}, []float32{1, 2, 0}))})
	p.SetInput(l.Node, 0, narrow)
	p.SetInput(l.Node, 1, p.Const("wide", tensor.Of([]int{1, 2}, []float32{3, -3})))
	p.RemoveConst(l.Weight)
	env.Done(compress.LayerReport{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Params: 5, Rank: 1})
	return p.Apply()
}

func init() {
	compress.Register(compress.Info{Name: "thin", Kind: compress.Decomposing, Doc: "for tests", New: func() compress.Method { return &thin{} }})
}

// TestParts: what a layer became is found and added up, from what the first part
// reads to what the last one computes.
func TestParts(t *testing.T) {
	r, err := compress.Parse("thin")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.Run(context.Background(), parseModel(t, twoLayers), compress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := rep.Layers[0]
	if strings.Join(l.Parts, " ") != "second_thin second" || l.Before.Params != 6 || l.After.Params != 3+2 || l.After.Inputs != 3 || l.After.Channels != 2 {
		t.Errorf("parts %q, %+v to %+v", l.Parts, l.Before, l.After)
	}
	// 2 and the shared 3; the product by 1 is none.
	if l.After.MACs != 5 || l.After.Multiplications != 2 || l.After.Additions != 4 {
		t.Errorf("%+v", l.After)
	}
}
