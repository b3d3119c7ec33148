package quant

import (
	"context"
	"fmt"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/op"
	"pare/tensor"
)

// expansion is a network whose layers are being expanded.
type expansion struct {
	*Rex
	w      *weights
	energy *energies
	layers []*expanded
}

// expanded is a layer, its terms so far, and what they leave.
type expanded struct {
	plan
	values []float32 // the weights
	shape  []int
	terms  *format.Encoded
	sum    *tensor.Tensor // of the terms, decoded
	first  format.Error   // of the first term alone
	// importance is what the squares of the rest count; nil for all alike.
	importance func() []float32
	macs       float64 // per row, with one application of the layer
	fixed      string  // why there are no further terms; "" when there may be
	bitops     float64 // of further terms
	// last holds the step of every row's last term, where the next derives from it.
	last []float32
}

// newExpansion encodes the first order of every layer.
func newExpansion(ctx context.Context, r *Rex, w *weights, plans []plan) (*expansion, error) {
	x := &expansion{Rex: r, w: w}
	if r.weighs() {
		x.energy = newEnergies(w.m, w.env)
	}
	for i := range plans {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		e, err := x.layer(&plans[i])
		if err != nil {
			return nil, err
		}
		x.layers = append(x.layers, e)
	}
	return x, nil
}

func (x *expansion) layer(p *plan) (*expanded, error) {
	l := p.layer
	terms, cost, err := x.w.codes(p)
	if err != nil {
		return nil, err
	}
	weight := float32s(l.Weight.Const)
	e := &expanded{plan: *p, values: tensor.Data[float32](weight), shape: weight.Shape, terms: terms, first: cost}
	e.importance = func() []float32 { return nil }
	if x.energy != nil {
		e.importance = func() []float32 { return x.energy.perWeight(l, e.shape) }
	}
	rows := float64(e.rows())
	e.macs = float64(len(e.values)) / rows
	if macs, ok := op.MACs(l.Node); ok && macs > 0 {
		e.macs = float64(macs) / rows
	}
	if b := x.first(); b.edges() != 0 && l.Edge && l.Bits == 0 && p.spec.Bits == b.edges() {
		e.fixed = fmt.Sprintf("of the network's edges, which have %d bits", b.edges())
	}
	if e.sum, err = terms.Decode(x.w.env.Threads); err != nil {
		return nil, layerError(l, err)
	}
	return e, nil
}

// rows is the number of output channels.
func (e *expanded) rows() int { return e.shape[e.layer.Out] }

// rest is what the terms leave of the weights.
func (e *expanded) rest() []float32 {
	out := make([]float32, len(e.values))
	for i, v := range tensor.Data[float32](e.sum) {
		out[i] = e.values[i] - v
	}
	return out
}

// norms are the squared norms of the rows of x, weighed by importance.
func (e *expanded) norms(x []float32) []float64 {
	dim, inner := e.rows(), tensor.Len(e.shape[e.layer.Out+1:])
	out, importance := make([]float64, dim), e.importance()
	for k := 0; k*inner < len(x); k++ {
		sum := 0.0
		for i, v := range x[k*inner : (k+1)*inner] {
			f := float64(v) * float64(v)
			if importance != nil {
				f *= float64(importance[k*inner+i])
			}
			sum += f
		}
		out[k%dim] += sum
	}
	return out
}

// extend adds one order to the layers, on the rows that the budget allows.
func (x *expansion) extend(ctx context.Context, order int) error {
	share := x.share(order)
	for i, rows := range share {
		e := x.layers[i]
		if len(rows) == 0 {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n := len(rows)
		if n == e.rows() {
			rows = nil
		}
		steps, clip := x.steps(e)
		o, err := format.NewOrder(tensor.Of(e.shape, e.rest()), e.layer.Out, rows, format.OrderOptions{
			Bits: x.bits(e.spec.Bits), Wide: e.spec.Wide || x.w.m.Opset("") < x.w.opset(e.spec), Max: clip, Steps: steps, Threads: x.w.env.Threads,
		})
		if err != nil {
			return layerError(e.layer, err)
		}
		// Short rows make up few of a network's weights and most of its error.
		longer, short := e.terms.Extend(o), e.layer.Kind == compress.Depthwise
		if before := len(e.layer.Weight.Const.Bytes()); longer.Bytes() >= before && !short {
			e.fixed = "another would take more space than the weights"
			continue
		}
		e.terms = longer
		for _, row := range share[i] {
			if steps != nil {
				e.last[row] = steps[row]
			}
		}
		e.bitops += float64(n) * e.macs * float64(x.bits(e.spec.Bits))
		if err := o.AddTo(e.sum, x.w.env.Threads); err != nil {
			return layerError(e.layer, err)
		}
	}
	return nil
}

// steps are the scales of the next order where they are to be the last ones over
// 2^bits, nil where they follow from the rest. Levels include 0, at the price of
// clipping half a code, where others would not be integers of 8 bits: in terms of
// 8 bits, and where two terms of 4 bits are to make one of 8.
func (x *expansion) steps(e *expanded) (steps []float32, clip bool) {
	b, s := x.bits(e.spec.Bits), e.spec
	// A few weights rarely reach half a step, and their rows cost little time.
	brief := x.Steps == "shift" && e.layer.Kind == compress.Depthwise
	if brief || !x.shifts() || s.Kind != format.Uniform || s.Asymmetric || s.Grain != format.PerChannel || s.Axis != e.layer.Out {
		return nil, x.Steps == "max" || b == 8
	}
	if e.last == nil {
		e.last = slices.Clone(tensor.Data[float32](e.terms.Scale))
	}
	if !e.halved() {
		return nil, b == 8
	}
	out := slices.Clone(e.last)
	for i := range out {
		out[i] /= float32(int(1) << b)
	}
	return out, b == 8 || x.Order == 2 && s.Bits+b == 8
}

// halved reports whether the last terms leave no more than half their steps, as
// grids do that neither clip nor flip.
func (e *expanded) halved() bool {
	inner := tensor.Len(e.shape[e.layer.Out+1:])
	for i, v := range e.rest() {
		if half := e.last[i/inner%e.rows()] / 2; max(v, -v) > 1.001*half {
			return false
		}
	}
	return true
}

// write puts the expansions into the network.
func (x *expansion) write(ctx context.Context) error {
	var total compress.Expansion
	var bitops, bytes float64
	for _, e := range x.layers {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		first := e.firstTerm()
		bitops += e.firstOps()
		total.BitOperations += e.firstOps() + e.bitops
		bytes += float64(first.Bytes())
		total.Bytes += float64(e.terms.Bytes())
		out := e.terms
		if x.Steps == "fused" {
			if f, ok := out.Fused(); ok {
				out = f
			}
		}
		e.explain(x)
		cost := format.Difference(e.values, tensor.Data[float32](e.sum))
		if err := x.w.write(e.plan, out, cost, e.first.Relative()); err != nil {
			return err
		}
	}
	if bytes > 0 {
		total.BitOperations /= bitops
		total.Bytes /= bytes
		x.w.env.Step().Expansion = &total
	}
	return nil
}

// firstTerm is the first order alone.
func (e *expanded) firstTerm() *format.Encoded {
	if e.terms.Orders != nil {
		return e.terms.Orders[0].Encoded
	}
	return e.terms
}

// firstOps is the number of bit-operations of the first order, per bit of data.
func (e *expanded) firstOps() float64 {
	return float64(e.rows()) * e.macs * float64(e.spec.Bits)
}

// explain notes why a layer has fewer orders than asked for.
func (e *expanded) explain(x *expansion) {
	orders := max(1, len(e.terms.Orders))
	if orders == x.Order {
		return
	}
	why := e.fixed
	if why == "" {
		why = "the budget goes further elsewhere"
	}
	note := fmt.Sprintf("%d of %d orders: %s", orders, x.Order, why)
	if e.note != "" {
		note = e.note + "; " + note
	}
	e.note = note
}
