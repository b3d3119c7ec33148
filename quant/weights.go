package quant

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// plan is what a method wants for one layer.
type plan struct {
	layer *compress.Layer
	spec  format.Spec
	note  string // what is done differently from the step's parameters
	bias  *bias  // integer bias, nil to leave it as it is
	acts  int    // bits of the data operand's grid, 0 for float
}

// weights is the part that all methods share: choose a plan per layer, raise
// the operator set as far as the forms need, encode layer by layer.
type weights struct {
	env  *compress.Env
	m    *ir.Model
	opts format.Options
	// choose returns the format of a layer, or a reason to leave it alone.
	choose func(l *compress.Layer, shape []int) (spec format.Spec, note, skip string)
	// flip rounds some weights the other way, so that errors add up to less.
	flip bool
	// trial: encodings are compared only, and the report need not know.
	trial bool
	// conv: flip those of convolutions alone.
	conv bool
	// finish, unless nil, changes scales once the codes are chosen.
	finish func(l *compress.Layer, e *format.Encoded, w *tensor.Tensor) (format.Error, error)
	// opset is the operator set that a layer's further storage needs, nil for none.
	opset func(s format.Spec) int
	// code encodes a layer's weights; nil for format.Encode.
	code func(p *plan, w *tensor.Tensor, o format.Options) (*format.Encoded, format.Error, error)
}

// storages of codes below a byte.
const (
	packed = "packed"
	int8s  = "int8"
)

// raise makes sure that the model can hold the forms, at least those of
// opset 13. Raising may replace nodes.
func (w *weights) raise() error {
	need := 0
	for _, l := range w.env.Layers(w.m) {
		if l.Reason != "" {
			continue
		}
		if spec, _, skip := w.choose(&l, l.Weight.Const.Shape); skip == "" {
			need = max(need, spec.Row().Opset)
			if w.opset != nil {
				need = max(need, w.opset(spec))
			}
		}
	}
	if err := w.env.Raise(w.m, need); err != nil {
		if need <= 13 {
			return err
		}
		if w.env.Raise(w.m, 13) != nil {
			return fault.Hint(err, "choose another exporter version, or recipe copy for this file")
		}
		w.env.Warn("codes are stored in whole bytes: %v", err)
	}
	return nil
}

// plans lists what will be compressed and how. Layers without a plan are
// recorded as skipped. Call raise before.
func (w *weights) plans() ([]plan, error) {
	var out []plan
	for p, skip := range w.each() {
		if skip != "" {
			w.env.Skip(p.layer, skip)
			continue
		}
		out = append(out, p)
	}
	return out, nil
}

// possible lists the plans without recording what is left alone.
func (w *weights) possible() (out []plan) {
	for p, skip := range w.each() {
		if skip == "" {
			out = append(out, p)
		}
	}
	return out
}

// each goes through the layers with the plan for each, or the reason why it has
// none.
func (w *weights) each() iter.Seq2[plan, string] {
	return func(yield func(plan, string) bool) {
		layers := w.env.Layers(w.m)
		for i := range layers {
			p, skip := w.plan(&layers[i])
			if !yield(p, skip) {
				return
			}
		}
	}
}

func (w *weights) plan(l *compress.Layer) (plan, string) {
	if l.Reason != "" {
		return plan{layer: l}, l.Reason
	}
	spec, note, skip := w.choose(l, l.Weight.Const.Shape)
	wide := w.m.Opset("") < spec.Row().Opset
	spec.Wide = spec.Wide || wide
	switch {
	case skip == "" && wide && spec.Grain == format.PerBlock:
		skip = "blocks need opset 21"
	case skip == "" && estimate(spec, l.Weight.Const.Shape) >= len(l.Weight.Const.Bytes()):
		skip = fmt.Sprintf("%v would take more space than its %d weights", spec, l.Params())
	}
	return plan{layer: l, spec: spec, note: note}, skip
}

// estimate is the number of bytes that an encoding will take.
func estimate(s format.Spec, shape []int) int {
	scales := 1
	switch s.Grain {
	case format.PerChannel:
		scales = shape[s.Axis]
	case format.PerBlock:
		scales = tensor.Len(shape) / shape[s.Axis] * ((shape[s.Axis] + s.Block - 1) / s.Block)
	}
	t := s.Row().Type
	n := t.ByteLen(tensor.Len(shape)) + 4*scales
	switch s.Kind {
	case format.Power:
		return n + 4*(2*s.Levels()+1)
	case format.Codebook:
		return n + 4<<s.Bits
	}
	return n + t.ByteLen(scales)
}

// encode stores the weights of one layer as planned.
func (w *weights) encode(ctx context.Context, p plan) (format.Error, error) {
	if err := context.Cause(ctx); err != nil {
		return format.Error{}, err
	}
	e, cost, err := w.codes(&p)
	if err != nil {
		return cost, err
	}
	return cost, w.write(p, e, cost, 0)
}

// codes encodes the weights of one layer as planned.
func (w *weights) codes(p *plan) (*format.Encoded, format.Error, error) {
	opts := w.opts
	opts.Threads = w.env.Threads
	if p.bias != nil {
		opts.MinScale = p.bias.minScale(p.spec)
	}
	code := w.code
	if code == nil {
		code = func(p *plan, t *tensor.Tensor, o format.Options) (*format.Encoded, format.Error, error) {
			return format.Encode(t, p.spec, o)
		}
	}
	original := float32s(p.layer.Weight.Const)
	e, cost, err := code(p, original, opts)
	if err != nil {
		return nil, cost, layerError(p.layer, err)
	}
	if w.flips(p.layer) {
		if cost, p.note, err = w.flipped(e, p); err != nil {
			return nil, cost, layerError(p.layer, err)
		}
	}
	if w.finish != nil {
		if cost, err = w.finish(p.layer, e, original); err != nil {
			return nil, cost, layerError(p.layer, err)
		}
	}
	return e, cost, nil
}

// flips reports whether codes of a layer are flipped.
func (w *weights) flips(l *compress.Layer) bool {
	return w.flip && l.Kind != compress.Embedding && l.Kind != compress.Other && !(w.conv && l.Kind == compress.Dense)
}

// write replaces the weights of a layer by their encoding and reports it; before
// is the relative error that a first encoding had, 0 where there was none.
func (w *weights) write(p plan, e *format.Encoded, cost format.Error, before float64) error {
	l, old := p.layer, p.layer.Weight
	size := len(old.Const.Bytes())
	patch := ir.NewPatch(w.m.Graph, "compress "+l.Node.String())
	decoded := format.Emit(patch, w.m, old.Name, e, old.Const.Type)
	w.env.Remember(decoded, old.Const)
	patch.Replace(old, decoded)
	if p.bias != nil {
		p.bias.emit(patch, w.m.Graph, l, e)
	}
	removeUnused(patch, w.m.Graph, old, 0)
	if err := patch.Apply(); err != nil {
		return layerError(l, err)
	}
	w.env.Done(compress.LayerReport{
		Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: e.String(), Bits: p.spec.Bits,
		Exponent: p.spec.Exponent, Orders: max(1, len(e.Orders)), Params: cost.N, BytesBefore: int64(size), BytesAfter: int64(e.Bytes()),
		ErrorBefore: before, ErrorAfter: cost.Relative(), Reason: p.note, ActivationBits: p.acts,
	})
	return nil
}

// flipped flips codes of a layer and adds to its note how many.
func (w *weights) flipped(e *format.Encoded, p *plan) (format.Error, string, error) {
	taps := 1
	if shape := p.layer.Weight.Const.Shape; p.layer.Kind != compress.Dense {
		taps = tensor.Len(shape[2:])
	}
	cost, n, err := e.Flip(float32s(p.layer.Weight.Const), p.layer.Out, taps, w.env.Threads)
	note := fmt.Sprintf("%d weights rounded the other way", n)
	if p.note != "" {
		note = p.note + "; " + note
	}
	return cost, note, err
}

// removeUnused deletes a constant of g that the patch takes its last readers
// from, but for uses of them that it does not see itself.
func removeUnused(p *ir.Patch, g *ir.Graph, v *ir.Value, uses int) {
	if uses > 0 && (len(v.Uses()) > uses || g.IsOutput(v)) {
		return
	}
	p.RemoveConst(v)
	if slices.Contains(g.Inputs, v) {
		p.RemoveInput(v)
	}
}

func layerError(l *compress.Layer, err error) error {
	var nf *format.NotFiniteError
	if errors.As(err, &nf) {
		err = fault.Hint(err, "the file holds a broken network; pare compress --recipe 'copy' passes it through unchanged")
	}
	return fault.AtNode(l.Node, err)
}

// float32s returns a weight tensor as Float32, itself where it is that.
func float32s(t *tensor.Tensor) *tensor.Tensor {
	if t.Type == tensor.Float32 {
		return t
	}
	return tensor.Of(t.Shape, tensor.Float32s(t))
}

// grain is the parameters that say which weights share a scale.
type grain struct {
	granularity string
	block       int
}

// place sets the grain of spec for a layer and returns a note where the layer
// cannot have the one asked for.
func (g grain) place(s *format.Spec, l *compress.Layer, shape []int) (note string) {
	switch g.granularity {
	case "tensor":
		return ""
	case "block":
		if shape[l.In] > 1 {
			s.Grain, s.Axis, s.Block = format.PerBlock, l.In, g.block
			return ""
		}
		note = "per channel: a block would hold one weight"
	}
	s.Grain, s.Axis = format.PerChannel, l.Out
	return note
}

// bits is the width of a layer's weights: the recipe's selection, the width for
// edges, or the step's.
func bits(l *compress.Layer, w, edges int) int {
	switch {
	case l.Bits != 0:
		return l.Bits
	case edges != 0 && l.Edge:
		return edges
	}
	return w
}

// fewer narrows weights of w bits to what the machine wants of layers that compute
// on integers: those whose data get bits, a of them unless the layer has its own.
func fewer(l *compress.Layer, w, a int) int {
	if l.ActivationBits != 0 {
		a = l.ActivationBits
	}
	if l.Most == 0 || a == 0 || a == compress.FloatBits {
		return w
	}
	return min(w, l.Most)
}
