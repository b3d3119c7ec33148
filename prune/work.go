package prune

import (
	"context"
	"fmt"
	"strings"

	"pare/calib"
	"pare/compress"
	"pare/decompose"
	"pare/format"
	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// work is what RED does to one network, and what there is to be said of it.
type work struct {
	m      *ir.Model
	env    *compress.Env
	layers []*layer
	of     map[*ir.Node]*layer
}

// layer is a layer and what happened to it.
type layer struct {
	compress.Layer
	hash        *Hash           // nil when it was not hashed
	hashed      *tensor.Tensor  // the weights that hashing made
	stored      *format.Encoded // nil when they are floats
	bytes       int64
	rows, left  int
	split       *decompose.Separation // nil where it was not tried
	moved, size float64               // squared: by merging, and of all weights
}

func newWork(m *ir.Model, env *compress.Env) *work {
	w := &work{m: m, env: env, of: map[*ir.Node]*layer{}}
	for _, l := range env.Layers(m) {
		x := &layer{Layer: l}
		if l.Weight != nil {
			x.bytes = int64(len(l.Weight.Const.Bytes()))
			x.rows = l.Weight.Const.Shape[l.Out]
		}
		w.layers = append(w.layers, x)
		w.of[l.Node] = x
	}
	return w
}

// hash hashes the weights of all layers, each by itself, but those that are as
// hashing left them.
func (w *work) hash(ctx context.Context, o Hashing) error {
	results := make([]*tensor.Tensor, len(w.layers))
	errs := make([]error, len(w.layers))
	par.Each(len(w.layers), w.env.Threads, func(i int) {
		l := w.layers[i]
		if l.Reason != "" || context.Cause(ctx) != nil {
			return
		}
		if l.Weight = l.Node.In[l.Operand]; l.Weight.Const != l.hashed {
			results[i], l.hash, errs[i] = hashed(&l.Layer, o)
		}
	})
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p := ir.NewPatch(w.m.Graph, "hash weights")
	table := calib.Propagate(w.m, calib.Options{InputLo: w.env.Input.Lo, InputHi: w.env.Input.Hi})
	for i, t := range results {
		if errs[i] != nil {
			return fmt.Errorf("%v: %w", w.layers[i].Node, errs[i])
		}
		if t != nil {
			if o.Correct {
				correct(p, &w.layers[i].Layer, t, table)
			}
			p.SetConst(w.layers[i].Weight, t)
			w.layers[i].hashed = t
		}
	}
	return p.Apply()
}

// report says what happened to every layer.
func (w *work) report() {
	for _, l := range w.layers {
		if l.Reason != "" {
			w.env.Skip(&l.Layer, l.Reason)
			continue
		}
		t := l.weights()
		r := compress.LayerReport{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: t.Type.String(), Bits: t.Type.Bits(), Params: t.Len(), BytesBefore: l.bytes, BytesAfter: int64(len(t.Bytes()))}
		var what []string
		if l.hash != nil {
			r.ErrorBefore, r.ErrorAfter = l.hash.Error, l.hash.Error
			what = append(what, fmt.Sprintf("%d levels", len(l.hash.Levels)))
		}
		if left := t.Shape[l.Out]; left != l.rows {
			what = append(what, fmt.Sprintf("%d of %d neurons", left, l.rows))
		}
		if text := l.splitting(&r); text != "" {
			what = append(what, text)
		}
		r.Reason = strings.Join(what, ", ")
		l.codebookReport(&r)
		w.env.Done(r)
	}
}

// weights are those that the layer has now.
func (l *layer) weights() *tensor.Tensor {
	if l.stored != nil {
		return l.hashed
	}
	return l.Node.In[l.Operand].Const
}
