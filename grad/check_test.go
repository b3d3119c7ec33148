package grad_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pare/grad"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// fill replaces every {random} behind the type of a constant, as in
// "const w = f32[4,3]{random}", by elements between -1 and 1, and {positive} by
// elements between 0.5 and 1.5.
func fill(text string, r *rand.Rand) string {
	re := regexp.MustCompile(`(f32\[([0-9,]*)\])\{(random|positive)\}`)
	return re.ReplaceAllStringFunc(text, func(s string) string {
		m := re.FindStringSubmatch(s)
		n := 1
		for _, d := range strings.Split(m[2], ",") {
			k := 1
			fmt.Sscan(d, &k)
			n *= k
		}
		list := make([]string, n)
		for i := range list {
			v := r.Float32()*2 - 1
			if m[3] == "positive" {
				v = 1 + v/2
			}
			list[i] = fmt.Sprint(v)
		}
		return m[1] + "{" + strings.Join(list, ", ") + "}"
	})
}

// newRand is a stream of numbers that is always the same.
func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func parse(t testing.TB, text string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

// checkGradients compares the gradients of every float constant and every float
// input of a model with central differences of the float64 reference, and its
// results with those of the reference. The text may hold {random}, see fill;
// dimensions of inputs must be numbers; integer inputs count 0, 1, 2, 0, ....
// Options other than Params and Inputs come from edit, which may be nil.
func checkGradients(t *testing.T, text string, edit func(*grad.Options)) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	text = fill(text, r)
	m, wide := parse(t, text), parse(t, strings.ReplaceAll(text, "f32", "f64"))
	seen(m.Graph)
	o := everything(m.Graph)
	if edit != nil {
		edit(&o)
	}
	p, err := grad.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	x := &trial{t: t, p: p, in: inputs(m.Graph.Inputs, r)}
	out := x.forward()
	ref := &reference{t: t, m: wide}
	for _, x := range x.in {
		y, _ := tensor.Convert(x, widened(x.Type), tensor.Options{})
		ref.in = append(ref.in, y.Clone())
	}
	ref.weights(out, r)
	for i := range out {
		close64(t, "result "+m.Graph.Outputs[i].Name, tensor.Float64s(out[i]), tensor.Float64s(ref.run()[i]))
	}
	x.out = ref.narrow()
	x.step()
	x.step() // Backward adds
	for _, q := range p.Params() {
		got := make([]float64, len(q.Grad))
		for i, g := range q.Grad {
			got[i] = float64(g) / 2
		}
		close64(t, "gradient of "+q.Value.Name, got, ref.differences(wide.Graph.Value(q.Value.Name).Const))
	}
	for i, v := range o.Inputs {
		k := slices.Index(m.Graph.Inputs, v)
		close64(t, "gradient of "+v.Name, tensor.Float64s(p.InputGrad(i)), ref.differences(ref.in[k]))
	}
}

// everything asks for the gradients of all float constants and inputs of a graph.
func everything(g *ir.Graph) (o grad.Options) {
	for _, c := range g.Consts {
		if c.Const.Type == tensor.Float32 {
			o.Params = append(o.Params, c)
		}
	}
	for _, v := range g.Inputs {
		if v.Type.DType == tensor.Float32 {
			o.Inputs = append(o.Inputs, v)
		}
	}
	return o
}

func widened(d tensor.DType) tensor.DType {
	if d == tensor.Float32 {
		return tensor.Float64
	}
	return d
}

// inputs makes data for the inputs of a graph.
func inputs(list []*ir.Value, r *rand.Rand) []*tensor.Tensor {
	var in []*tensor.Tensor
	for _, v := range list {
		shape, _ := v.Type.Sizes()
		x := make([]float64, tensor.Len(shape))
		for i := range x {
			x[i] = float64(r.Float32()*2 - 1)
			if !v.Type.DType.IsFloat() {
				x[i] = float64(i % 3)
			}
		}
		t, _ := tensor.FromFloat64s(v.Type.DType, shape, x)
		in = append(in, t)
	}
	return in
}

// reference is a model in float64 with inputs and the weights of its results in
// the sum that is differentiated.
type reference struct {
	t  *testing.T
	m  *ir.Model
	in []*tensor.Tensor
	w  [][]float64
}

// weights draws them; results that are no floats count nothing.
func (r *reference) weights(out []*tensor.Tensor, rng *rand.Rand) {
	for _, o := range out {
		w := make([]float64, o.Len())
		for i := range w {
			if o.Type.IsFloat() {
				w[i] = float64(rng.Float32()*2 - 1)
			}
		}
		r.w = append(r.w, w)
	}
}

// narrow is the weights as gradients of the results.
func (r *reference) narrow() []*tensor.Tensor {
	var list []*tensor.Tensor
	for _, w := range r.w {
		t, _ := tensor.FromFloat64s(tensor.Float32, []int{len(w)}, w)
		list = append(list, t)
	}
	return list
}

func (r *reference) run() []*tensor.Tensor {
	r.t.Helper()
	in := make([]op.Val, len(r.in))
	for i, x := range r.in {
		in[i] = x
	}
	res, err := op.RunList(context.Background(), r.m, in)
	if err != nil {
		r.t.Fatalf("reference: %v", err)
	}
	var out []*tensor.Tensor
	for _, x := range res {
		out = append(out, x.(*tensor.Tensor))
	}
	return out
}

// differences are central ones of the weighted sum by the elements of x, a float64
// tensor that the model reads.
func (r *reference) differences(x *tensor.Tensor) []float64 {
	const h = 1e-5
	data := tensor.Data[float64](x)
	d := make([]float64, len(data))
	for i, v := range data {
		data[i] = v + h
		up := r.sum()
		data[i] = v - h
		d[i] = (up - r.sum()) / (2 * h)
		data[i] = v
	}
	return d
}

func (r *reference) sum() float64 {
	s := 0.0
	for i, o := range r.run() {
		for k, v := range tensor.Float64s(o) {
			s += v * r.w[i][k]
		}
	}
	return s
}

// close64 compares lists up to float32 rounding relative to their largest element.
func close64(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, want %d", what, len(got), len(want))
		return
	}
	largest := 1e-3
	for _, v := range want {
		largest = max(largest, math.Abs(v))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 2e-5*largest) {
			t.Errorf("%s: element %d is %v, want %v (largest %v)", what, i, got[i], want[i], largest)
			return
		}
	}
}
