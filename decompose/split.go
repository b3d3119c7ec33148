package decompose

import (
	"context"
	"fmt"

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
		Kind: compress.Decomposing,
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
		f, err := Separate(m, l, s.Form, env)
		if err != nil {
			return err
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

// Separation says what the kernels of a layer have in common, and what was made of
// it.
type Separation struct {
	Reason  string // why the layer stays as it is; "" where it was split
	Kernels int    // output channels times input channels
	// Distinct kernels: multiples of each other count once, zeros not at all.
	Distinct int
	Parts    []string // the convolutions that the layer became, in order
	Params   int      // numbers in them
	Bytes    int64    // of these
	Error    float64  // of the kernels put together again, relative: rounding of multiples
}

// Separate splits a layer in place where it can be and the form says so: auto means
// the form with fewer multiply-accumulates, and dense ones before steps that encode
// weights, as those would round the parts one by one. Where Reason is set, the
// model is as before. Types of new values are left to inference.
func Separate(m *ir.Model, l *compress.Layer, form string, env *compress.Env) (f Separation, err error) {
	if f.Reason = unsplit(l); f.Reason != "" {
		return f, nil
	}
	w, err := kernelsOf(l)
	if err != nil {
		return f, fault.AtNode(l.Node, err)
	}
	counts := w.count(env.Threads)
	f.Kernels = w.outs * w.ins
	for _, n := range counts {
		f.Distinct += n
	}
	encoding := form == FormAuto && env.Ahead(compress.Quantising, compress.Expanding)
	if f.Reason = f.dense(w, form, encoding); f.Reason != "" {
		return f, nil
	}
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
		return "its kernels are single numbers, all multiples of each other"
	}
	return ""
}

// kernelsOf views the weights of a convolution, which must be finite, as kernels.
func kernelsOf(l *compress.Layer) (*kernels, error) {
	t := l.Weight.Const
	w := &kernels{outs: t.Shape[0], ins: t.Shape[1], taps: tensor.Len(t.Shape[2:]), data: tensor.Float32s(t), exact: t.Type != tensor.Float32}
	for i, x := range w.data {
		if x-x != 0 {
			err := &format.NotFiniteError{Index: i, Value: x}
			return nil, fault.Hint(err, "the file holds a broken network; pare compress --recipe 'copy' passes it through unchanged")
		}
	}
	return w, nil
}

// most is how many numbers a split layer may hold.
const most = 1 << 26

// dense says why a layer stays dense. Split, its distinct kernels of k numbers are
// multiplied with data and their products with factors for all output channels:
// R·k + O·R multiply-accumulates for each output, against I·k·O.
func (f *Separation) dense(w *kernels, form string, encoding bool) string {
	share := fmt.Sprintf("%d of %d kernels are distinct", f.Distinct, f.Kernels)
	switch split, whole := f.Distinct*(w.taps+w.outs), f.Kernels*w.taps; {
	case f.Distinct == 0:
		return "all its weights are 0"
	case form == FormDense:
		return share + "; form=dense leaves it"
	case encoding:
		return share + "; dense for the step that encodes it"
	case form == FormAuto && split >= whole:
		return fmt.Sprintf("%s: split it would take %.0f %% of its multiply-accumulates", share, 100*float64(split)/float64(whole))
	case split > most:
		return fmt.Sprintf("%s: split it would hold %d million numbers", share, split/1e6)
	}
	return ""
}

// report is what is told of a layer that was split.
func (f *Separation) report(l *compress.Layer) compress.LayerReport {
	t := l.Weight.Const
	return compress.LayerReport{
		Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: t.Type.String(), Bits: t.Type.Bits(), Params: f.Params,
		BytesBefore: int64(len(t.Bytes())), BytesAfter: f.Bytes, ErrorAfter: f.Error, Parts: f.Parts,
		Reason: fmt.Sprintf("%d of %d kernels are distinct", f.Distinct, f.Kernels),
	}
}
