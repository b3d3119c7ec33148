package quant

import (
	"cmp"
	"context"
	"math"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// weightOffers tries codes of the widths below 8 bits on every layer, and adds those
// of 8: every further bit leaves a quarter of the errors' energy. The plans are
// those of the narrowest.
func (x *Mixed) weightOffers(ctx context.Context, m *ir.Model, env *compress.Env, known *energies, loss *importance) (out []*choice, narrow []plan, err error) {
	by, free := map[*ir.Node]*choice{}, x.free(m, env)
	for _, bits := range x.widths() {
		w := x.base().weights(m, x.env(env, always(bits), nil))
		w.trial = true
		w.flip, w.finish = false, nil // they change what noise is like, not which layers have most
		plans := w.possible()
		if err := x.base().tune(ctx, w, plans); err != nil {
			return nil, nil, err
		}
		if bits == x.Least {
			narrow = plans
		}
		for i := range plans {
			if err := context.Cause(ctx); err != nil {
				return nil, nil, err
			}
			l := plans[i].layer
			noise, err := known.encodedNoise(w, &plans[i])
			if loss != nil {
				noise, err = loss.encoded(ctx, w, &plans[i])
			}
			if err != nil {
				return nil, nil, err
			}
			c := by[l.Node]
			if c == nil {
				c = &choice{nodes: []*ir.Node{l.Node}, size: float64(l.Params())}
				by[l.Node], out = c, append(out, c)
			}
			c.offers = append(c.offers, offer{bits: plans[i].spec.Bits, noise: noise})
			if loss == nil && bits >= 4 && free[l.Node] {
				c.offers = append(c.offers, offer{bits: wide, noise: noise / math.Pow(4, float64(wide-bits))})
			}
		}
	}
	return out, narrow, nil
}

// widths are those that are tried.
func (x *Mixed) widths() (out []int) {
	for bits := x.Least; bits <= max(4, x.Least); bits += 2 {
		out = append(out, bits)
	}
	if x.Importance != "noise" {
		out = append(out, wide)
	}
	return out
}

// encoded is what a layer whose weights are encoded as planned adds to the loss.
func (x *importance) encoded(ctx context.Context, w *weights, p *plan) (float64, error) {
	e, _, err := w.codes(p)
	if err != nil {
		return 0, err
	}
	now, err := e.Decode(w.env.Threads)
	if err != nil {
		return 0, layerError(p.layer, err)
	}
	rest := tensor.Data[float32](now)
	for i, v := range tensor.Data[float32](float32s(p.layer.Weight.Const)) {
		rest[i] = v - rest[i]
	}
	return x.lost(ctx, p.layer, rest)
}

// free are the layers whose weights neither the recipe nor the base singles out.
func (x *Mixed) free(m *ir.Model, env *compress.Env) map[*ir.Node]bool {
	out := map[*ir.Node]bool{}
	for _, l := range env.Layers(m) {
		out[l.Node] = l.Bits == 0 && !x.isEdge(&l)
	}
	return out
}

// encodedNoise is the noise of a layer whose weights are encoded as planned.
func (e *energies) encodedNoise(w *weights, p *plan) (float64, error) {
	x, _, err := w.codes(p)
	if err != nil {
		return 0, err
	}
	noise, err := e.noise(p.layer, x)
	if err != nil {
		return 0, layerError(p.layer, err)
	}
	return noise, nil
}

// noise is the expected energy of the errors of a layer's results relative to
// the variance of the results. Means count for nothing, since biases can make up
// for them; data are taken as independent.
func (e *energies) noise(l *compress.Layer, x *format.Encoded) (float64, error) {
	now, err := x.Decode(e.env.Threads)
	if err != nil {
		return 0, err
	}
	w := float32s(l.Weight.Const)
	rest := tensor.Data[float32](now)
	for i, v := range tensor.Data[float32](w) {
		rest[i] = v - rest[i]
	}
	counts := e.variances(l, w.Shape)
	return multiplied(l) * ratio(total(channelEnergies(now, l.Out, counts)), e.signal(l, counts)), nil
}

// signal is the variance of a layer's results: what is known of it, or what
// independent data would make, given what counts of each weight. Without counts it
// is the energy of the weights.
func (e *energies) signal(l *compress.Layer, counts []float32) float64 {
	if v := e.resultVariance(l); v > 0 && counts != nil {
		return v
	}
	return total(channelEnergies(float32s(l.Weight.Const), l.Out, counts))
}

// resultVariance is summed over the channels of a layer's results; 0 when it is
// not known.
func (e *energies) resultVariance(l *compress.Layer) float64 {
	if s := e.stats(resultOf(l)); s != nil && len(s.Std) == l.Weight.Const.Shape[l.Out] {
		return total(squares(s.Std))
	}
	return 0
}

// dataOffers are the widths of what layers read: those that the base has, given
// plans for the weights, and 8 bits. A bit costs the multiply-accumulates of all
// layers that read the data, times the bits of their weights.
func (x *Mixed) dataOffers(ctx context.Context, m *ir.Model, env *compress.Env, known *energies, plans []plan, widths map[*ir.Node]int) ([]*choice, error) {
	acts, err := x.Base.Method.(quantiser).data(plans).grids(ctx, m, env, plans)
	if acts == nil || err != nil {
		return nil, err
	}
	by := map[*ir.Value]*choice{}
	var out []*choice
	layers := env.Layers(m)
	for i := range layers {
		l := &layers[i]
		a, ok := acts.read(l)
		if !ok {
			continue
		}
		v := l.Node.In[l.Input]
		c := by[v]
		if c == nil || l.ActivationBits != 0 || x.isEdge(l) {
			c = &choice{offers: []offer{{bits: a.Bits}}}
			out = append(out, c)
			if l.ActivationBits == 0 && !x.isEdge(l) {
				c.offers, by[v] = append(c.offers, offer{bits: wide}), c
			}
		}
		c.nodes, c.size = append(c.nodes, l.Node), c.size+work(l)*float64(cmp.Or(widths[l.Node], wide))
		c.offers[0].noise += known.dataNoise(l, a)
	}
	return out, nil
}

// work is the number of multiply-accumulates of a layer; of its weights where
// sizes are open.
func work(l *compress.Layer) float64 {
	if macs, ok := op.MACs(l.Node); ok && macs > 0 {
		return float64(macs)
	}
	return float64(l.Params())
}

// dataNoise is like noise, of data on a grid: 0 where their distribution is not
// known, without bound for what the network is given, as pictures have 8 bits to
// begin with.
func (e *energies) dataNoise(l *compress.Layer, a format.Activation) float64 {
	v := l.Node.In[l.Input]
	if isGiven(v) {
		return math.Inf(1)
	}
	lost := e.lost(v, a)
	if len(lost) == 0 || l.Weight == nil || l.Weight.Const == nil {
		return 0
	}
	return ratio(through(l, lost), cmp.Or(e.resultVariance(l), through(l, squares(e.stats(v).Std))))
}

// through is the variance of what a layer makes of independent data of the given
// variances, one per channel; of their mean where they do not go with the weights.
func through(l *compress.Layer, variances []float64) float64 {
	w := float32s(l.Weight.Const)
	if counts := perWeight(l, w.Shape, variances); counts != nil {
		return total(channelEnergies(w, l.Out, counts))
	}
	return total(channelEnergies(w, l.Out, nil)) * total(variances) / float64(len(variances))
}

func squares(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * v
	}
	return out
}

// ratio is 0 of nothing.
func ratio(noise, signal float64) float64 {
	if !(signal > 0) {
		return 0
	}
	return noise / signal
}

// lost is the variance of the errors of every channel of v on a grid, nil where
// the distribution of v is not known.
func (e *energies) lost(v *ir.Value, a format.Activation) []float64 {
	round := a.Rounder()
	rest := func(x float64) float64 { return x - float64(round(float32(x))) }
	mean, square := e.expect(v, rest)
	for c := range square {
		square[c] -= mean[c] * mean[c]
	}
	return square
}
