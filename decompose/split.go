package decompose

import (
	"context"
	"fmt"
	"math"

	"pare/compress"
	"pare/format"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "split",
		Doc:  "compute repeated kernels of a convolution once: distinct kernels first, then sums of what they give",
		Ref:  "[yvinec21] RED: Looking for Redundancies for Data-Free Structured Compression of Deep Neural Networks, arXiv:2105.14797; [yvinec22pp] RED++: Data-Free Pruning of Deep Neural Networks via Input Splitting and Output Merging, arXiv:2110.01397",
		New:  func() compress.Method { return &Split{Form: FormAuto} },
	})
}

// The forms that convolutions are written in: dense ones, split ones, or those of
// the two with fewer multiply-accumulates in a runtime that knows nothing of
// repeated kernels.
const (
	FormAuto  = "auto"
	FormDense = "dense"
	FormSplit = "split"
)

// Split is the uneven depthwise separation of RED [yvinec21], which input splitting
// of RED++ [yvinec22pp] is for convolutions: of the kernels that read an input
// channel only the distinct ones are computed, and every output channel sums what
// it needs of them. It does not change the function.
type Split struct {
	Form string `json:"form" doc:"how convolutions are written: split, dense, or whichever has fewer multiply-accumulates" values:"auto|dense|split"`
}

// Validate implements compress.Method.
func (s *Split) Validate() error { return nil }

// Apply implements compress.Method.
func (s *Split) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	layers := env.Layers(m)
	for i := range layers {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		l := &layers[i]
		f, err := Layer(m, l, s.Form, env.Threads)
		if err != nil {
			return fault.AtNode(l.Node, err)
		}
		if f.Reason != "" {
			env.Skip(l, f.Reason)
			continue
		}
		env.Done(f.report(l))
	}
	_, err := op.Infer(m)
	return err
}

// Found says what the kernels of a layer have in common, and what was made of it.
type Found struct {
	Reason  string // why the layer stays as it is; "" where it was split
	Slices  int    // kernels
	Kernels int    // distinct ones: multiples of each other count once, zeros not at all
	Params  int    // weights after the split
	Error   float64
	bytes   [2]int64 // before and after
	typ     tensor.DType
}

// Layer splits one layer in place, if it can be and the form says so. Where f.Reason
// is set, the model is as before.
func Layer(m *ir.Model, l *compress.Layer, form string, threads int) (f Found, err error) {
	if f.Reason = unsplit(l); f.Reason != "" {
		return f, nil
	}
	t := l.Weight.Const
	w := &kernels{outs: t.Shape[0], ins: t.Shape[1], taps: tensor.Len(t.Shape[2:]), data: tensor.Float32s(t), exact: t.Type != tensor.Float32}
	for i, x := range w.data {
		if x-x != 0 {
			return f, &format.NotFiniteError{Index: i, Value: x}
		}
	}
	counts := w.count(threads)
	f.Slices = w.outs * w.ins
	for _, n := range counts {
		f.Kernels += n
	}
	if f.Reason = dense(w, f.Kernels, form); f.Reason != "" {
		return f, nil
	}
	f.typ, f.bytes[0] = t.Type, int64(len(t.Bytes()))
	return f, w.write(m, l, counts, &f)
}

// unsplit says why a layer cannot be split.
func unsplit(l *compress.Layer) string {
	switch {
	case l.Reason != "":
		return l.Reason
	case l.Kind == compress.GroupedConv || l.Kind == compress.Depthwise:
		return "its groups are split already"
	case l.Kind != compress.Conv:
		return "only convolutions have kernels to share"
	case tensor.Len(l.Weight.Const.Shape[2:]) == 1:
		return "its kernels are single numbers, all multiples of each other: sharing their products is left to the engine"
	}
	return ""
}

// most is how many weights a split layer may hold.
const most = 1 << 26

// dense says why a layer with so many distinct kernels stays dense.
func dense(w *kernels, distinct int, form string) string {
	share := fmt.Sprintf("%d of %d kernels are distinct", distinct, w.outs*w.ins)
	switch split, whole := distinct*(w.taps+w.outs), w.outs*w.ins*w.taps; {
	case distinct == 0:
		return "all its weights are 0"
	case split > most:
		return fmt.Sprintf("%s: split it would hold %d million numbers", share, split/1e6)
	case form == FormDense:
		return share + "; form=dense leaves it"
	case form == FormAuto && split >= whole:
		return fmt.Sprintf("%s: split it would take %s of the multiply-accumulates", share, percent(split, whole))
	}
	return ""
}

func percent(part, whole int) string {
	return fmt.Sprintf("%.0f %%", math.Round(100*float64(part)/float64(whole)))
}

// report is what is told of a layer that was split.
func (f *Found) report(l *compress.Layer) compress.LayerReport {
	return compress.LayerReport{
		Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: f.typ.String(), Bits: f.typ.Bits(), Params: f.Params,
		BytesBefore: f.bytes[0], BytesAfter: f.bytes[1], ErrorAfter: f.Error,
		Reason: fmt.Sprintf("%d of %d kernels are distinct", f.Kernels, f.Slices),
	}
}
