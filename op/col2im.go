package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// col2ImDef adds up the columns of sliding blocks into an image.
// https://onnx.ai/onnx/operators/onnx__Col2Im.html
var col2ImDef = Def{
	Name: "Col2Im", Versions: []int{18}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: inferCol2Im,
	Eval:  evalCol2Im,
}

func evalCol2Im(c *Eval) error {
	x := c.needShape(0, -1, -1, -1)
	image, block := c.Ints(1), c.Ints(2)
	if len(image) != len(block) || len(image) == 0 || slices.Min(append(image, block...)) < 1 {
		return fmt.Errorf("an image of shape %v and blocks of shape %v do not fit together", image, block)
	}
	w, err := slideOf(c.Node, len(image), block)
	if err != nil {
		return err
	}
	p, err := w.over(image)
	if err != nil {
		return err
	}
	size, columns := tensor.Len(block), tensor.Len(p.out)
	if x.Shape[1]%size != 0 || x.Shape[2] != columns {
		return fmt.Errorf("the columns are %v; a multiple of %d in dimension 1 and %d in dimension 2 are needed", x, size, columns)
	}
	planes, plane := x.Shape[0]*(x.Shape[1]/size), tensor.Len(image)
	shape := append([]int{x.Shape[0], x.Shape[1] / size}, image...)
	y, values := c.zeros(shape...), c.numbers(0)
	at := make([]int, len(block))
	var spans []span
	for k := 0; ; k++ {
		spans = p.spans(at, spans[:0])
		for i := range planes {
			src, dst := values[(i*size+k)*columns:][:columns], y[i*plane:][:plane]
			for _, sp := range spans {
				for j, v := range src[sp.out:][:sp.n] {
					dst[sp.in+j*p.step()] += v
				}
			}
		}
		if !nextPosition(at, block) {
			break
		}
	}
	out, err := tensor.FromFloat64s(x.Type, shape, y)
	c.Set(0, out)
	return err
}

func inferCol2Im(c *Shape) error {
	x := c.In[0]
	c.Set(0, ir.UnrankedType(x.DType))
	image, ok := c.Data(1)
	if !ok {
		return nil
	}
	out := []ir.Dim{dimAt(x, 0), ir.Unknown}
	if block, ok := c.Ints(2); ok && dimAt(x, 1).IsKnown() && tensor.Len(block) > 0 {
		out[1] = ir.Known(x.Shape[1].N / tensor.Len(block))
	}
	for _, d := range image {
		out = append(out, dimOf(d))
	}
	c.Set(0, ir.TensorType(x.DType, out...))
	return nil
}
