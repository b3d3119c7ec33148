package quant

import (
	"context"
	"fmt"
	"math"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
)

func init() {
	compress.Register(compress.Info{
		Name: "correct",
		Kind: compress.Correcting,
		Doc:  "take the mean error that compressed weights cause out of the biases",
		Ref:  "[nagel19] Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv:1906.04721, section 4.2",
		New:  func() compress.Method { return &Correct{} },
	})
}

// Correct is the bias correction of [nagel19]: rounding weights moves the mean of
// what a layer computes by the weights' error times the mean of what it reads,
// which is known from statistics or, with data, measured. It follows the step
// that compresses the weights in the same recipe.
type Correct struct{}

// Validate implements compress.Method.
func (*Correct) Validate() error { return nil }

// Needs implements compress.Calibrated: the means of what layers read.
func (*Correct) Needs(m *ir.Model) []calib.Request {
	if _, err := op.Infer(m); err != nil {
		return nil // Apply reports it
	}
	var out []calib.Request
	for _, l := range compress.Layers(m) {
		if l.Encoded == nil || l.Kind == compress.Embedding {
			continue
		}
		if v := l.Node.In[l.Input]; v.Type.Rank() > 1 {
			out = append(out, calib.Request{Value: v, Axis: dataAxis(&l), Moments: true})
		}
	}
	return out
}

// dataAxis is the axis along which the channels of a layer's data lie.
func dataAxis(l *compress.Layer) int {
	if l.Kind == compress.Dense {
		return l.Node.In[l.Input].Type.Rank() - 1
	}
	return 1
}

// Apply implements compress.Method.
func (c *Correct) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if err := complete(ctx, m, env); err != nil {
		return err
	}
	table := propagated(m, env, 0)
	layers := env.Layers(m)
	for i := range layers {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		l := &layers[i]
		p := ir.NewPatch(m.Graph, "correct the bias of "+l.Node.String())
		moved, why := correctBias(p, l, env, table)
		if why == "" {
			if err := p.Apply(); err != nil {
				return layerError(l, err)
			}
			env.Done(compress.LayerReport{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: l.Encoded.Spec.String(),
				Bits: l.Encoded.Spec.Bits, Exponent: l.Encoded.Spec.Exponent, Params: l.Params(), Reason: moved})
			continue
		}
		env.Skip(l, why)
	}
	return nil
}

// correctBias adds the correction to p and says what it amounts to, or why there
// is none.
func correctBias(p *ir.Patch, l *compress.Layer, env *compress.Env, table *calib.Table) (moved, why string) {
	switch {
	case l.Encoded == nil && l.Reason == "":
		return "", "its weights are not compressed"
	case l.Encoded == nil:
		return "", l.Reason
	case l.Kind == compress.Embedding || l.Operand != 1 || l.Kind == compress.ConvTranspose:
		return "", "its kind has no correction"
	}
	original := env.Original(l.Node.In[l.Operand])
	if original == nil {
		return "", "its original weights are not known: compress and correct in one recipe"
	}
	mean, why := means(l, env, table, original.Shape)
	if why != "" {
		return "", why
	}
	decoded, err := l.Encoded.Decode(env.Threads)
	if err != nil {
		return "", err.Error()
	}
	delta := sumColumns(l, original, decoded, mean, coverage(l.Node, original.Shape[2:]), env.Threads)
	most := 0.0
	for _, d := range delta {
		most = max(most, math.Abs(d))
	}
	return fmt.Sprintf("biases moved by up to %.3g", most), addOffset(p, l, delta)
}

// means are those of the channels that a layer reads.
func means(l *compress.Layer, env *compress.Env, table *calib.Table, shape []int) ([]float64, string) {
	v := l.Node.In[l.Input]
	channels := shape[l.In]
	if l.Kind != compress.Dense {
		channels *= max(1, l.Node.Int("group", 1))
	}
	s, why := table.Stats(v)
	if o := env.Observed[v]; o != nil && o.Count > 0 {
		s = o.Stats()
	}
	switch {
	case s == nil:
		return nil, "the means of what it reads are not known: " + why
	case len(s.Mean) == channels && s.Axis == dataAxis(l):
		return s.Mean, ""
	case len(s.Mean) == 1 && v.Producer() == nil: // the declared range of the input
		return filled(channels, s.Mean[0]), ""
	}
	return nil, "what it reads is known as a whole only"
}
