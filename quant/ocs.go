package quant

import (
	"context"
	"fmt"
	"math"

	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "ocs",
		Kind: compress.Rescaling,
		Doc:  "halve the largest weights by reading their channels twice, without changing the function",
		Ref:  "[zhao19] Improving Neural Network Quantization without Retraining using Outlier Channel Splitting, arXiv:1901.09504",
		New:  func() compress.Method { return &OCS{Ratio: 0.02} },
	})
}

// OCS is outlier channel splitting of weights [zhao19]: the channel with the
// largest weight is read twice, each time with half of it, which narrows the
// range that a step behind has to cover.
type OCS struct {
	Ratio float64 `json:"ratio" doc:"part of the channels that a layer reads which are doubled, 0 to 1, rounded up"`
}

// Validate implements compress.Method.
func (q *OCS) Validate() error {
	if q.Ratio <= 0 || q.Ratio > 1 {
		return fmt.Errorf("ratio=%v is not in (0, 1]", q.Ratio)
	}
	return nil
}

// Apply implements compress.Method.
func (q *OCS) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if err := env.Raise(m, 7); err != nil {
		return err
	}
	if _, err := op.Infer(m); err != nil {
		return err
	}
	layers := env.Layers(m)
	for i := range layers {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		l := &layers[i]
		if why := unsplit(l); why != "" {
			env.Skip(l, why)
			continue
		}
		if err := q.split(m, l, env); err != nil {
			return layerError(l, err)
		}
	}
	_, err := op.Infer(m)
	return err
}

// unsplit says why the channels that a layer reads cannot be doubled.
func unsplit(l *compress.Layer) string {
	switch {
	case l.Reason != "":
		return l.Reason
	case l.Kind != compress.Conv && l.Kind != compress.Dense || l.Operand != 1:
		return "its channels cannot be read twice"
	case l.Weight.Const.Type != tensor.Float32:
		return fmt.Sprintf("its weights are %v", l.Weight.Const.Type)
	case l.Weight.Const.Rank() > 2 && l.Kind == compress.Dense || l.Node.Int("transA", 0) != 0:
		return "its weights are a stack of matrices, or its data transposed"
	case len(l.Weight.Uses()) > 1:
		return "its weights are read in several places"
	case l.Node.In[l.Input].Type.Rank() < 2:
		return "the shape of what it reads is not known"
	}
	return ""
}

// split doubles channels of one layer.
func (q *OCS) split(m *ir.Model, l *compress.Layer, env *compress.Env) error {
	w := l.Weight.Const
	channels := w.Shape[l.In]
	c := newColumns(w, l.In)
	before := c.largest()
	for range int(math.Ceil(q.Ratio * float64(channels))) {
		c.double()
	}
	p := ir.NewPatch(m.Graph, "split channels of "+l.Node.String())
	indices := p.Const(l.Name+"_channels", tensor.Of([]int{len(c.from)}, c.from))
	x := l.Node.In[l.Input]
	gathered := p.Node(l.Name+"_doubled", "Gather", []*ir.Value{x, indices}, ir.Attr{Name: "axis", Value: int64(dataAxis(l))})
	p.SetInput(l.Node, l.Input, gathered)
	t := c.tensor(w.Shape, l.In)
	p.SetConst(l.Weight, t)
	if err := p.Apply(); err != nil {
		return err
	}
	env.Done(compress.LayerReport{
		Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: w.Type.String(), Bits: w.Type.Bits(), Params: t.Len(),
		BytesBefore: int64(len(w.Bytes())), BytesAfter: int64(len(t.Bytes())),
		Reason: fmt.Sprintf("%d channels doubled; the largest weight falls from %.3g to %.3g", len(c.from)-channels, before, c.largest()),
	})
	return nil
}

// columns are the weights by the channel that they read.
type columns struct {
	list [][]float32
	from []int64 // the original channel
	top  []float64
}

func newColumns(w *tensor.Tensor, axis int) *columns {
	size, inner := w.Shape[axis], tensor.Len(w.Shape[axis+1:])
	c := &columns{list: make([][]float32, size), from: make([]int64, size), top: make([]float64, size)}
	for i, v := range tensor.Float32s(w) {
		j := i / inner % size
		c.list[j] = append(c.list[j], v)
	}
	for j := range c.list {
		c.from[j], c.top[j] = int64(j), magnitude(c.list[j])
	}
	return c
}

func magnitude(x []float32) (top float64) {
	for _, v := range x {
		top = max(top, math.Abs(float64(v)))
	}
	return top
}

func (c *columns) most() int {
	at := 0
	for j, t := range c.top {
		if t > c.top[at] {
			at = j
		}
	}
	return at
}

func (c *columns) largest() float64 { return c.top[c.most()] }

// double splits the channel with the largest weight. Weights above half of it
// are halved, the others go to one of the two.
func (c *columns) double() {
	j := c.most()
	half, old := c.top[j]/2, c.list[j]
	a, b := make([]float32, len(old)), make([]float32, len(old))
	for i, v := range old {
		if a[i] = v; math.Abs(float64(v)) > half {
			a[i], b[i] = v/2, v/2
		}
	}
	c.list[j], c.top[j] = a, magnitude(a)
	c.list, c.from, c.top = append(c.list, b), append(c.from, c.from[j]), append(c.top, magnitude(b))
}

// tensor lays the columns out again.
func (c *columns) tensor(shape []int, axis int) *tensor.Tensor {
	wide := append([]int(nil), shape...)
	wide[axis] = len(c.list)
	t := tensor.New(tensor.Float32, wide...)
	inner := tensor.Len(shape[axis+1:])
	for i := range tensor.Data[float32](t) {
		j := i / inner % len(c.list)
		at := i/(inner*len(c.list))*inner + i%inner
		tensor.Data[float32](t)[i] = c.list[j][at]
	}
	return t
}
