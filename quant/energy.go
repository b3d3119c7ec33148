package quant

import (
	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// energies knows how large the data of layers are: the mean square of every input
// channel, observed or, without data, from what the network tells of itself.
type energies struct {
	env   *compress.Env
	table *calib.Table
}

func newEnergies(m *ir.Model, env *compress.Env) *energies {
	e := &energies{env: env}
	if env.Observed == nil {
		_, _ = op.Infer(m) // shapes help; what cannot be inferred stays unknown
		e.table = propagated(m, env, 0)
	}
	return e
}

// energyRequests asks for the data of all layers that can be compressed.
func energyRequests(m *ir.Model, env *compress.Env) []calib.Request {
	if _, err := op.Infer(m); err != nil {
		return nil // Apply reports it
	}
	asked := map[*ir.Value]bool{}
	var out []calib.Request
	for _, l := range env.Layers(m) {
		x := dataOf(&l)
		if l.Reason != "" || x == nil || asked[x] || !x.Type.DType.IsFloat() || !x.Type.Ranked || x.Type.Rank() < 2 {
			continue
		}
		asked[x] = true
		out = append(out, calib.Request{Value: x, Axis: channelAxis(&l, x), Moments: true})
	}
	return out
}

// dataOf is the value that a layer multiplies its weights with; nil where it
// multiplies with none.
func dataOf(l *compress.Layer) *ir.Value {
	if l.Kind == compress.Embedding || l.Kind == compress.Other || l.Input < 0 || l.Input >= len(l.Node.In) {
		return nil
	}
	return l.Node.In[l.Input]
}

// channelAxis is the axis of a layer's data that its weights sum over.
func channelAxis(l *compress.Layer, x *ir.Value) int {
	if l.Kind != compress.Dense {
		return 1
	}
	last := x.Type.Rank() - 1
	if l.Operand == 0 {
		last-- // the weights come first: rows of the data are summed over
	}
	if l.Node.Op == "Gemm" && l.Node.Int([]string{"transB", "transA"}[l.Operand], 0) != 0 {
		last = 1 - last
	}
	return last
}

// perInput is the mean square of what each index of the weights' input axis
// multiplies, and for grouped layers of each input channel; nil when unknown.
func (e *energies) perInput(l *compress.Layer) []float64 {
	s := e.stats(dataOf(l))
	if s == nil || len(s.Mean) < 2 || len(s.Mean) != len(s.Std) {
		return nil
	}
	out := make([]float64, len(s.Mean))
	for c := range out {
		out[c] = s.Mean[c]*s.Mean[c] + s.Std[c]*s.Std[c]
	}
	return out
}

// stats are those of a value, nil when unknown.
func (e *energies) stats(v *ir.Value) *ir.Stats {
	if v == nil {
		return nil
	}
	if e.table != nil {
		s, _ := e.table.Stats(v)
		return s
	}
	if o := e.env.Observed[v]; o != nil && o.Count > 0 {
		return o.Stats()
	}
	return nil
}

// perWeight is the mean square of the data that every weight multiplies, in the
// order of the tensor, relative to the mean over all; nil when unknown.
func (e *energies) perWeight(l *compress.Layer, shape []int) []float32 {
	energy := e.perInput(l)
	mean := 0.0
	for _, v := range energy {
		mean += v / float64(len(energy))
	}
	if !(mean > 0) {
		return nil
	}
	for c := range energy {
		energy[c] /= mean
	}
	return perWeight(l, shape, energy)
}

// variances is like perWeight, of the variance of the data and in its units.
func (e *energies) variances(l *compress.Layer, shape []int) []float32 {
	s := e.stats(dataOf(l))
	if s == nil || len(s.Std) < 2 {
		return nil
	}
	return perWeight(l, shape, squares(s.Std))
}

// perWeight spreads what belongs to the channels of a layer's data over the
// weights that multiply them; nil where they do not go together.
func perWeight(l *compress.Layer, shape []int, perChannel []float64) []float32 {
	if l.Kind == compress.ConvTranspose || len(shape) < 2 {
		return nil
	}
	channel, n, run := inputChannels(l, shape)
	if n != len(perChannel) {
		return nil
	}
	w := make([]float32, tensor.Len(shape))
	for i := 0; i < len(w); i += run {
		v := float32(perChannel[channel(i)])
		for k := range w[i : i+run] {
			w[i+k] = v
		}
	}
	return w
}

// inputChannels tells, of each weight, which of n channels of the data it
// multiplies: the same of all within a run; n is 0 where the groups do not divide
// the filters.
func inputChannels(l *compress.Layer, shape []int) (channel func(i int) int, n, run int) {
	group := max(1, l.Node.Int("group", 1))
	if l.Kind == compress.Dense {
		group = 1
	}
	in, out, steps := shape[l.In], shape[l.Out], strides(shape)
	if out%group != 0 {
		return nil, 0, 0
	}
	if group == 1 {
		return func(i int) int { return i / steps[l.In] % in }, in, steps[l.In]
	}
	return func(i int) int { return i/steps[l.Out]%out/(out/group)*in + i/steps[l.In]%in }, in * group, min(steps[l.In], steps[l.Out])
}

// expect is the mean and the mean square of f over every channel of v; nil where
// nothing is known of it.
func (e *energies) expect(v *ir.Value, f func(x float64) float64) (mean, square []float64) {
	if e.table != nil {
		return e.table.Expect(v, f)
	}
	if s := e.stats(v); s != nil {
		return calib.Expect(s, f)
	}
	return nil, nil
}
