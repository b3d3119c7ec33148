package op

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// Quantising and dequantising as in the standard domain, for types that its
// older versions did not have.
var (
	msQuantizeLinearDef   = inMicrosoft(quantizeLinearDef)
	msDequantizeLinearDef = inMicrosoft(dequantizeLinearDef)
)

// inMicrosoft is a standard row under ONNX Runtime's domain.
func inMicrosoft(d Def) Def {
	d.Domain, d.Versions, d.Raise = microsoft, []int{1}, nil
	return d
}

// matMulIntegerToFloatDef is an integer product, scaled, plus a bias.
var matMulIntegerToFloatDef = Def{
	Name: "MatMulIntegerToFloat", Domain: microsoft, Versions: []int{1}, In: Arity{4, 7}, Out: Arity{1, 1},
	MACs:  productMACs(0),
	Infer: func(c *Shape) error { return matMulInfer(c, 0, 1, c.In[2].DType) },
	Eval: func(c *Eval) error {
		a, err := centered(c.Need(0), c.Tensor(4), -2)
		if err != nil {
			return err
		}
		b, err := centered(c.Need(1), c.Tensor(5), -1)
		if err != nil {
			return err
		}
		c.reals(2)
		return c.scaledProduct(a, b, 1, c.Tensor(2), 3, 6, c.Tensor(2).Type)
	},
}

// dynamicQuantizeMatMulDef quantises A by its range before the product.
var dynamicQuantizeMatMulDef = Def{
	Name: "DynamicQuantizeMatMul", Domain: microsoft, Versions: []int{1}, In: Arity{3, 5}, Out: Arity{1, 1},
	MACs:  productMACs(0),
	Infer: func(c *Shape) error { return matMulInfer(c, 0, 1, c.In[0].DType) },
	Eval: func(c *Eval) error {
		q := *c
		q.In, q.Out = c.In[:1], make([]Val, 3)
		if err := dynamicQuantizeLinearDef.Eval(&q); err != nil {
			return err
		}
		a, err := centered(q.Out[0].(*tensor.Tensor), q.Out[2].(*tensor.Tensor), -2)
		if err != nil {
			return err
		}
		b, err := centered(c.Need(1), c.Tensor(3), -1)
		if err != nil {
			return err
		}
		return c.scaledProduct(a, b, 1, q.Out[1].(*tensor.Tensor), 2, 4, c.Tensor(0).Type)
	},
}

// scaledProduct stores alpha · a·b · sa · sb plus a bias. The scale of a has one
// element or one for each row, that of b one or one for each column.
func (c *Eval) scaledProduct(a, b *tensor.Tensor, alpha float64, sa *tensor.Tensor, sb, bias int, kind tensor.DType) error {
	y, shape, err := c.productSums(a, b, alpha, sa, sb)
	if err != nil {
		return err
	}
	if c.Has(bias) {
		eachBroadcast(c, shape, bias, func(i int, v float64) { y[i] += v })
	}
	c.rounded(0, kind, shape, y)
	return nil
}

func (c *Eval) productSums(a, b *tensor.Tensor, alpha float64, sa *tensor.Tensor, sb int) ([]float64, []int, error) {
	sum, err := matMul(c, a, b)
	if err != nil {
		return nil, nil, err
	}
	y := slices.Clone(tensor.Float64s(sum))
	rowScales := tensor.Float64s(sa)
	cols := 1
	if b.Rank() > 1 {
		cols = b.Shape[b.Rank()-1]
	}
	if len(rowScales) != 1 && len(rowScales)*cols != len(y) {
		return nil, nil, fmt.Errorf("the scale of A is %v, the product %v", sa, sum)
	}
	colScales := c.scales(sb, cols)
	for i := range y {
		s := rowScales[0]
		if len(rowScales) > 1 {
			s = rowScales[i/cols]
		}
		y[i] *= alpha * s * colScales[i%cols]
	}
	return y, sum.Shape, nil
}

// qGemmDef is Gemm of quantised matrices; the result is quantised where it has
// a scale.
var qGemmDef = Def{
	Name: "QGemm", Domain: microsoft, Versions: []int{1}, In: Arity{6, 9}, Out: Arity{1, 1},
	MACs: productMACs(0),
	Infer: func(c *Shape) error {
		m, n := ir.Unknown, ir.Unknown
		if c.In[0].Rank() == 2 {
			m, _ = swapIf(c.Node.Int("transA", 0) != 0, c.In[0].Shape[0], c.In[0].Shape[1])
		}
		if c.In[3].Rank() == 2 {
			_, n = swapIf(c.Node.Int("transB", 0) != 0, c.In[3].Shape[0], c.In[3].Shape[1])
		}
		kind := tensor.Float32
		if c.Has(8) {
			kind = c.In[8].DType
		}
		c.Set(0, ir.TensorType(kind, m, n))
		return nil
	},
	Eval: evalQGemm,
}

func evalQGemm(c *Eval) error {
	c.needShape(0, -1, -1)
	c.needShape(3, -1, -1)
	c.needLen(1, 1)
	c.reals(1)
	n := c.Node
	a, err := centered(c.Tensor(0), c.Tensor(2), -2)
	if err != nil {
		return err
	}
	axis := -1
	if n.Int("transB", 0) != 0 {
		axis = -2 // the columns of the product are rows of B
	}
	b, err := centered(c.Tensor(3), c.Tensor(5), axis)
	if err != nil {
		return err
	}
	if n.Int("transA", 0) != 0 {
		a = transposed(c, a)
	}
	if n.Int("transB", 0) != 0 {
		b = transposed(c, b)
	}
	alpha := float64(n.Float("alpha", 1))
	y, shape, err := c.productSums(a, b, alpha, c.Tensor(1), 4)
	if err != nil {
		return err
	}
	if c.Has(6) { // integers in units of the product's scale
		units := c.scales(4, shape[1])
		bias := c.numbers(6)
		own := c.Tensor(6).Shape
		if full, err := broadcast(shape, own); err != nil || !slices.Equal(full, shape) {
			return fmt.Errorf("operand C is %v, which cannot be broadcast to %v", c.Tensor(6), shape)
		}
		rows(shape, [][]int{own}, func(at, n int, index, step []int) {
			for i := range n {
				y[at+i] += bias[index[0]+i*step[0]] * alpha * c.scale(1) * units[(at+i)%shape[1]]
			}
		})
	}
	if !c.Has(7) {
		c.rounded(0, tensor.Float32, shape, y)
		return nil
	}
	c.quantise(y, shape, 7, 8)
	return nil
}

// matMulNBitsDef is a product with weights packed in blocks of few bits.
var matMulNBitsDef = Def{
	Name: "MatMulNBits", Domain: microsoft, Versions: []int{1}, In: Arity{3, 6}, Out: Arity{1, 1},
	MACs: productMACs(0),
	Infer: func(c *Shape) error {
		t := c.In[0]
		if t.Ranked && len(t.Shape) > 0 {
			t.Shape = append(slices.Clone(t.Shape[:len(t.Shape)-1]), ir.Known(max(0, c.Node.Int("N", 0))))
		}
		c.Set(0, t)
		return nil
	},
	Eval: evalMatMulNBits,
}

func evalMatMulNBits(c *Eval) error {
	x := c.needRank(0, 1)
	n := c.Node
	k, cols, bits, block := n.Int("K", 0), n.Int("N", 0), n.Int("bits", 4), n.Int("block_size", 0)
	if k < 1 || cols < 1 || block < 16 || k > maxExtent || cols > maxExtent || block > maxExtent {
		return fmt.Errorf("weights of %d × %d in blocks of %d are not possible", k, cols, block)
	}
	if bits != 2 && bits != 4 && bits != 8 || n.Int("weight_prepacked", 0) != 0 {
		return fmt.Errorf("weights of %d bits, prepacked %d, are not known; use 2, 4 or 8 bits, not prepacked", bits, n.Int("weight_prepacked", 0))
	}
	if x.Shape[x.Rank()-1] != k {
		return fmt.Errorf("the input is %v; its last dimension must be %d", x, k)
	}
	w, err := unpackNBits(c, k, cols, bits, block)
	if err != nil {
		return err
	}
	shape := append(slices.Clone(x.Shape[:x.Rank()-1]), cols)
	values, y := c.reals(0), c.zeros(shape...)
	bias := c.optReals(5, cols)
	for i := range y {
		y[i] = dot(values[i/cols*k:][:k], w[i%cols*k:][:k])
		if bias != nil {
			y[i] += bias[i%cols]
		}
	}
	c.rounded(0, x.Type, shape, y)
	return nil
}

// unpackNBits is the weight matrix [N, K] of a MatMulNBits.
func unpackNBits(c *Eval, k, cols, bits, block int) ([]float64, error) {
	blocks := (k + block - 1) / block
	c.needLen(1, cols*blocks*block*bits/8)
	if c.Tensor(1).Type != tensor.Uint8 {
		return nil, unsupported(c.Tensor(1).Type)
	}
	c.needLen(2, cols*blocks)
	scales := c.reals(2)
	zero := func(int, int) float64 { return math.Exp2(float64(bits - 1)) }
	if c.Has(3) {
		z := c.Tensor(3)
		if z.Type == tensor.Uint8 {
			rowBytes := (blocks*bits + 7) / 8
			c.needLen(3, cols*rowBytes)
			zero = func(col, b int) float64 { return bitField(z.Bytes()[col*rowBytes:], b, bits) }
		} else {
			c.needLen(3, cols*blocks)
			list := c.reals(3)
			zero = func(col, b int) float64 { return list[col*blocks+b] }
		}
	}
	var group []int
	if c.Has(4) {
		group = c.Ints(4)
		if len(group) < k {
			return nil, fmt.Errorf("g_idx has %d entries; %d are needed", len(group), k)
		}
	}
	w := c.zeros(cols, k)
	packed := c.Tensor(1).Bytes()
	for col := range cols {
		for i := range k {
			b := i / block
			code := bitField(packed[(col*blocks+b)*block*bits/8:], i%block, bits)
			if group != nil {
				if b = group[i]; b < 0 || b >= blocks {
					return nil, fmt.Errorf("g_idx names block %d of %d", b, blocks)
				}
			}
			w[col*k+i] = (code - zero(col, b)) * scales[col*blocks+b]
		}
	}
	return w, nil
}

// bitField is field i of a run of fields of the given width, the lowest bits
// first.
func bitField(data []byte, i, bits int) float64 {
	return float64(data[i*bits/8] >> (i * bits % 8) & (1<<bits - 1))
}
