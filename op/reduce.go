package op

import (
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// reduction is what a reduction does with the elements it folds together.
type reduction struct {
	// float folds the elements of floats.
	float func(row []float64) float64
	// int folds those of integers, wrapping around; nil: through float.
	int func(row []int64) int64
}

// reduceDef is the row of a reduction. inputAxes is the version from which the
// axes are an operand instead of an attribute.
func reduceDef(name string, versions []int, inputAxes int, r reduction) Def {
	d := Def{
		Name: name, Versions: versions, In: Arity{1, 2}, Out: Arity{1, 1},
		Infer: func(c *Shape) error { return reduceInfer(c, inputAxes, r) },
		Eval: func(c *Eval) error {
			x := c.Need(0)
			axes, err := reduceAxes(c, inputAxes, x.Rank())
			if err != nil {
				return err
			}
			out, err := r.apply(x, axes, c.Node.Int("keepdims", 1) != 0)
			c.Set(0, out)
			return err
		},
		Raise: map[int]func(*Raising) error{inputAxes: func(r *Raising) error { return r.AttrToInput("axes", 1) }},
	}
	return d
}

// reduceAxes are the axes to fold. Along no axes at all, every element is a
// group of its own: ReduceSumSquare then squares.
func reduceAxes(c *Eval, inputAxes, rank int) ([]int, error) {
	axes, given := c.Node.Ints("axes"), c.Node.Has("axes")
	if c.Version >= inputAxes {
		axes, given = nil, c.Has(1)
		if given {
			axes = c.Ints(1)
		}
	}
	if !given || len(axes) == 0 {
		if c.Node.Int("noop_with_empty_axes", 0) != 0 {
			return nil, nil
		}
		return allAxes(rank), nil
	}
	return normAxes(axes, rank)
}

// allAxes is 0..rank-1.
func allAxes(rank int) []int {
	out := make([]int, rank)
	for i := range out {
		out[i] = i
	}
	return out
}

func reduceInfer(c *Shape, inputAxes int, r reduction) error {
	x := c.In[0]
	c.Set(0, ir.UnrankedType(x.DType))
	keep := c.Node.Int("keepdims", 1) != 0
	axes, known := c.Node.Ints("axes"), true
	if c.Version >= inputAxes {
		axes = nil
		if c.Has(1) {
			axes, known = c.Ints(1)
		}
	}
	if !x.Ranked {
		return nil
	}
	if !known {
		if keep {
			shape := make([]ir.Dim, len(x.Shape))
			for i := range shape {
				shape[i] = ir.Unknown
			}
			c.Set(0, ir.TensorType(x.DType, shape...))
		}
		return nil
	}
	if len(axes) == 0 {
		if c.Node.Int("noop_with_empty_axes", 0) != 0 {
			c.Set(0, x)
			return nil
		}
		axes = allAxes(len(x.Shape))
	}
	axes, err := normAxes(axes, len(x.Shape))
	if err != nil {
		return err
	}
	c.Set(0, ir.TensorType(x.DType, reduced(x.Shape, axes, keep, ir.Known(1))...))
	if list, ok := c.Ints(0); ok && x.DType.IsInt() && len(axes) == 1 && r.int != nil {
		wide := make([]int64, len(list))
		for i, v := range list {
			wide[i] = int64(v)
		}
		c.SetData(0, []ir.Dim{num(int(r.int(wide)))})
	}
	return nil
}

// apply folds x along axes.
func (r reduction) apply(x *tensor.Tensor, axes []int, keep bool) (*tensor.Tensor, error) {
	shape := reduced(x.Shape, axes, keep, 1)
	order := groupOrder(x.Shape, axes)
	n := tensor.Len(shape)
	switch {
	case x.Type.IsInt() && r.int != nil:
		wide, err := tensor.Convert(x, tensor.Int64, tensor.Options{})
		if err != nil {
			return nil, err
		}
		y := fold(tensor.Data[int64](wide), order, n, r.int)
		return tensor.Convert(tensor.Of(shape, y), x.Type, tensor.Options{})
	case x.Type.IsInt(), x.Type.IsFloat(), x.Type == tensor.Bool:
		return tensor.FromFloat64s(x.Type, shape, fold(tensor.Float64s(x), order, n, r.float))
	}
	return nil, unsupported(x.Type)
}

// groupOrder lists the elements of a tensor group by group: those that are
// folded into the first result, into the second, and so on.
func groupOrder(shape, axes []int) []int {
	st := strides(shape)
	var outer, inner, outerSt, innerSt []int
	for i, d := range shape {
		if slices.Contains(axes, i) {
			inner, innerSt = append(inner, d), append(innerSt, st[i])
		} else {
			outer, outerSt = append(outer, d), append(outerSt, st[i])
		}
	}
	offsets := indexGrid(inner, innerSt)
	order := make([]int, 0, tensor.Len(shape))
	for _, base := range indexGrid(outer, outerSt) {
		for _, o := range offsets {
			order = append(order, base+o)
		}
	}
	return order
}

// indexGrid lists the offsets of a strided grid in C order.
func indexGrid(shape, st []int) []int {
	out := []int{0}
	for i, d := range shape {
		next := make([]int, 0, len(out)*d)
		for _, base := range out {
			for k := range d {
				next = append(next, base+k*st[i])
			}
		}
		out = next
	}
	return out
}

// fold applies f to n groups of equal size.
func fold[T any](x []T, order []int, n int, f func(row []T) T) []T {
	out := make([]T, n)
	if n == 0 {
		return out
	}
	size := len(order) / n
	row := make([]T, size)
	for i := range out {
		for k, at := range order[i*size : (i+1)*size] {
			row[k] = x[at]
		}
		out[i] = f(row)
	}
	return out
}

func sumOf[T int64 | float64](row []T) (s T) {
	for _, x := range row {
		s += x
	}
	return s
}

func productOf[T int64 | float64](row []T) T {
	p := T(1)
	for _, x := range row {
		p *= x
	}
	return p
}

func absSum[T int64 | float64](row []T) (s T) {
	for _, x := range row {
		if x < 0 {
			x = -x
		}
		s += x
	}
	return s
}

func squareSum[T int64 | float64](row []T) (s T) {
	for _, x := range row {
		s += x * x
	}
	return s
}

func meanInt(row []int64) int64 {
	if len(row) == 0 {
		return 0
	}
	return sumOf(row) / int64(len(row))
}

func logSumExp(row []float64) float64 {
	m := maxOf(row)
	if math.IsInf(m, 0) || m != m {
		return m
	}
	s := 0.0
	for _, x := range row {
		s += math.Exp(x - m)
	}
	return m + math.Log(s)
}

// The reductions. Of nothing, sums are 0, products 1, the largest is the least
// value of the type and the smallest the greatest.
// https://onnx.ai/onnx/operators/
var (
	reduceL1Def        = reduceDef("ReduceL1", []int{1, 11, 13, 18}, 18, reduction{absSum[float64], absSum[int64]})
	reduceL2Def        = reduceDef("ReduceL2", []int{1, 11, 13, 18}, 18, reduction{func(row []float64) float64 { return math.Sqrt(squareSum(row)) }, nil})
	reduceLogSumDef    = reduceDef("ReduceLogSum", []int{1, 11, 13, 18, 28}, 18, reduction{func(row []float64) float64 { return math.Log(sumOf(row)) }, nil})
	reduceLogSumExpDef = reduceDef("ReduceLogSumExp", []int{1, 11, 13, 18, 28}, 18, reduction{logSumExp, nil})
	reduceMeanDef      = reduceDef("ReduceMean", []int{1, 11, 13, 18}, 18, reduction{func(row []float64) float64 { return sumOf(row) / float64(len(row)) }, meanInt})
	reduceProdDef      = reduceDef("ReduceProd", []int{1, 11, 13, 18}, 18, reduction{productOf[float64], productOf[int64]})
	reduceSumDef       = reduceDef("ReduceSum", []int{1, 11, 13}, 13, reduction{sumOf[float64], sumOf[int64]})
	reduceSumSquareDef = reduceDef("ReduceSumSquare", []int{1, 11, 13, 18}, 18, reduction{squareSum[float64], squareSum[int64]})
	reduceMaxDef       = extremeDef("ReduceMax", opMax)
	reduceMinDef       = extremeDef("ReduceMin", opMin)
)

// extremeDef is the row of ReduceMax or ReduceMin, which compares in the
// operand's own type: 64-bit integers keep all their bits.
func extremeDef(name string, k arith) Def {
	d := reduceDef(name, []int{1, 11, 12, 13, 18, 20}, 18, reduction{})
	d.Eval = func(c *Eval) error {
		x := c.Need(0)
		axes, err := reduceAxes(c, 18, x.Rank())
		if err != nil {
			return err
		}
		shape := reduced(x.Shape, axes, c.Node.Int("keepdims", 1) != 0, 1)
		order := groupOrder(x.Shape, axes)
		src := make([]int, tensor.Len(shape))
		if len(order) == 0 && len(src) > 0 {
			out, err := extremeOfNothing(x.Type, shape, k)
			c.Set(0, out)
			return err
		}
		if err := extremes(k, x, order, src); err != nil {
			return err
		}
		c.Set(0, take(c, x, shape, src))
		return nil
	}
	return d
}

// extremeOfNothing is the neutral element of the maximum or minimum.
func extremeOfNothing(t tensor.DType, shape []int, k arith) (*tensor.Tensor, error) {
	out := tensor.New(t, shape...)
	switch {
	case t.IsFloat():
		y := make([]float64, out.Len())
		for i := range y {
			y[i] = math.Inf(1 - 2*boolInt(k == opMax))
		}
		return tensor.FromFloat64s(t, shape, y)
	case t == tensor.Bool:
		for i := range out.Bytes() {
			out.Bytes()[i] = byte(boolInt(k == opMin))
		}
		return out, nil
	case t.IsInt():
		size, raw := t.Bits()/8, out.Bytes()
		for i := range raw { // the most or least significant pattern, byte by byte
			top := i%size == size-1 && !t.IsUnsigned()
			raw[i] = 0xff * byte(boolInt(k == opMin))
			if top {
				raw[i] = 0x80 - byte(boolInt(k == opMin))
			}
		}
		return out, nil
	}
	return nil, unsupported(t)
}

// extremes finds the position of the extreme element of every group; NaN wins.
func extremes(k arith, x *tensor.Tensor, order, src []int) error {
	switch x.Type {
	case tensor.Int64:
		extremesT(k, tensor.Data[int64](x), order, src)
	case tensor.Uint64:
		extremesT(k, tensor.Data[uint64](x), order, src)
	default:
		if !x.Type.IsFloat() && !x.Type.IsInt() && x.Type != tensor.Bool {
			return unsupported(x.Type)
		}
		extremesT(k, tensor.Float64s(x), order, src)
	}
	return nil
}

func extremesT[T number](k arith, x []T, order, src []int) {
	if len(src) == 0 {
		return
	}
	size := len(order) / len(src)
	for i := range src {
		group := order[i*size : (i+1)*size]
		best := group[0]
		for _, at := range group[1:] {
			a, b := x[at], x[best]
			if b == b && (a != a || k == opMax && a > b || k == opMin && a < b) {
				best = at
			}
		}
		src[i] = best
	}
}
