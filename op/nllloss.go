package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// nllLossDef is the negative log likelihood of target classes.
// https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html
var nllLossDef = Def{
	Name: "NegativeLogLikelihoodLoss", Versions: []int{12, 13, 22}, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: inferLoss,
	Eval:  func(c *Eval) error { return evalLoss(c, c.reals(0)) },
}

// softmaxLossDef is the negative log likelihood of target classes under the
// softmax of scores. https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html
var softmaxLossDef = Def{
	Name: "SoftmaxCrossEntropyLoss", Versions: []int{12, 13}, In: Arity{2, 3}, Out: Arity{1, 2},
	Infer: func(c *Shape) error {
		c.Set(1, c.In[0])
		return inferLoss(c)
	},
	Eval: func(c *Eval) error {
		t := c.needRank(0, 2)
		x := c.reals(0)
		y := c.zeros(t.Shape...)
		classes, plane := t.Shape[1], tensor.Len(t.Shape[2:])
		row := make([]float64, classes)
		for n := range t.Shape[0] {
			for d := range plane {
				at := n*classes*plane + d
				for k := range row {
					row[k] = x[at+k*plane]
				}
				shift := maxOf(row)
				var sum float64
				for _, v := range row {
					sum += math.Exp(v - shift)
				}
				for k, v := range row {
					y[at+k*plane] = v - shift - math.Log(sum)
				}
			}
		}
		c.rounded(1, t.Type, t.Shape, y)
		return evalLoss(c, y)
	},
}

// evalLoss sets result 0 from log likelihoods of the shape of operand 0
// [batch, classes, ...], targets [batch, ...] and weights [classes].
func evalLoss(c *Eval, logs []float64) error {
	t := c.needRank(0, 2)
	shape := append([]int{t.Shape[0]}, t.Shape[2:]...)
	c.needShape(1, shape...)
	classes, plane := t.Shape[1], tensor.Len(t.Shape[2:])
	weights := c.optReals(2, classes)
	ignore, ignores := c.Node.Attr("ignore_index").(int64)
	losses := c.zeros(shape...)
	var sum, total float64
	for i, k := range c.Ints(1) {
		if ignores && k == int(ignore) {
			continue
		}
		if k < 0 || k >= classes {
			return fmt.Errorf("target %d is not one of %d classes", k, classes)
		}
		weight := 1.0
		if weights != nil {
			weight = weights[k]
		}
		losses[i] = -weight * logs[(i/plane*classes+k)*plane+i%plane]
		sum += losses[i]
		total += weight
	}
	switch reduction := c.Node.Str("reduction", "mean"); reduction {
	case "none":
		c.rounded(0, t.Type, shape, losses)
	case "sum":
		c.rounded(0, t.Type, nil, []float64{sum})
	case "mean":
		c.rounded(0, t.Type, nil, []float64{sum / total})
	default:
		return fmt.Errorf("reduction %q is unknown; use none, sum or mean", reduction)
	}
	return nil
}

func inferLoss(c *Shape) error {
	x, target := c.In[0], c.In[1]
	switch {
	case c.Node.Str("reduction", "mean") != "none":
		c.Set(0, ir.TensorType(x.DType))
	case target.Ranked:
		c.Set(0, ir.TensorType(x.DType, target.Shape...))
	case x.Ranked && len(x.Shape) >= 2:
		c.Set(0, ir.TensorType(x.DType, append([]ir.Dim{x.Shape[0]}, x.Shape[2:]...)...))
	default:
		c.Set(0, ir.UnrankedType(x.DType))
	}
	return nil
}
