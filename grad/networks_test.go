package grad_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/grad"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/tensor"
)

// networks are real ones, with the sizes of their open dimensions.
var networks = []struct {
	path  string
	sizes map[string]int
	train bool
}{
	{"cifar10/resnet20.onnx", map[string]int{"batch": 4}, false},
	{"cifar10/resnet20.onnx", map[string]int{"batch": 4}, true},
	{"cifar10/resnet56.onnx", map[string]int{"batch": 2}, true},
	{"cifar10/vit_tiny.onnx", map[string]int{"batch_size": 16}, true},
	{"language/minilm-l6.onnx", map[string]int{"batch": 2, "sequence": 7}, false},
	{"imagenet/mobilenet_v1_0.75.onnx", map[string]int{"batch": 1}, false},
	{"imagenet/mobilenet_v2_1.0.onnx", map[string]int{"batch": 1}, false},
	{"cifar10/vit_tiny.onnx", map[string]int{"batch_size": 4}, false},
	{"language/stories260K.onnx", map[string]int{"batch": 1, "seq": 2, "past": 0}, false},
}

// weights are the float constants of more than one element that nodes multiply or
// add, statistics of batch-norms aside.
func weights(g *ir.Graph) []*ir.Value {
	var list []*ir.Value
	for _, v := range g.Consts {
		if v.Const == nil || v.Const.Type != tensor.Float32 || v.Const.Len() < 2 || len(v.Uses()) == 0 {
			continue
		}
		u := v.Uses()[0]
		if u.Node.Op == "BatchNormalization" && u.In > 2 || u.Node.Op == "Resize" {
			continue
		}
		list = append(list, v)
	}
	return list
}

// open reads a network and makes data for its inputs.
func open(t testing.TB, path string, sizes map[string]int) (*ir.Model, []*tensor.Tensor) {
	t.Helper()
	f, err := onnx.Open(assets.Path(t, path))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 1))
	var in []*tensor.Tensor
	for _, v := range f.Model.Graph.Inputs {
		if v.Const != nil {
			continue
		}
		var shape []int
		for _, d := range v.Type.Shape {
			n := d.N
			if !d.IsKnown() {
				n = 1
				if k, ok := sizes[d.Sym]; ok {
					n = k
				}
			}
			shape = append(shape, n)
		}
		data := make([]float64, tensor.Len(shape))
		for i := range data {
			data[i] = float64(i % 2)
			if v.Type.DType.IsFloat() {
				data[i] = float64(r.Float32()*2 - 1)
			}
		}
		x, err := tensor.FromFloat64s(v.Type.DType, shape, data)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, x)
	}
	return f.Model, in
}

// TestNetworks differentiates real networks by all their weights and compares with
// the slope of the result along random directions.
func TestNetworks(t *testing.T) {
	for _, n := range networks {
		name := n.path
		if n.train {
			name += " in training"
		}
		t.Run(name, func(t *testing.T) {
			m, in := open(t, n.path, n.sizes)
			p, err := grad.New(m, grad.Options{Params: weights(m.Graph), Train: n.train, Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(3) {
				checkSlope(t, p, in, seed)
			}
		})
	}
}

// checkSlope compares the gradient with the difference of results that lie close
// together, along a random direction of a third of the parameters.
func checkSlope(t *testing.T, p *grad.Program, in []*tensor.Tensor, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	x := &trial{t: t, p: p, in: in}
	x.out = x.weights(r)
	p.ZeroGrads()
	x.step()
	var dirs, old [][]float32
	want, norm := 0.0, 0.0
	for _, q := range p.Params() {
		old = append(old, slices.Clone(q.Data))
		d := make([]float32, len(q.Data))
		if r.IntN(3) == 0 || len(p.Params()) < 6 {
			for i, v := range q.Data {
				d[i] = v * float32(r.NormFloat64())
				slope := float64(d[i]) * float64(q.Grad[i])
				want, norm = want+slope, norm+slope*slope
			}
		}
		dirs = append(dirs, d)
	}
	move := func(h float64) float64 {
		for i, q := range p.Params() {
			for k, d := range dirs[i] {
				q.Data[k] = old[i][k] + float32(h)*d
			}
		}
		return x.sum()
	}
	defer move(0)
	var got []float64
	// Long steps cross the bends of the network, short ones drown in rounding.
	for _, h := range []float64{1e-4, 1e-3} {
		g := (move(h) - move(-h)) / (2 * h)
		if math.Abs(g-want) <= 0.02*(math.Abs(want)+math.Sqrt(norm)) {
			return
		}
		got = append(got, g)
	}
	t.Errorf("the slope along a direction is %v, by the gradient %v", got, want)
}

// forward returns the results.
func (x *trial) forward() []*tensor.Tensor {
	x.t.Helper()
	out, err := x.p.Forward(context.Background(), x.in)
	if err != nil {
		x.t.Fatal(err)
	}
	return out
}

// weights draws those of the results in a sum.
func (x *trial) weights(r *rand.Rand) []*tensor.Tensor {
	var list []*tensor.Tensor
	for _, o := range x.forward() {
		w := tensor.New(tensor.Float32, o.Shape...)
		for i := range tensor.Data[float32](w) {
			tensor.Data[float32](w)[i] = r.Float32()*2 - 1
		}
		list = append(list, w)
	}
	return list
}

// sum is that sum.
func (x *trial) sum() float64 {
	s := 0.0
	for i, o := range x.forward() {
		for k, v := range tensor.Float64s(o) {
			s += v * float64(tensor.Data[float32](x.out[i])[k])
		}
	}
	return s
}
