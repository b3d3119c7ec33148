package op

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

// microsoft is the domain of ONNX Runtime's own operators, described in
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
const microsoft = "com.microsoft"

// The Gaussian error linear unit and its approximations.
var (
	msGeluDef    = biasedUnary("Gelu", 1, func(*ir.Node) func(float64) float64 { return gelu })
	biasGeluDef  = biasedUnary("BiasGelu", 2, func(*ir.Node) func(float64) float64 { return gelu })
	fastGeluDef  = biasedUnary("FastGelu", 2, func(*ir.Node) func(float64) float64 { return tanhGelu })
	quickGeluDef = biasedUnary("QuickGelu", 1, func(n *ir.Node) func(float64) float64 {
		alpha := float64(n.Float("alpha", 1.702))
		return func(x float64) float64 { return x * sigmoid(alpha*x) }
	})
)

func gelu(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }

// tanhGelu has the constants of FastGelu.
func tanhGelu(x float64) float64 { return x / 2 * (1 + math.Tanh(0.797885*x+0.035677*x*x*x)) }

// biasedUnary is the row of a function of operand 0 plus, where there is one,
// a bias along its last axis.
func biasedUnary(name string, operands int, make func(n *ir.Node) func(float64) float64) Def {
	return Def{
		Name: name, Domain: microsoft, Versions: []int{1}, In: Arity{1, operands}, Out: Arity{1, 1}, Infer: sameType,
		Eval: func(c *Eval) error {
			f := make(c.Node)
			t := c.Need(0)
			y := append([]float64(nil), c.reals(0)...)
			if c.Has(1) {
				eachBroadcast(c, t.Shape, 1, func(i int, v float64) { y[i] += v })
			}
			for i, v := range y {
				y[i] = f(v)
			}
			c.rounded(0, t.Type, t.Shape, y)
			return nil
		},
	}
}

// fusedConvDef is a convolution, a sum and an activation.
var fusedConvDef = Def{
	Name: "FusedConv", Domain: microsoft, Versions: []int{1}, In: Arity{2, 4}, Out: Arity{1, 1},
	MACs:  convMACs(1),
	Infer: func(c *Shape) error { return inferConv(c, 0, 1, c.In[0].DType) },
	Eval: func(c *Eval) error {
		p := append(c.Node.Floats("activation_params"), 0, 0)
		f, err := fusedActivation(c.Node.Str("activation", ""), len(p) > 2, float64(p[0]), float64(p[1]))
		if err != nil {
			return err
		}
		y, shape, err := convSums(c)
		if err != nil {
			return err
		}
		if c.Has(3) {
			eachBroadcast(c, shape, 3, func(i int, v float64) { y[i] += v })
		}
		for i, v := range y {
			y[i] = f(v)
		}
		c.rounded(0, c.Tensor(0).Type, shape, y)
		return nil
	},
}

// fusedActivation is the activation that a fused operator names; given says
// whether its parameters are.
func fusedActivation(name string, given bool, a, b float64) (func(float64) float64, error) {
	if name == "" {
		return func(x float64) float64 { return x }, nil
	}
	if name == "Clip" {
		if !given {
			a, b = math.Inf(-1), math.Inf(1)
		}
		return func(x float64) float64 { return min(max(x, a), b) }, nil
	}
	n := &ir.Node{Attrs: []ir.Attr{{Name: "activations", Value: []string{name}}}}
	if given {
		n.Attrs = append(n.Attrs, ir.Attr{Name: "activation_alpha", Value: []float32{float32(a)}},
			ir.Attr{Name: "activation_beta", Value: []float32{float32(b)}})
	}
	list, err := activations(n, 1, []string{name})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// fusedGemmDef is Gemm and an activation.
var fusedGemmDef = Def{
	Name: "FusedGemm", Domain: microsoft, Versions: []int{1}, In: Arity{2, 3}, Out: Arity{1, 1},
	MACs: productMACs(0), Infer: func(c *Shape) error { return gemmDef.Infer(c) },
	Eval: func(c *Eval) error {
		n := c.Node
		f, err := fusedActivation(n.Str("activation", ""), n.Has("activation_alpha"),
			float64(n.Float("activation_alpha", 0)), float64(n.Float("activation_beta", 0)))
		if err != nil {
			return err
		}
		if err := gemmDef.Eval(c); err != nil {
			return err
		}
		out, err := mapFloat(c, c.Out[0].(*tensor.Tensor), f)
		c.Set(0, out)
		return err
	},
}

// fusedMatMulDef is a scaled matrix product of operands that may be transposed.
var fusedMatMulDef = Def{
	Name: "FusedMatMul", Domain: microsoft, Versions: []int{1}, In: Arity{2, 2}, Out: Arity{1, 1},
	MACs: productMACs(0),
	Infer: func(c *Shape) error {
		in := append([]ir.Type(nil), c.In...)
		for i, side := range []string{"A", "B"} {
			if in[i].Ranked {
				in[i].Shape = pick(in[i].Shape, fusedPermutation(c.Node, side, len(in[i].Shape)))
			}
		}
		inner := *c
		inner.In = in
		return matMulInfer(&inner, 0, 1, c.In[0].DType)
	},
	Eval: func(c *Eval) error {
		var sides [2]*tensor.Tensor
		for i, side := range []string{"A", "B"} {
			t := c.Need(i)
			wide := tensor.Of(t.Shape, c.reals(i))
			sides[i] = mover(c.New).transposed(wide, fusedPermutation(c.Node, side, t.Rank()))
		}
		product, err := matMul(c, sides[0], sides[1])
		if err != nil {
			return err
		}
		y := tensor.Data[float64](product)
		for i := range y {
			y[i] *= float64(c.Node.Float("alpha", 1))
		}
		c.rounded(0, c.Tensor(0).Type, product.Shape, y)
		return nil
	},
}

// fusedPermutation is the order of axes in which FusedMatMul reads a side.
func fusedPermutation(n *ir.Node, side string, rank int) []int {
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	if rank < 2 {
		return perm
	}
	if n.Int("transBatch"+side, 0) != 0 { // the first axis goes behind the others of the batch
		copy(perm, perm[1:rank-1])
		perm[rank-2] = 0
	}
	if n.Int("trans"+side, 0) != 0 {
		perm[rank-2], perm[rank-1] = perm[rank-1], perm[rank-2]
	}
	return perm
}

// pick is the elements of list in the given order.
func pick[T any](list []T, order []int) []T {
	out := make([]T, len(order))
	for i, k := range order {
		out[i] = list[k]
	}
	return out
}
