package quant

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// perAxis is the form in which every tensor has a scale per channel.
const perAxis = "axis"

// axisForm quantises every tensor that layers, sums and the like read with a
// scale and zero point per channel, as QuantizeLinear and DequantizeLinear along
// the axis of the channels. What a layer reads is divided by the scales behind
// that, and its weights are multiplied by them, so that weights are rounded as
// they meet the codes: the layer sums plain products of integers. Tensors whose
// channels are not known get one scale. pare's engine runs this form in float.
type axisForm struct {
	q       *SPIQ
	r       *rescaling
	acts    *activations
	reach   map[int]*reaches // by width
	place   *placement
	readers map[*ir.Value][]*matrix
	layers  map[*ir.Node]*compress.Layer // that are quantised
	widths  map[*ir.Node]int             // of their data
	done    map[*ir.Node]string          // what happened to their weights
}

// quantise applies the form.
func (q *SPIQ) quantise(ctx context.Context, r *rescaling) error {
	x := &axisForm{
		q: q, r: r, acts: &activations{bits: q.A, clip: "max", deviations: q.K, regions: true}, reach: map[int]*reaches{},
		layers: map[*ir.Node]*compress.Layer{}, done: map[*ir.Node]string{}, widths: map[*ir.Node]int{}, readers: newSPIQ(r, nil).readers(),
	}
	data := map[*ir.Node]reader{}
	for i := range r.layers {
		if l := &r.layers[i]; l.Reason == "" && l.Weight != nil {
			readers(data, l, x.acts.width(l))
			x.layers[l.Node] = l
		}
	}
	x.place = place(r.m, data, true, x.acts.ranges(r.m, r.env))
	for n, l := range x.layers {
		if a, ok := x.place.read(l); ok {
			x.widths[n] = a.Bits
		}
	}
	step := r.env.Step()
	step.Activations, step.Floats = len(x.place.order), x.place.floats
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := x.emit(); err != nil {
		return err
	}
	x.report()
	return nil
}

// emit writes the pairs and makes their readers read them.
func (x *axisForm) emit() error {
	p := ir.NewPatch(x.r.m.Graph, "quantise activations per channel")
	for _, v := range x.place.order {
		g := x.grid(v)
		decoded := g.emit(p, v, x)
		for _, u := range v.Uses() {
			if !x.place.rewires(v, u) {
				continue
			}
			l := x.layers[u.Node]
			if l == nil || u.In != l.Input || g.scales == nil || !g.fold(p, l) {
				p.SetInput(u.Node, u.In, decoded)
				continue
			}
			x.done[u.Node] = fmt.Sprintf("weights take up %d scales of the data, %.3g to %.3g of the largest", len(g.scales), g.least(), 1.0)
			p.SetInput(u.Node, u.In, g.divided(p, v, decoded))
		}
	}
	return p.Apply()
}

// report lists the layers with what their weights took up.
func (x *axisForm) report() {
	for i := range x.r.layers {
		l := &x.r.layers[i]
		if x.widths[l.Node] == 0 {
			x.r.env.Skip(l, orReason(l.Reason, "its data stay in float"))
			continue
		}
		why := x.done[l.Node]
		if why == "" {
			why = "its data have one scale, or its weights cannot take up several"
		}
		bytes := int64(len(l.Weight.Const.Bytes()))
		x.r.env.Done(compress.LayerReport{
			Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: l.Weight.Const.Type.String(), Bits: l.Weight.Const.Type.Bits(),
			Params: l.Params(), BytesBefore: bytes, BytesAfter: bytes, ActivationBits: x.widths[l.Node], Reason: why,
		})
	}
}

// orReason is the reason where there is one.
func orReason(reason, other string) string {
	if reason != "" {
		return reason
	}
	return other
}

// axisGrid is the grid of a tensor: one scale and zero point per channel, or one
// grid for all where scales is nil.
type axisGrid struct {
	whole  format.Activation
	bits   int
	axis   int
	scales []float32
	zeros  []uint8
	unit   *ir.Value // the data divided by the scales, once a layer reads it
}

// grid chooses the grid of v: the range of each channel, raised towards the
// widest as far as kappa wants it.
func (x *axisForm) grid(v *ir.Value) *axisGrid {
	a, _ := x.place.grid(v)
	g := &axisGrid{whole: a, bits: a.Bits}
	axis, units, ok := x.r.a.Channels(v)
	if !ok {
		return g
	}
	known := x.reaches(a.Bits)
	st, _ := known.stats(v, axis, len(units))
	reach, why := known.reach(v, axis, len(units))
	if why != "" {
		return g
	}
	t := ranged{v: v, units: units, reach: reach, square: known.squares(v)}
	power := x.power(t, a.Bits)
	g.axis = axis
	for c, own := range reach {
		lo, hi := min(st.Lo[c], 0), max(st.Hi[c], 0)
		if lo == 0 && hi == 0 {
			hi = own
		}
		// Quiet channels are taken to be louder than they are.
		grow := math.Pow(slices.Max(reach)/own, 1-power) * own / max(hi, -lo)
		one := format.NewActivation(lo*grow, hi*grow, a.Bits)
		g.scales, g.zeros = append(g.scales, one.Scale), append(g.zeros, one.Zero)
	}
	return g
}

// reaches knows the ranges of channels at a width.
func (x *axisForm) reaches(bits int) *reaches {
	if x.reach[bits] == nil {
		k := x.q.K
		if k == 0 {
			k = channelDeviations(bits)
		}
		x.reach[bits] = newReaches(x.r.m, x.r.env, k)
	}
	return x.reach[bits]
}

// channelDeviations is how many standard deviations the range of a channel
// reaches where it has a scale of its own. A scale for a whole tensor is that of
// its widest channel and leaves the others room for their tails; a channel's own
// does not.
func channelDeviations(bits int) float64 { return deviations(bits) + max(0, float64(bits-4)/2) }

// power is the part of the ranges of a tensor that weights take up.
func (x *axisForm) power(t ranged, bits int) float64 {
	if k, err := strconv.ParseFloat(x.q.Kappa, 64); err == nil {
		return k
	}
	shares, top := make([]float64, len(t.reach)), slices.Max(t.reach)
	for c, r := range t.reach {
		shares[c] = math.Log(r / top)
	}
	var energy [][]float64
	for _, m := range x.readers[t.v] {
		energy = append(energy, m.byColumn())
	}
	best, least := 1.0, math.Inf(1)
	for step := range powerSteps + 1 {
		power, cost := 1-float64(step)/powerSteps, 0.0
		for i, m := range x.readers[t.v] {
			cost += expected(t, shares, m, energy[i], power, x.q.W, bits)
		}
		if cost < least {
			best, least = power, cost
		}
	}
	return best
}

// shaped lays a list along the axis of the channels of v.
func shaped[T tensor.Elem](g *axisGrid, v *ir.Value, list []T) *tensor.Tensor {
	shape := make([]int, v.Type.Rank()-g.axis)
	for i := range shape {
		shape[i] = 1
	}
	shape[0] = len(list)
	return tensor.Of(shape, list)
}

// emit adds the pair behind v, and a Min in front that keeps narrow codes in range.
// At 8 bits it does nothing but stand between the pair and what makes v: ONNX
// Runtime takes any operator right between pairs for one of a single scale, and then
// refuses the file.
func (g *axisGrid) emit(p *ir.Patch, v *ir.Value, x *axisForm) *ir.Value {
	typed := func(out *ir.Value, t tensor.DType) *ir.Value {
		out.Type = v.Type
		out.Type.DType = t
		return out
	}
	below := func(limit *tensor.Tensor) *ir.Value {
		return typed(p.Node(v.Name+"_below", "Min", []*ir.Value{v, p.Const(v.Name+"_top", limit)}), tensor.Float32)
	}
	if g.scales == nil {
		_, top := g.whole.Range()
		return format.NewWires(x.r.m, p).Wire(v.Name, g.whole).Emit(p, below(tensor.Of(nil, []float32{top})))
	}
	limits := make([]float32, len(g.scales))
	for c, s := range g.scales {
		limits[c] = float32(1<<g.bits-1-int(g.zeros[c])) * s
	}
	from := below(shaped(g, v, limits))
	scale := p.Const(v.Name+"_scale", tensor.Of([]int{len(g.scales)}, g.scales))
	zero := p.Const(v.Name+"_zero", tensor.Of([]int{len(g.zeros)}, g.zeros))
	axis := ir.Attr{Name: "axis", Value: int64(g.axis)}
	codes := typed(p.Node(v.Name+"_codes", "QuantizeLinear", []*ir.Value{from, scale, zero}, axis), tensor.Uint8)
	return typed(p.Node(v.Name+"_decoded", "DequantizeLinear", []*ir.Value{codes, scale, zero}, axis), tensor.Float32)
}

// least is the smallest scale relative to the largest.
func (g *axisGrid) least() float64 { return float64(slices.Min(g.scales) / slices.Max(g.scales)) }

// divided is the data with one scale, the largest, for all channels.
func (g *axisGrid) divided(p *ir.Patch, v, decoded *ir.Value) *ir.Value {
	if g.unit == nil {
		factors, top := make([]float32, len(g.scales)), slices.Max(g.scales)
		for c, s := range g.scales {
			factors[c] = top / s
		}
		g.unit = p.Node(v.Name+"_even", "Mul", []*ir.Value{decoded, p.Const(v.Name+"_evening", shaped(g, v, factors))})
		g.unit.Type = decoded.Type
	}
	return g.unit
}

// fold multiplies the weights of a layer by the scales of the channels that they
// meet, relative to the largest; false where the weights do not lie so.
func (g *axisGrid) fold(p *ir.Patch, l *compress.Layer) bool {
	old := l.Weight
	if l.Kind == compress.ConvTranspose || old.Const.Rank() < 2 || len(old.Uses()) != 1 {
		return false
	}
	channel, n, _ := inputChannels(l, old.Const.Shape)
	if n != len(g.scales) {
		return false
	}
	top, out := slices.Max(g.scales), tensor.Float32s(old.Const)
	scaled := make([]float32, len(out))
	for i, w := range out {
		scaled[i] = w * (g.scales[channel(i)] / top)
	}
	t, err := tensor.Convert(tensor.Of(old.Const.Shape, scaled), old.Const.Type, tensor.Options{})
	if err != nil {
		return false
	}
	p.SetConst(old, t)
	return true
}
