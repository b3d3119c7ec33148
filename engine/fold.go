package engine

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

// channels is a scale and shift per channel that following nodes apply to a
// result, and that weights and bias can take in.
type channels struct {
	v            *ir.Value // the result in the end
	scale, shift []float64 // nil: none
	from         []*tensor.Tensor
}

// foldChannels absorbs the batch normalisations and constant products and sums
// per channel that follow v.
func (b *builder) foldChannels(v *ir.Value, c int) channels {
	f := channels{v: v}
	for {
		n := b.only(f.v)
		if n == nil || b.powers[n] != nil || !b.real(n.Out[0]) {
			return f
		}
		scale, shift, from := b.perChannel(n, f.v, c)
		if scale == nil {
			return f
		}
		if f.scale == nil {
			f.scale, f.shift = make([]float64, c), make([]float64, c)
			for i := range f.scale {
				f.scale[i] = 1
			}
		}
		for i := range scale {
			f.scale[i] *= scale[i]
			f.shift[i] = f.shift[i]*scale[i] + shift[i]
		}
		f.from = append(f.from, from...)
		f.v = n.Out[0]
		b.absorb(n)
	}
}

// perChannel reads a node that scales and shifts the channels of its operand v;
// scale is nil for all others.
func (b *builder) perChannel(n *ir.Node, v *ir.Value, c int) (scale, shift []float64, from []*tensor.Tensor) {
	if is(n, "BatchNormalization") {
		return b.normChannels(n, c)
	}
	if (!is(n, "Add") && !is(n, "Mul")) || b.m.Opset("") < 7 {
		return nil, nil, nil
	}
	o := other(n, v)
	if o == nil || b.cst(o) == nil || !b.real(o) {
		return nil, nil, nil
	}
	list, ok := channelVector(b.cst(o), b.val(v).shape)
	if !ok {
		return nil, nil, nil
	}
	unit := make([]float64, c)
	if is(n, "Mul") {
		return list, unit, []*tensor.Tensor{b.cst(o)}
	}
	for i := range unit {
		unit[i] = 1
	}
	return unit, list, []*tensor.Tensor{b.cst(o)}
}

// channelVector reads a constant that broadcasts over the channels, axis 1, of
// the shape: one number or one for each channel.
func channelVector(t *tensor.Tensor, shape []int) ([]float64, bool) {
	x, c := tensor.Float64s(t), shape[1]
	if t.Rank() > len(shape) {
		return nil, false
	}
	if len(x) == 1 {
		out := make([]float64, c)
		for i := range out {
			out[i] = x[0]
		}
		return out, true
	}
	at := t.Rank() - (len(shape) - 1) // the channels' axis in t
	if len(x) != c || at < 0 || t.Shape[at] != c {
		return nil, false
	}
	return x, true
}

// normChannels reads a batch normalisation by constant statistics.
func (b *builder) normChannels(n *ir.Node, c int) (scale, shift []float64, from []*tensor.Tensor) {
	if len(n.In) != 5 || len(n.Out) != 1 || n.Int("training_mode", 0) != 0 || n.Int("spatial", 1) == 0 || b.m.Opset("") < 7 {
		return nil, nil, nil
	}
	var p [4][]float64
	for i, v := range n.In[1:] {
		t := b.cst(v)
		if t == nil || t.Len() != c || !t.Type.IsFloat() {
			return nil, nil, nil
		}
		p[i] = tensor.Float64s(t)
		from = append(from, t)
	}
	scale, shift = make([]float64, c), make([]float64, c)
	eps := float64(n.Float("epsilon", 1e-5))
	for i := range scale {
		scale[i] = p[0][i] / math.Sqrt(p[3][i]+eps)
		shift[i] = p[1][i] - p[2][i]*scale[i]
	}
	return scale, shift, from
}

// filter is constant weights, one row per output channel, with the scale and
// shift that they take in.
type filter struct {
	t, with *tensor.Tensor
	name    string
	w       func() []float32
	scale   []float64
	bias    []float32
}

// apply makes the weights of o output channels, which come from the constant t,
// and the bias that include the folded nodes.
func (c channels) apply(b *builder, t *tensor.Tensor, w func() []float32, o int, bias *tensor.Tensor) *filter {
	f := &filter{t: t, w: w, scale: c.scale, name: c.v.Name}
	for _, x := range c.from {
		if f.with == nil || !b.p.weights.owned[x] {
			f.with = x
		}
	}
	if bias == nil && c.scale == nil {
		return f
	}
	f.bias = make([]float32, o)
	for i := range f.bias {
		v := 0.0
		if bias != nil {
			v = float64(b.p.weights.reals(bias)[i])
		}
		if c.scale != nil {
			v = v*c.scale[i] + c.shift[i]
		}
		f.bias[i] = float32(v)
	}
	return f
}

func (f *filter) key(form string) weightKey {
	if f.scale != nil {
		form += " " + f.name
	}
	return weightKey{t: f.t, with: f.with, form: form}
}

// weights are the scaled weights.
func (f *filter) weights() []float32 {
	if f.scale == nil {
		return f.w()
	}
	src := f.w()
	out := make([]float32, len(src))
	row := len(src) / len(f.scale)
	for i, w := range src {
		out[i] = float32(float64(w) * f.scale[i/row])
	}
	return out
}
