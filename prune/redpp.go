package prune

import (
	"context"
	"fmt"
	"slices"

	"pare/compress"
	costs "pare/cost"
	"pare/decompose"
	"pare/format"
	"pare/ir"
	"pare/op"
)

func init() {
	compress.Register(compress.Info{
		Name: "red++", Kind: compress.Pruning, Codes: true,
		Doc: "hash weights, merge neurons that are then alike, and compute repeated kernels once; codes of quantised networks are hashed already",
		Ref: "[yvinec22pp] RED++: Data-Free Pruning of Deep Neural Networks via Input Splitting and Output Merging, arXiv:2110.01397",
		New: func() compress.Method { return newREDPP() },
	})
}

func newREDPP() *REDPP {
	q := &REDPP{RED: *newRED(), Form: decompose.FormAuto}
	q.Separate, q.Grain = true, "auto"
	return q
}

// REDPP is RED++ [yvinec22pp]: hashing and output merging of RED, then input
// splitting, which changes nothing but the cost. With alpha=0 the network computes
// what the hashed one does. Codes of a quantised network are hashed already: there
// it merges channels of equal codes and changes no output.
type REDPP struct {
	RED
	Form string `json:"form" doc:"how convolutions are written: split, dense, or whichever has fewer multiply-accumulates; dense before a step that encodes them" values:"auto|dense|split"`
}

// Apply implements compress.Method.
func (q *REDPP) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if slices.ContainsFunc(compress.Layers(m), func(l compress.Layer) bool { return l.Encoded != nil }) {
		return codes(ctx, m, env)
	}
	return q.compress(ctx, m, env, q.Form)
}

// split separates the kernels of every layer.
func (w *work) split(ctx context.Context, form string) error {
	for _, l := range w.layers {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if l.Reason != "" {
			continue
		}
		now := l.Layer
		now.Weight = l.Node.In[l.Operand]
		s, err := decompose.Separate(w.m, &now, form, w.env)
		if err != nil {
			return err
		}
		l.split = &s
	}
	_, err := op.Infer(w.m)
	return err
}

// splitting adds to a layer's report what splitting made of it.
func (l *layer) splitting(r *compress.LayerReport) string {
	s := l.split
	switch {
	case s == nil || s.Kernels == 0:
		return "" // no convolution that could be split
	case s.Reason == "":
		r.Parts, r.Params, r.BytesAfter = s.Parts, s.Params, s.Bytes
		return fmt.Sprintf("%d of %d kernels are distinct, computed once each", s.Distinct, s.Kernels)
	}
	return s.Reason
}

// codes merges channels of a quantised network.
func codes(ctx context.Context, m *ir.Model, env *compress.Env) error {
	before := env.Layers(m)
	_, bytes := costs.Stored(m)
	if _, err := mergeCodes(ctx, m); err != nil {
		return err
	}
	if _, now := costs.Stored(m); now > bytes {
		env.Warn("the network takes %d bytes more: sums of merged codes need 8 bits", now-bytes)
	}
	now := map[string]*compress.Layer{}
	for _, l := range compress.Layers(m) {
		now[l.Name] = &l
	}
	for i := range before {
		l := &before[i]
		switch after := now[l.Name]; {
		case l.Encoded != nil && after.Encoded != nil && !slices.Equal(l.Encoded.Codes.Shape, after.Encoded.Codes.Shape):
			env.Done(recoded(l, after.Encoded))
		case l.Encoded != nil:
			env.Skip(l, fmt.Sprintf("%v: codes are hashed already, and none of its channels repeats", l.Encoded))
		case l.Reason != "":
			env.Skip(l, l.Reason)
		default:
			env.Skip(l, "a quantised network keeps its outputs: what is in float stays as it is")
		}
	}
	return nil
}

// recoded is what is told of a layer whose channels were merged.
func recoded(l *compress.Layer, e *format.Encoded) compress.LayerReport {
	old := l.Encoded
	return compress.LayerReport{
		Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: e.Spec.String(), Bits: e.Spec.Bits, Params: e.Codes.Len(),
		BytesBefore: int64(old.Bytes()), BytesAfter: int64(e.Bytes()),
		Reason: fmt.Sprintf("codes %v became %v", old.Codes.Shape, e.Codes.Shape),
	}
}
