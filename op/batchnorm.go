package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// batchNormDef normalises each channel, by given or by the batch's own
// statistics. https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
var batchNormDef = Def{
	Name: "BatchNormalization", Versions: []int{1, 6, 7, 9, 14, 15}, In: Arity{5, 5}, Out: Arity{1, 5},
	Infer: inferBatchNorm,
	Eval:  evalBatchNorm,
	Raise: map[int]func(*Raising) error{
		6: func(r *Raising) error { r.DropAttrs("consumed_inputs"); return nil },
		7: func(r *Raising) error { r.DropAttrs("is_test"); return nil },
		9: func(r *Raising) error {
			if r.Node.Int("spatial", 1) == 0 {
				return fmt.Errorf("statistics for every element (spatial=0) have no newer form")
			}
			r.DropAttrs("spatial")
			return nil
		},
		14: raiseBatchNorm14,
	},
}

// raiseBatchNorm14 marks training, which older nodes show by their results.
func raiseBatchNorm14(r *Raising) error {
	if len(r.Node.Out) > 3 {
		return fmt.Errorf("results saved_mean and saved_var have no newer form")
	}
	if trainsByResults(r.Node) {
		r.Patch.SetAttrs(r.Node, ir.WithAttr(r.Node.Attrs, "training_mode", int64(1)))
	}
	return nil
}

// trainsByResults reports whether a node asks for statistics, by which it is in
// training mode before version 14.
func trainsByResults(n *ir.Node) bool {
	for _, v := range n.Out[1:] {
		if v != nil {
			return true
		}
	}
	return false
}

func evalBatchNorm(c *Eval) error {
	t := c.needRank(0, 2)
	n := c.Node
	channels, plane := t.Shape[1], tensor.Len(t.Shape[2:])
	if c.Version < 9 && n.Int("spatial", 1) == 0 {
		channels, plane = channels*plane, 1 // statistics for every element
	}
	x, scale, bias := c.reals(0), c.optReals(1, channels), c.optReals(2, channels)
	mean, variance := c.optReals(3, channels), c.optReals(4, channels)
	train := n.Int("training_mode", 0) != 0
	if c.Version < 14 {
		train = trainsByResults(n)
	}
	if train {
		m, v := channelStats(x, channels, plane)
		momentum := float64(n.Float("momentum", 0.9))
		shape := c.Tensor(3).Shape
		c.rounded(1, c.Tensor(3).Type, shape, blend(mean, m, momentum))
		c.rounded(2, c.Tensor(4).Type, shape, blend(variance, v, momentum))
		c.rounded(3, c.Tensor(3).Type, shape, m)
		c.rounded(4, c.Tensor(4).Type, shape, v)
		mean, variance = m, v
	}
	eps := float64(n.Float("epsilon", 1e-5))
	y := c.zeros(t.Shape...)
	for i, v := range x {
		ch := i / plane % channels
		y[i] = (v-mean[ch])/math.Sqrt(variance[ch]+eps)*scale[ch] + bias[ch]
	}
	c.rounded(0, t.Type, t.Shape, y)
	return nil
}

// blend is old·momentum + now·(1 - momentum).
func blend(old, now []float64, momentum float64) []float64 {
	out := make([]float64, len(old))
	for i := range out {
		out[i] = old[i]*momentum + now[i]*(1-momentum)
	}
	return out
}

// channelStats is the mean and the population variance of each channel of x,
// [batch, channels, plane].
func channelStats(x []float64, channels, plane int) (mean, variance []float64) {
	mean, variance = make([]float64, channels), make([]float64, channels)
	if len(x) == 0 {
		return
	}
	count := float64(len(x) / channels)
	for i, v := range x {
		mean[i/plane%channels] += v
	}
	for ch := range mean {
		mean[ch] /= count
	}
	for i, v := range x {
		ch := i / plane % channels
		variance[ch] += (v - mean[ch]) * (v - mean[ch])
	}
	for ch := range variance {
		variance[ch] /= count
	}
	return
}

func inferBatchNorm(c *Shape) error {
	if _, err := c.inferRank(0, 2); err != nil {
		return err
	}
	c.Set(0, c.In[0])
	for i := 1; i < len(c.Out); i++ {
		c.Set(i, c.In[3+(i-1)%2])
	}
	return nil
}
