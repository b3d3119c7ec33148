package train

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

// weighed says which operands of an operator are learned where they are constants.
type weighed struct {
	operands []int
	// vectors says that single numbers are part of the architecture, not weights.
	vectors bool
}

// weights has a row for every operator with learned constants.
var weights = map[string]weighed{
	"Add":                   {[]int{0, 1}, true},
	"BatchNormalization":    {[]int{1, 2}, false},
	"Conv":                  {[]int{1, 2}, false},
	"ConvTranspose":         {[]int{1, 2}, false},
	"Gather":                {[]int{0}, true},
	"Gemm":                  {[]int{0, 1, 2}, false},
	"GroupNormalization":    {[]int{1, 2}, false},
	"InstanceNormalization": {[]int{1, 2}, false},
	"LayerNormalization":    {[]int{1, 2}, false},
	"MatMul":                {[]int{0, 1}, false},
	"Mul":                   {[]int{0, 1}, true},
	"PRelu":                 {[]int{1}, false},
	"Sub":                   {[]int{0, 1}, true},
}

// learnable lists the constants of the graph that training changes: 32-bit weights
// that the table knows, in the order of the nodes, but for those that skip.
func learnable(g *ir.Graph, skip func(v *ir.Value) bool) []*ir.Value {
	var out []*ir.Value
	seen := map[*ir.Value]bool{}
	for _, n := range g.Nodes {
		row, ok := weights[n.Op]
		if !ok || ir.CanonicalDomain(n.Domain) != "" {
			continue
		}
		for _, i := range row.operands {
			if i >= len(n.In) || n.In[i] == nil || seen[n.In[i]] {
				continue
			}
			v := n.In[i]
			seen[v] = true
			if learns(v, row.vectors) && (skip == nil || !skip(v)) {
				out = append(out, v)
			}
		}
	}
	return out
}

// learns reports whether a constant holds weights: not a single number where vectors
// are asked for, and not a mask, which holds numbers that make others vanish.
func learns(v *ir.Value, vectors bool) bool {
	if v.Const == nil || v.Const.Type != tensor.Float32 || v.Const.Len() == 0 || vectors && v.Const.Len() == 1 {
		return false
	}
	for _, x := range tensor.Float32s(v.Const) {
		if !(math.Abs(float64(x)) < vanishing) {
			return false
		}
	}
	return true
}

// vanishing is the size of numbers in masks, far beyond that of weights.
const vanishing = 1e4

// statistics lists the running means and variances of the graph's batch-norms.
func statistics(g *ir.Graph) []*ir.Value {
	var out []*ir.Value
	seen := map[*ir.Value]bool{}
	for _, n := range g.Nodes {
		if n.Op != "BatchNormalization" || ir.CanonicalDomain(n.Domain) != "" || len(n.In) < 5 {
			continue
		}
		for _, v := range n.In[3:5] {
			if v != nil && v.Const != nil && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}
