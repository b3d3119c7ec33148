package prune

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// codebook is the word for hashed weights stored as codes.
const codebook = "codebook"

// mostLevels is how many levels a codebook has room for.
const mostLevels = 64

// encode stores hashed layers as codebooks. Those that merging changed since are
// hashed again.
func (w *work) encode(ctx context.Context, o Hashing) error {
	if err := w.hash(ctx, o); err != nil {
		return err
	}
	if err := w.env.Raise(w.m, 13); err != nil {
		return err
	}
	p := ir.NewPatch(w.m.Graph, "store hashed weights as codebooks")
	for _, l := range w.layers {
		if l.hash == nil || l.Reason != "" {
			continue
		}
		v := l.Node.In[l.Operand]
		e := l.hash.encoded(v.Const, l.Out, w.m.Opset("") < 21)
		if err := e.Spec.Validate(v.Const.Shape); err != nil {
			return fmt.Errorf("%v: %w", l.Node, err)
		}
		l.stored = e
		out := format.Emit(p, w.m, v.Name, e, v.Const.Type)
		p.SetInput(l.Node, l.Operand, out)
		for _, u := range v.Uses() {
			if u.Node != l.Node {
				p.SetInput(u.Node, u.In, out)
			}
		}
		p.RemoveConst(v)
		w.env.Remember(out, v.Const)
	}
	return p.Apply()
}

// encoded is the codebook of weights that h has hashed, output channels lying along
// axis.
func (h *Hash) encoded(t *tensor.Tensor, axis int, wide bool) *format.Encoded {
	levels := slices.Clone(h.Levels)
	zero := slices.Index(levels, 0)
	if zero < 0 && len(levels) < mostLevels {
		zero, _ = slices.BinarySearch(levels, 0)
		levels = slices.Insert(levels, zero, 0)
	}
	n := max(2, bits.Len(uint(len(levels)-1)))
	e := &format.Encoded{Spec: format.Spec{Kind: format.Codebook, Bits: n, Grain: format.PerTensor, Wide: wide}, Scale: tensor.Scalar(float32(1))}
	if h.sizes != nil {
		e.Spec.Grain, e.Spec.Axis = format.PerChannel, axis
		scale := make([]float32, len(h.sizes))
		for c, s := range h.sizes {
			scale[c] = float32(s)
		}
		e.Scale = tensor.Of([]int{len(scale)}, scale)
	}
	e.Codes = tensor.FromCodes(e.Spec.Row().Type, t.Shape, h.codes(t, axis, levels))
	for len(levels) < 1<<n {
		levels = append(levels, levels[len(levels)-1])
	}
	e.Levels = levels
	return e
}

// codes says which of the levels the weights are nearest to, in units of their
// channel.
func (h *Hash) codes(t *tensor.Tensor, axis int, levels []float32) []byte {
	x := slices.Clone(tensor.Float32s(t))
	if h.sizes != nil {
		scaleChannels(x, t.Shape, axis, func(c int) float64 { return 1 / h.sizes[c] })
	}
	out := make([]byte, len(x))
	for i, v := range x {
		k, _ := slices.BinarySearch(levels, v)
		if k == len(levels) || k > 0 && v-levels[k-1] < levels[k]-v {
			k--
		}
		out[i] = byte(k)
	}
	return out
}

// codebookReport is what is told of a layer that was stored so.
func (l *layer) codebookReport(r *compress.LayerReport) {
	if l.stored != nil {
		r.Format, r.Bits, r.BytesAfter = l.stored.Spec.String(), l.stored.Spec.Bits, int64(l.stored.Bytes())
	}
}
