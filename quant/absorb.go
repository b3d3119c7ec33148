package quant

import (
	"context"
	"fmt"
	"math"

	"pare/calib"
	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "absorb",
		Kind: compress.Rescaling,
		Doc:  "move what channels never fall below into the biases of the layers that read them, so that ranges shrink",
		Ref:  "[nagel19] Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv:1906.04721, section 4.1.3",
		New:  func() compress.Method { return &Absorb{K: 3, Check: true} },
	})
}

// Absorb is the high-bias absorption of [nagel19]. A channel that stays above c
// passes Relu unchanged, so that c may be taken from the bias before and given to
// the biases behind. It stays above mean less k deviations but for a small share
// of the values, if it is normal; layers that read it with padding, where 0
// stands for the channel, keep it from being exact, and are left alone. Channels
// of real networks are not quite normal, so nothing is absorbed that a run on
// data, or on synthetic inputs, sees a channel fall below.
type Absorb struct {
	K     float64 `json:"k" doc:"standard deviations below the mean that a channel is taken to stay above"`
	Check bool    `json:"check" doc:"absorb no more than the least value seen in a run on data or synthetic inputs, where there is a run"`
}

// Validate implements compress.Method.
func (q *Absorb) Validate() error {
	if q.K < 1 || q.K > 20 {
		return fmt.Errorf("k=%v is not in 1..20", q.K)
	}
	return nil
}

// Needs implements compress.Calibrated: what layers compute, by channel.
func (q *Absorb) Needs(m *ir.Model, _ *compress.Env) []calib.Request {
	if _, err := op.Infer(m); err != nil || !q.Check {
		return nil // Apply reports it
	}
	var out []calib.Request
	for _, l := range compress.Layers(m) {
		if l.Reason != "" || l.Kind == compress.Embedding || l.Node.Out[0].Type.Rank() < 2 {
			continue
		}
		axis := 1
		if l.Kind == compress.Dense {
			axis = l.Node.Out[0].Type.Rank() - 1
		}
		out = append(out, calib.Request{Value: l.Node.Out[0], Axis: axis, Moments: true})
	}
	return out
}

// Apply implements compress.Method.
func (q *Absorb) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if err := complete(ctx, m, env); err != nil {
		return err
	}
	seen := env.Observed
	if seen == nil && q.Check && !madeUp(m) {
		var err error
		if seen, err = synthetic(ctx, m, env, q.Needs(m, env)); err != nil {
			return err
		}
	}
	table := propagated(m, env, 0) // what one layer gives away changes no other's
	var b *absorption
	for _, l := range env.Layers(m) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		b = b.next(m, env, &l, seen[l.Node.Out[0]])
		done, why := b.layer(&l, table, q.K)
		if why != "" {
			env.Skip(&l, why)
			continue
		}
		if err := b.patch.Apply(); err != nil {
			return layerError(&l, err)
		}
		if _, err := op.Infer(m); err != nil {
			return err
		}
		b.a = nil // it describes the graph before
		bytes := int64(len(l.Weight.Const.Bytes()))
		env.Done(compress.LayerReport{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: l.Weight.Const.Type.String(),
			Bits: l.Weight.Const.Type.Bits(), Params: l.Params(), BytesBefore: bytes, BytesAfter: bytes, Reason: done})
	}
	return nil
}

// absorption is that of one layer.
type absorption struct {
	m         *ir.Model
	a         *group.Analysis
	layers    map[*ir.Node]*compress.Layer
	seen      *calib.Observed // of what the layer computes, nil without a run
	patch     *ir.Patch
	amount    map[int]float64 // by unit
	consumers []*compress.Layer
	bounds    []*ir.Node // Clip and Min nodes to be moved
}

// next starts the absorption of another layer. It keeps the analysis of the one
// before, b, unless that changed the graph.
func (b *absorption) next(m *ir.Model, env *compress.Env, l *compress.Layer, seen *calib.Observed) *absorption {
	out := &absorption{m: m, seen: seen, patch: ir.NewPatch(m.Graph, "absorb the bias of "+l.Node.String())}
	if b != nil && b.a != nil {
		out.a, out.layers = b.a, b.layers
		return out
	}
	out.a, out.layers = group.Analyse(m, group.Rescaling), map[*ir.Node]*compress.Layer{}
	for _, x := range env.Layers(m) {
		out.layers[x.Node] = &x
	}
	return out
}

// layer plans the absorption of what l computes and says what it amounts to, or
// why there is none.
func (b *absorption) layer(l *compress.Layer, table *calib.Table, k float64) (done, why string) {
	v := l.Node.Out[0]
	units, s, why := b.known(l, table)
	if why != "" {
		return "", why
	}
	offset, n, most := make([]float64, len(units)), 0, 0.0
	b.amount = map[int]float64{}
	for c, u := range units {
		b.amount[u] = 0
		if x := b.floor(s, c, k); x > 0 {
			b.amount[u], offset[c], n, most = x, -x, n+1, max(most, x)
		}
	}
	if n == 0 {
		return "", "no channel stays above 0"
	}
	if why := b.follow(v, false); why != "" {
		return "", why
	}
	if v.Stats != nil {
		b.patch.SetStats(v, movedStats(v.Stats, offset))
	}
	if why := b.shift(l, offset); why != "" {
		return "", why
	}
	return fmt.Sprintf("up to %.3g of %s; exact but for the %.2g %% of values that lie lower", most, share(n, len(units)), 50*math.Erfc(k/math.Sqrt2)), ""
}

// known are the channels that a layer computes and their statistics.
func (b *absorption) known(l *compress.Layer, table *calib.Table) (units []int, s *ir.Stats, why string) {
	v := l.Node.Out[0]
	axis, units, ok := b.a.Channels(v)
	s, why = table.Stats(v)
	switch {
	case l.Reason != "":
		why = l.Reason
	case !ok:
		why = "nothing is known of the channels it computes"
	case s == nil:
		why = "their statistics are not known: " + why
	case len(s.Mean) != len(units) || s.Axis != axis:
		why = "their statistics are known as a whole only"
	case s.Source == syntheticSource && b.seen == nil:
		why = "their statistics come from synthetic inputs, on which no value can be relied to stay above"
	}
	return units, s, why
}

// shift takes the amounts from the bias of l, moves bounds behind it and gives
// them to the biases of its readers.
func (b *absorption) shift(l *compress.Layer, offset []float64) string {
	if why := addOffset(b.patch, l, offset); why != "" {
		return why
	}
	for _, x := range b.bounds {
		b.moveBound(x)
	}
	for _, c := range b.consumers {
		if why := b.give(c); why != "" {
			return fmt.Sprintf("%s cannot take it: %s", c.Name, why)
		}
	}
	return ""
}

// floor is what channel c is taken to stay above.
func (b *absorption) floor(s *ir.Stats, c int, k float64) float64 {
	x := s.Mean[c] - k*s.Std[c]
	if b.seen != nil && c < len(b.seen.Min) {
		x = min(x, b.seen.Min[c])
	}
	return x
}

func movedStats(s *ir.Stats, offset []float64) *ir.Stats {
	out := *s
	move := func(x []float64) []float64 {
		if len(x) != len(offset) {
			return x
		}
		y := make([]float64, len(x))
		for c := range x {
			y[c] = x[c] + offset[c]
		}
		return y
	}
	out.Mean, out.Lo, out.Hi = move(s.Mean), move(s.Lo), move(s.Hi)
	return &out
}

// offsetsPass are the operators that hand an offset of a channel on unchanged,
// given that they have no padding.
var offsetsPass = map[string]bool{
	"AveragePool": true, "Dropout": true, "Flatten": true, "GlobalAveragePool": true, "GlobalMaxPool": true, "Identity": true,
	"MaxPool": true, "ReduceMean": true, "Reshape": true, "Squeeze": true, "Unsqueeze": true,
}

// follow finds all layers that read v; rectified says whether it has passed a
// Relu. It says why where the offset cannot reach them.
func (b *absorption) follow(v *ir.Value, rectified bool) string {
	if b.m.Graph.IsOutput(v) {
		return "it reaches an output of the network"
	}
	for _, u := range v.Uses() {
		n := u.Node
		_, padded := padding(n, 1)
		switch {
		case b.layers[n] != nil && u.In == b.layers[n].Input:
			c := b.layers[n]
			if c.Reason != "" || n.Op == "ConvTranspose" || c.Operand != 1 {
				return fmt.Sprintf("%s, which reads it, cannot take it", c.Name)
			}
			if padded && n.Op == "Conv" {
				return fmt.Sprintf("%s reads it with padding", c.Name)
			}
			b.consumers = append(b.consumers, c)
		case padded && offsetsPass[n.Op]:
			return fmt.Sprintf("%v reads it with padding", n)
		case (offsetsPass[n.Op] || n.Op == "Relu") && b.traced(n.Out[0]):
			if why := b.follow(n.Out[0], rectified || n.Op == "Relu"); why != "" {
				return why
			}
		case b.bounded(n, rectified) && b.traced(n.Out[0]):
			b.bounds = append(b.bounds, n)
			if why := b.follow(n.Out[0], true); why != "" {
				return why
			}
		default:
			return fmt.Sprintf("%v lies between it and the layers that could take it", n)
		}
	}
	return ""
}

// traced reports whether the channels of v are those that the layer computes,
// and moves the statistics kept on it.
func (b *absorption) traced(v *ir.Value) bool {
	axis, units, ok := b.a.Channels(v)
	if !ok {
		return false
	}
	offset := make([]float64, len(units))
	for c, u := range units {
		x, own := b.amount[u]
		if !own {
			return false
		}
		offset[c] = -x
	}
	if v.Stats != nil && v.Stats.Axis == axis {
		b.patch.SetStats(v, movedStats(v.Stats, offset))
	}
	return true
}

// bounded reports whether n is a Clip from 0, or a bound per channel behind a
// Relu, which the offset moves.
func (b *absorption) bounded(n *ir.Node, rectified bool) bool {
	switch n.Op {
	case "Clip":
		lo, _, ok := group.Limits(n)
		return ok && lo == 0 && !rectified
	case "Min":
		return rectified && len(n.In) == 2 && n.In[1].Const != nil && n.In[1].Const.Type == tensor.Float32
	}
	return false
}

// moveBound lowers the upper bounds of n by what is absorbed: a Clip becomes a
// Relu and a bound per channel.
func (b *absorption) moveBound(n *ir.Node) {
	axis, units, _ := b.a.Channels(n.Out[0])
	old := func(int) float64 { return 0 }
	if n.Op == "Min" {
		x := tensor.Float64s(n.In[1].Const)
		old = func(c int) float64 { return x[min(c, len(x)-1)] }
	} else {
		_, hi, _ := group.Limits(n)
		old = func(int) float64 { return hi }
	}
	limits := make([]float32, len(units))
	for c, u := range units {
		limits[c] = float32(old(c) - b.amount[u])
	}
	shape := []int{len(units)}
	for range n.Out[0].Type.Rank() - 1 - axis {
		shape = append(shape, 1)
	}
	bound := b.patch.Const(n.Out[0].Name+"_bound", tensor.Of(shape, limits))
	if n.Op == "Min" {
		b.patch.SetInput(n, 1, bound)
		return
	}
	v := b.patch.Node(n.Out[0].Name+"_relu", "Relu", n.In[:1])
	if !math.IsInf(old(0), 0) {
		v = b.patch.Node(n.Out[0].Name+"_min", "Min", []*ir.Value{v, bound})
	}
	b.patch.SetType(v, n.Out[0].Type)
	b.patch.Replace(n.Out[0], v)
	b.patch.RemoveNode(n)
}

// give adds what a layer no longer reads to its bias.
func (b *absorption) give(l *compress.Layer) string {
	link := columnsOf(b.a, l.Node)
	if link == nil || l.Weight == nil {
		return "nothing is known of the channels it reads"
	}
	amounts := make([]float64, len(link.Units))
	for c, u := range link.Units {
		amounts[c] = b.amount[u]
	}
	delta := sumColumns(l, l.Weight.Const, nil, amounts, nil, 1)
	if why := addOffset(b.patch, l, delta); why != "" {
		return why
	}
	return ""
}
