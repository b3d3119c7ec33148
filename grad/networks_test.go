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
		x := tensor.New(v.Type.DType, shape...)
		for i := range x.Len() {
			if v.Type.DType == tensor.Int64 {
				tensor.Data[int64](x)[i] = int64(i % 2)
			} else {
				tensor.Data[float32](x)[i] = r.Float32()*2 - 1
			}
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
// together.
func checkSlope(t *testing.T, p *grad.Program, in []*tensor.Tensor, seed uint64) {
	t.Helper()
	ctx := context.Background()
	r := rand.New(rand.NewPCG(seed, 7))
	out, err := p.Forward(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	var w []*tensor.Tensor
	for _, o := range out {
		x := tensor.New(tensor.Float32, o.Shape...)
		for i := range tensor.Data[float32](x) {
			tensor.Data[float32](x)[i] = r.Float32()*2 - 1
		}
		w = append(w, x)
	}
	p.ZeroGrads()
	if err := p.Backward(ctx, w); err != nil {
		t.Fatal(err)
	}
	sum := func() float64 {
		out, err := p.Forward(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		s := 0.0
		for i, o := range out {
			for k, v := range tensor.Float32s(o) {
				s += float64(v) * float64(tensor.Data[float32](w[i])[k])
			}
		}
		return s
	}
	want, norm := 0.0, 0.0
	var dirs, old [][]float32
	for _, q := range p.Params() {
		old = append(old, slices.Clone(q.Data))
		d := make([]float32, len(q.Data))
		if r.IntN(3) == 0 || len(p.Params()) < 6 {
			for i, v := range q.Data {
				d[i] = v * float32(r.NormFloat64())
				want += float64(d[i]) * float64(q.Grad[i])
				norm += math.Pow(float64(d[i])*float64(q.Grad[i]), 2)
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
		return sum()
	}
	defer move(0)
	var got []float64
	// Long steps cross the bends of the network, short ones drown in rounding.
	for _, h := range []float64{1e-4, 1e-3} {
		g := (move(h) - move(-h)) / (2 * h)
		if math.Abs(g-want) <= 0.02*math.Abs(want)+0.02*math.Sqrt(norm) {
			return
		}
		got = append(got, g)
	}
	t.Errorf("the slope along a direction is %v, by the gradient %v", got, want)
}
