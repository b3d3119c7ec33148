package op

import (
	"fmt"
	"math"

	"pare/tensor"
)

// triluDef keeps the upper or lower triangle of matrices.
// https://onnx.ai/onnx/operators/onnx__Trilu.html
var triluDef = Def{
	Name: "Trilu", Versions: []int{14}, In: Arity{1, 2}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if x.Rank() < 2 {
			return fmt.Errorf("operand %v is no matrix", x)
		}
		k := 0
		if c.Has(1) {
			list := c.Ints(1)
			if len(list) != 1 {
				return fmt.Errorf("k must be one number, not %d", len(list))
			}
			k = list[0]
		}
		upper := c.Node.Int("upper", 1) != 0
		rowCount, cols := x.Shape[x.Rank()-2], x.Shape[x.Rank()-1]
		src := make([]int, x.Len())
		for i := range src {
			row, col := i/cols%rowCount, i%cols
			src[i] = i
			if upper && col-row < k || !upper && col-row > k {
				src[i] = -1
			}
		}
		c.Set(0, take(c, x, x.Shape, src))
		return nil
	},
}

// detDef is the determinant of matrices.
// https://onnx.ai/onnx/operators/onnx__Det.html
var detDef = Def{
	Name: "Det", Versions: []int{11, 22}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[0]
		if t.Ranked {
			if len(t.Shape) < 2 {
				return fmt.Errorf("operand %v is no matrix", t)
			}
			t.Shape = t.Shape[:len(t.Shape)-2]
		}
		c.Set(0, t)
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if !x.Type.IsFloat() {
			return unsupported(x.Type)
		}
		if x.Rank() < 2 || x.Shape[x.Rank()-1] != x.Shape[x.Rank()-2] {
			return fmt.Errorf("operand %v holds no square matrices", x)
		}
		n := x.Shape[x.Rank()-1]
		shape := x.Shape[:x.Rank()-2]
		y := make([]float64, tensor.Len(shape))
		data := tensor.Float64s(x)
		for i := range y {
			y[i] = determinant(append([]float64(nil), data[i*n*n:(i+1)*n*n]...), n)
		}
		out, err := tensor.FromFloat64s(x.Type, shape, y)
		c.Set(0, out)
		return err
	},
}

// determinant eliminates with row pivots, in place.
func determinant(a []float64, n int) float64 {
	det := 1.0
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[p*n+k]) {
				p = i
			}
		}
		if a[p*n+k] == 0 {
			return 0
		}
		if p != k {
			det = -det
			for j := range n {
				a[k*n+j], a[p*n+j] = a[p*n+j], a[k*n+j]
			}
		}
		det *= a[k*n+k]
		for i := k + 1; i < n; i++ {
			f := a[i*n+k] / a[k*n+k]
			for j := k; j < n; j++ {
				a[i*n+j] -= f * a[k*n+j]
			}
		}
	}
	return det
}
