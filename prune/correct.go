package prune

import (
	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// correct gives the mean error that new weights cause to the bias of the layer: the
// difference of the weights times the mean of what they multiply, which the table
// tells. Layers without room for a bias, or that read what is not known, keep theirs.
func correct(p *ir.Patch, l *compress.Layer, now *tensor.Tensor, table *calib.Table) {
	n := l.Node
	if n.Op != "Conv" && n.Op != "Gemm" || l.Operand != 1 || l.Out != 0 || n.Float("beta", 1) != 1 || n.Float("alpha", 1) != 1 {
		return
	}
	was := l.Weight.Const
	outs := was.Shape[0]
	per := was.Shape[1]
	groups := max(1, n.Int("group", 1))
	s, _ := table.Stats(n.In[0])
	if s == nil || len(s.Mean) != per*groups && len(s.Mean) != 1 {
		return
	}
	bias := make([]float32, outs)
	if len(n.In) > 2 && n.In[2] != nil {
		if c := n.In[2].Const; c == nil || c.Len() != outs || c.Type != tensor.Float32 {
			return
		}
		copy(bias, tensor.Data[float32](n.In[2].Const))
	}
	a, b, inner := tensor.Float32s(was), tensor.Float32s(now), tensor.Len(was.Shape[2:])
	for o := range bias {
		first, sum := o/(outs/groups)*per, 0.0
		for i := range per {
			mean := s.Mean[min(first+i, len(s.Mean)-1)]
			for k := (o*per + i) * inner; k < (o*per+i+1)*inner; k++ {
				sum += mean * (float64(a[k]) - float64(b[k]))
			}
		}
		bias[o] += float32(sum)
	}
	replace(p, n, 2, n.Name+"_bias", tensor.Of([]int{outs}, bias))
}
