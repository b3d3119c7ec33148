package op

import (
	"fmt"
)

// rotaryDef turns pairs of elements by an angle that grows with the position.
// https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html
var rotaryDef = Def{
	Name: "RotaryEmbedding", Versions: []int{23}, In: Arity{3, 4}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		x := c.heads(0, c.Node.Int("num_heads", 0))
		dim := c.Node.Int("rotary_embedding_dim", 0)
		if dim == 0 {
			dim = x.size
		}
		if dim < 0 || dim%2 != 0 || dim > x.size {
			return fmt.Errorf("%d of %d elements of a head cannot be turned in pairs", dim, x.size)
		}
		angles := c.angles(1, 2, 3, x, dim/2)
		y := c.newHeads(x.batch, x.heads, x.length, x.size, x.packed)
		rotate(y, x, dim, c.Node.Int("interleaved", 0) != 0, angles)
		c.rounded(0, c.Tensor(0).Type, y.shape(), y.data)
		return nil
	},
}

// angles reads cosines and sines, [positions, half] where there are position
// ids and [batch, length, half] where not, and returns a look-up by image and
// step.
func (c *Eval) angles(cosine, sine, ids int, x *heads, half int) func(b, t int) (cos, sin []float64) {
	cs, ss := c.reals(cosine), c.reals(sine)
	var pos []int
	if c.Has(ids) {
		c.needShape(ids, x.batch, x.length)
		n := c.needShape(cosine, -1, half).Shape[0]
		c.needShape(sine, n, half)
		pos = c.Ints(ids)
		for _, p := range pos {
			if p < 0 || p >= n {
				refuse("position %d is outside the table of %d positions", p, n)
			}
		}
	} else {
		c.needShape(cosine, x.batch, x.length, half)
		c.needShape(sine, x.batch, x.length, half)
	}
	return func(b, t int) (cos, sin []float64) {
		at := b*x.length + t
		if pos != nil {
			at = pos[at]
		}
		return cs[at*half:][:half], ss[at*half:][:half]
	}
}

// rotate turns the first dim elements of every vector of x. The elements of a
// pair are neighbours or half of dim apart.
func rotate(y, x *heads, dim int, neighbours bool, angles func(b, t int) (cos, sin []float64)) {
	half := dim / 2
	for b := range x.batch {
		for t := range x.length {
			cos, sin := angles(b, t)
			for h := range x.heads {
				from, to := x.vec(b, h, t), y.vec(b, h, t)
				copy(to, from)
				for k := range half {
					i, j := k, half+k
					if neighbours {
						i, j = 2*k, 2*k+1
					}
					to[i] = cos[k]*from[i] - sin[k]*from[j]
					to[j] = sin[k]*from[i] + cos[k]*from[j]
				}
			}
		}
	}
}
