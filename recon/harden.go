package recon

import (
	"math"
	"slices"

	"pare/format"
	"pare/op"
	"pare/tensor"
)

// harden is the change that deploys what is learned so far.
func (l *learner) harden() *change {
	c := newChange()
	scales := make([]float32, len(l.grids))
	for i, g := range l.grids {
		scales[i] = g.Scale
		if g.scale != nil {
			scales[i] = l.of(g.scale)[0]
			c.grid(g.gridded, scales[i])
		}
	}
	for _, w := range l.layers {
		e := l.encoded(w)
		c.weights(&w.form, e)
		if w.form.bias == nil {
			continue
		}
		data := float32(1)
		if i, ok := l.data[key(w.form.Node)]; ok {
			data = scales[i]
		}
		c.biases(&w.form, slices.Clone(l.of(w.bias)), data, e)
	}
	return c
}

// encoded are a layer's weights as learned so far.
func (l *learner) encoded(w *latent) *format.Encoded {
	old := w.form.Encoded
	e := &format.Encoded{Spec: old.Spec, Zero: old.Zero, Levels: old.Levels, Scale: old.Scale}
	if l.params[w.scale.Name] != nil {
		e.Scale = tensor.Of(old.Scale.Shape, slices.Clone(l.of(w.scale)))
	}
	v := l.of(w.v)
	codes := make([]byte, len(v))
	switch {
	case w.floor != nil:
		for i, x := range v {
			up := float32(0)
			if x >= 0 {
				up = 1
			}
			codes[i] = byte(int(w.floor[i] + up))
		}
	default:
		n, shift := float64(old.Spec.Levels()), 0.0
		if old.Levels != nil {
			shift = n
		}
		for i, x := range v {
			codes[i] = byte(int(min(max(math.RoundToEven(float64(x)), -n), n) + shift))
		}
		if p := l.params[w.alpha.Name]; p != nil {
			e.Spec.Exponent = float64(float32(op.LatentExponent(float64(p.Data[0]), float64(float32(w.least)), float64(float32(w.most)))))
			e.Levels = mirrored(format.TableTo(int(old.Levels[len(old.Levels)-1]), old.Spec.Bits, e.Spec.Exponent))
		}
	}
	e.Codes = tensor.FromCodes(old.Codes.Type, old.Codes.Shape, codes)
	return e
}

// mirrored are the levels of all codes of a grid whose table is mags.
func mirrored(mags []float32) []float32 {
	n := len(mags) - 1
	out := make([]float32, 2*n+1)
	for j := 1; j <= n; j++ {
		out[n-j], out[n+j] = -mags[j], mags[j]
	}
	return out
}
