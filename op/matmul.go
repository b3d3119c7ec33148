package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// matMulDef is the product of matrices, batched over leading axes.
// https://onnx.ai/onnx/operators/onnx__MatMul.html
var matMulDef = Def{
	Name: "MatMul", Versions: []int{1, 9, 13}, In: Arity{2, 2}, Out: Arity{1, 1},
	MACs: productMACs(0),
	Infer: func(c *Shape) error {
		if a, b := c.In[0].DType, c.In[1].DType; a != b && a != tensor.Undefined && b != tensor.Undefined {
			return fmt.Errorf("operands have different element types, %v and %v", c.In[0], c.In[1])
		}
		return matMulInfer(c, 0, 1, c.In[0].DType)
	},
	Eval: func(c *Eval) error {
		out, err := matMul(c, c.Need(0), c.Need(1))
		c.Set(0, out)
		return err
	},
}

// matMulInfer sets the type of the product of operands i and j.
func matMulInfer(c *Shape, i, j int, t tensor.DType) error {
	a, b := c.In[i], c.In[j]
	if !a.Ranked || !b.Ranked {
		c.Set(0, ir.UnrankedType(t))
		return nil
	}
	as, bs := a.Shape, b.Shape
	if len(as) == 0 || len(bs) == 0 {
		return fmt.Errorf("operands %v and %v include a scalar", a, b)
	}
	if len(as) == 1 {
		as = []ir.Dim{ir.Known(1), as[0]}
	}
	if len(bs) == 1 {
		bs = []ir.Dim{bs[0], ir.Known(1)}
	}
	k, l := as[len(as)-1], bs[len(bs)-2]
	if k.IsKnown() && l.IsKnown() && k != l {
		return fmt.Errorf("inner dimensions of %v and %v differ", a, b)
	}
	shape, err := broadcastDims(as[:len(as)-2], bs[:len(bs)-2])
	if err != nil {
		return err
	}
	if len(a.Shape) > 1 {
		shape = append(shape, as[len(as)-2])
	}
	if len(b.Shape) > 1 {
		shape = append(shape, bs[len(bs)-1])
	}
	c.Set(0, ir.TensorType(t, shape...))
	return nil
}

// product describes a batched matrix product: the i-th m×k by k×n product reads
// matrices a[i] and b[i].
type product struct {
	m, k, n int
	a, b    []int
	shape   []int // of the result
}

// planMatMul reads the shapes of a matrix product.
func planMatMul(a, b []int) (product, error) {
	if len(a) == 0 || len(b) == 0 {
		return product{}, fmt.Errorf("shapes %v and %v include a scalar", a, b)
	}
	as, bs := a, b
	if len(a) == 1 {
		as = []int{1, a[0]}
	}
	if len(b) == 1 {
		bs = []int{b[0], 1}
	}
	p := product{m: as[len(as)-2], k: as[len(as)-1], n: bs[len(bs)-1]}
	if bs[len(bs)-2] != p.k {
		return p, fmt.Errorf("inner dimensions of shapes %v and %v differ", a, b)
	}
	ab, bb := as[:len(as)-2], bs[:len(bs)-2]
	batch, err := broadcast(ab, bb)
	if err != nil {
		return p, err
	}
	rows(batch, [][]int{ab, bb}, func(_, n int, index, step []int) {
		for i := range n {
			p.a = append(p.a, index[0]+i*step[0])
			p.b = append(p.b, index[1]+i*step[1])
		}
	})
	p.shape = batch
	if len(a) > 1 {
		p.shape = append(p.shape, p.m)
	}
	if len(b) > 1 {
		p.shape = append(p.shape, p.n)
	}
	return p, nil
}

// multiply computes all products of p, with sums of type S.
func multiply[T, S number](p product, out, a, b []T) {
	sum := make([]S, p.n)
	for i := range p.a {
		x, y, z := a[p.a[i]*p.m*p.k:], b[p.b[i]*p.k*p.n:], out[i*p.m*p.n:]
		for r := range p.m {
			clear(sum)
			for k, v := range x[r*p.k : (r+1)*p.k] {
				v := S(v)
				for j, w := range y[k*p.n : (k+1)*p.n] {
					sum[j] += v * S(w)
				}
			}
			for j, s := range sum {
				z[r*p.n+j] = T(s)
			}
		}
	}
}

// matMul multiplies two tensors of one numeric type. Floats are summed in
// float64 and rounded once.
func matMul(c *Eval, a, b *tensor.Tensor) (*tensor.Tensor, error) {
	if a.Type != b.Type {
		return nil, fmt.Errorf("operands have different element types, %v and %v", a, b)
	}
	p, err := planMatMul(a.Shape, b.Shape)
	if err != nil {
		return nil, err
	}
	out := c.New(a.Type, p.shape...)
	switch a.Type {
	case tensor.Float32:
		multiply[float32, float64](p, tensor.Data[float32](out), tensor.Data[float32](a), tensor.Data[float32](b))
	case tensor.Float64:
		multiply[float64, float64](p, tensor.Data[float64](out), tensor.Data[float64](a), tensor.Data[float64](b))
	case tensor.Int32:
		multiply[int32, int32](p, tensor.Data[int32](out), tensor.Data[int32](a), tensor.Data[int32](b))
	case tensor.Int64:
		multiply[int64, int64](p, tensor.Data[int64](out), tensor.Data[int64](a), tensor.Data[int64](b))
	case tensor.Uint32:
		multiply[uint32, uint32](p, tensor.Data[uint32](out), tensor.Data[uint32](a), tensor.Data[uint32](b))
	case tensor.Uint64:
		multiply[uint64, uint64](p, tensor.Data[uint64](out), tensor.Data[uint64](a), tensor.Data[uint64](b))
	case tensor.Float16, tensor.BFloat16:
		wide := make([]float32, out.Len())
		multiply[float32, float64](p, wide, tensor.Float32s(a), tensor.Float32s(b))
		return tensor.FromFloat32s(a.Type, p.shape, wide)
	default:
		return nil, unsupported(a.Type)
	}
	return out, nil
}

// matMulIntegerDef multiplies 8-bit integers around their zero points into
// 32-bit sums. https://onnx.ai/onnx/operators/onnx__MatMulInteger.html
var matMulIntegerDef = Def{
	Name: "MatMulInteger", Versions: []int{10}, In: Arity{2, 4}, Out: Arity{1, 1}, MACs: productMACs(0),
	Infer: func(c *Shape) error { return matMulInfer(c, 0, 1, tensor.Int32) },
	Eval: func(c *Eval) error {
		a, err := centered(c.Need(0), c.Tensor(2), -2)
		if err != nil {
			return err
		}
		b, err := centered(c.Need(1), c.Tensor(3), -1)
		if err != nil {
			return err
		}
		out, err := matMul(c, a, b)
		c.Set(0, out)
		return err
	},
}

// centered returns x minus its zero point as Int32. A zero point of rank 1 lies
// along axis of x (counted from the back); one of the rank of x is broadcast.
func centered(x, zero *tensor.Tensor, axis int) (*tensor.Tensor, error) {
	if !x.Type.IsInt() || x.Type.Bits() > 8 {
		return nil, unsupported(x.Type)
	}
	codes := tensor.Ints8(x)
	out := tensor.New(tensor.Int32, x.Shape...)
	y := tensor.Data[int32](out)
	for i, v := range codes {
		y[i] = int32(v)
	}
	if zero == nil {
		return out, nil
	}
	if zero.Type != x.Type {
		return nil, fmt.Errorf("zero point %v does not fit %v", zero, x)
	}
	shape := zero.Shape
	if zero.Len() == 1 {
		shape = nil
	} else if len(shape) == 1 && x.Rank() >= 2 {
		shape = slices.Repeat([]int{1}, x.Rank())
		shape[x.Rank()+axis] = zero.Len()
	}
	full, err := broadcast(x.Shape, shape)
	if err != nil || !slices.Equal(full, x.Shape) {
		return nil, fmt.Errorf("zero point %v does not fit %v", zero, x)
	}
	z := tensor.Ints8(zero)
	rows(x.Shape, [][]int{shape}, func(at, n int, index, step []int) {
		for i := range n {
			y[at+i] -= int32(z[index[0]+i*step[0]])
		}
	})
	return out, nil
}
