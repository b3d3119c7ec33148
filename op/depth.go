package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// depthToSpaceDef moves blocks of channels into space.
// https://onnx.ai/onnx/operators/onnx__DepthToSpace.html
var depthToSpaceDef = Def{
	Name: "DepthToSpace", Versions: []int{1, 11, 13, 28}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		return inferBlocks(c, func(d []ir.Dim, b int) []ir.Dim {
			return []ir.Dim{d[0], over(d[1], b*b), times(d[2], b), times(d[3], b)}
		})
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		b, err := blockSize(c.Node, x)
		if err != nil {
			return err
		}
		n, ch, h, w := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
		if ch%(b*b) != 0 {
			return fmt.Errorf("%d channels cannot be cut into blocks of %d×%d", ch, b, b)
		}
		ch /= b * b
		blocks := x.Reshape(n, b, b, ch, h, w)
		perm := []int{0, 3, 4, 1, 5, 2}
		if c.Node.Str("mode", "DCR") == "CRD" {
			blocks, perm = x.Reshape(n, ch, b, b, h, w), []int{0, 1, 4, 2, 5, 3}
		}
		c.Set(0, mover(c.New).transposed(blocks, perm).Reshape(n, ch, h*b, w*b))
		return nil
	},
}

// spaceToDepthDef moves blocks of space into channels.
// https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html
var spaceToDepthDef = Def{
	Name: "SpaceToDepth", Versions: []int{1, 13, 28}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		return inferBlocks(c, func(d []ir.Dim, b int) []ir.Dim {
			return []ir.Dim{d[0], times(d[1], b*b), over(d[2], b), over(d[3], b)}
		})
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		b, err := blockSize(c.Node, x)
		if err != nil {
			return err
		}
		n, ch, h, w := x.Shape[0], x.Shape[1], x.Shape[2]/b, x.Shape[3]/b
		if h*b != x.Shape[2] || w*b != x.Shape[3] {
			return fmt.Errorf("%v cannot be cut into blocks of %d×%d", x, b, b)
		}
		perm := []int{0, 3, 5, 1, 2, 4}
		if c.Node.Str("mode", "DCR") == "CRD" {
			perm = []int{0, 1, 3, 5, 2, 4}
		}
		c.Set(0, mover(c.New).transposed(x.Reshape(n, ch, h, b, w, b), perm).Reshape(n, ch*b*b, h, w))
		return nil
	},
}

func blockSize(n *ir.Node, x *tensor.Tensor) (int, error) {
	b := n.Int("blocksize", 0)
	if b < 1 || b > 1<<15 {
		return 0, fmt.Errorf("block size %d", b)
	}
	if x.Rank() != 4 {
		return 0, fmt.Errorf("%v where a tensor of rank 4 is expected", x)
	}
	if mode := n.Str("mode", "DCR"); mode != "DCR" && mode != "CRD" {
		return 0, fmt.Errorf("mode %q is neither DCR nor CRD", mode)
	}
	return b, nil
}

func inferBlocks(c *Shape, dims func(d []ir.Dim, b int) []ir.Dim) error {
	t, b := c.In[0], c.Node.Int("blocksize", 0)
	if b < 1 || t.Ranked && len(t.Shape) != 4 {
		return fmt.Errorf("block size %d for %v", b, t)
	}
	if !t.Ranked {
		c.Set(0, t)
		return nil
	}
	c.Set(0, ir.TensorType(t.DType, dims(t.Shape, b)...))
	return nil
}

// times is d·n, as far as it is known.
func times(d ir.Dim, n int) ir.Dim {
	switch {
	case n == 1:
		return d
	case d.IsKnown() && (n == 0 || d.N*n/n == d.N):
		return ir.Known(d.N * n)
	}
	return ir.Unknown
}

// over is d/n rounded down, as far as it is known.
func over(d ir.Dim, n int) ir.Dim {
	switch {
	case n == 1:
		return d
	case d.IsKnown():
		return ir.Known(d.N / n)
	}
	return ir.Unknown
}
