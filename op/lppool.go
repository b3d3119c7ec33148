package op

import "math"

// lpPoolDef is the p-norm of each window.
// https://onnx.ai/onnx/operators/onnx__LpPool.html
var lpPoolDef = Def{
	Name: "LpPool", Versions: []int{1, 2, 11, 18, 22}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: inferPool, Raise: raiseNormOrder,
	Eval: func(c *Eval) error {
		order, err := normOrder(c.Node)
		if err != nil {
			return err
		}
		c.reals(0)
		y, p, err := windowSums(c, c.Tensor(0), func(v float64) float64 { return math.Pow(math.Abs(v), order) })
		if err != nil {
			return err
		}
		for i := range y {
			y[i] = math.Pow(y[i], 1/order)
		}
		c.rounded(0, c.Tensor(0).Type, p.shape, y)
		return nil
	},
}

// globalLpPoolDef is the p-norm of each plane.
// https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html
var globalLpPoolDef = func() Def {
	d := globalPool("GlobalLpPool", []int{1, 2, 22}, func(c *Eval) (func([]float64) float64, error) {
		p, err := normOrder(c.Node)
		return func(plane []float64) float64 { return norm(plane, p) }, err
	})
	d.Raise = raiseNormOrder
	return d
}()

// norm is the p-norm of x.
func norm(x []float64, p float64) float64 {
	var sum float64
	for _, v := range x {
		switch p {
		case 1:
			sum += math.Abs(v)
		case 2:
			sum += v * v
		default:
			sum += math.Pow(math.Abs(v), p)
		}
	}
	switch p {
	case 1:
		return sum
	case 2:
		return math.Sqrt(sum)
	}
	return math.Pow(sum, 1/p)
}
