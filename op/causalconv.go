package op

import (
	"fmt"
	"math"

	"pare/ir"
)

// causalConvDef is depthwise convolution over time that sees no future and
// carries its last inputs on. https://onnx.ai/onnx/operators/onnx__CausalConvWithState.html
var causalConvDef = Def{
	Name: "CausalConvWithState", Versions: []int{27}, In: Arity{2, 4}, Out: Arity{1, 2},
	MACs: convMACs(1), Infer: inferCausalConv,
	Eval: evalCausalConv,
}

func evalCausalConv(c *Eval) error {
	x := c.needShape(0, -1, -1, -1)
	batch, channels, length := x.Shape[0], x.Shape[1], x.Shape[2]
	w := c.needShape(1, channels, 1, -1)
	k := w.Shape[2]
	if k < 1 {
		return fmt.Errorf("the kernel %v is empty", w)
	}
	act := c.Node.Str("activation", "none")
	if act != "none" && act != "silu" && act != "swish" {
		return fmt.Errorf("activation %q is unknown; use none, silu or swish", act)
	}
	var past []float64
	if c.Has(3) {
		c.needShape(3, batch, channels, k-1)
		past = c.reals(3)
	}
	xs, ws, bias := c.reals(0), c.reals(1), c.optReals(2, channels)
	y, state := c.zeros(batch, channels, length), c.zeros(batch, channels, k-1)
	line := make([]float64, k-1+length)
	for i := range batch * channels {
		ch := i % channels
		if past != nil {
			copy(line, past[i*(k-1):(i+1)*(k-1)])
		}
		copy(line[k-1:], xs[i*length:(i+1)*length])
		for t := range length {
			sum := 0.0
			if bias != nil {
				sum = bias[ch]
			}
			for j, v := range ws[ch*k : (ch+1)*k] {
				sum += v * line[t+j]
			}
			if act != "none" {
				sum /= 1 + math.Exp(-sum)
			}
			y[i*length+t] = sum
		}
		copy(state[i*(k-1):(i+1)*(k-1)], line[length:])
	}
	c.rounded(0, x.Type, x.Shape, y)
	c.rounded(1, x.Type, []int{batch, channels, k - 1}, state)
	return nil
}

func inferCausalConv(c *Shape) error {
	c.Set(0, c.In[0])
	state := unknownDims(3)
	state[0], state[1] = dimAt(c.In[0], 0), sameDim(dimAt(c.In[0], 1), dimAt(c.In[1], 0))
	if k := dimAt(c.In[1], 2); k.IsKnown() && k.N > 0 {
		state[2] = ir.Known(k.N - 1)
	}
	c.Set(1, ir.TensorType(c.In[0].DType, state...))
	return nil
}
