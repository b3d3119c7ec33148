package op

import (
	"cmp"
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// nonMaxSuppressionDef selects boxes by score, leaving out those that overlap a
// selected one. https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html
var nonMaxSuppressionDef = Def{
	Name: "NonMaxSuppression", Versions: []int{10, 11}, In: Arity{2, 5}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		c.Set(0, ir.TensorType(tensor.Int64, ir.Unknown, ir.Known(3)))
		return nil
	},
	Eval: evalNonMaxSuppression,
}

func evalNonMaxSuppression(c *Eval) error {
	boxes := c.needShape(0, -1, -1, 4)
	batch, count := boxes.Shape[0], boxes.Shape[1]
	classes := c.needShape(1, batch, -1, count).Shape[1]
	corners, scores := c.reals(0), c.reals(1)
	if mode := c.Node.Int("center_point_box", 0); mode != 0 && mode != 1 {
		return fmt.Errorf("center_point_box is %d; it must be 0 or 1", mode)
	}
	limit, overlap := 0, 0.0
	if c.optTensor(2) != nil {
		c.needLen(2, 1)
		limit = c.Ints(2)[0]
	}
	if c.optTensor(3) != nil {
		overlap = c.scale(3)
	}
	rects := make([]rect, batch*count)
	for i := range rects {
		rects[i] = newRect(corners[i*4:][:4], c.Node.Int("center_point_box", 0) == 1)
	}
	var out []int64
	for group := range batch * classes {
		n := group / classes
		row, own := scores[group*count:][:count], rects[n*count:][:count]
		order := make([]int, 0, count)
		for i, s := range row {
			if c.optTensor(4) == nil || s > c.scale(4) {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
		var chosen []int
		for _, i := range order {
			if len(chosen) >= limit {
				break
			}
			if err := c.Ctx.Err(); err != nil {
				return err
			}
			if !slices.ContainsFunc(chosen, func(j int) bool { return own[i].overlap(own[j]) > overlap }) {
				chosen = append(chosen, i)
				out = append(out, int64(n), int64(group%classes), int64(i))
			}
		}
	}
	c.Set(0, tensor.Of([]int{len(out) / 3, 3}, out))
	return nil
}

// rect is a box by its smallest and largest coordinates.
type rect struct{ x0, y0, x1, y1 float64 }

// newRect reads two opposite corners (y, x, y, x) or a centre and a size (x, y,
// width, height).
func newRect(v []float64, centred bool) rect {
	if centred {
		return rect{v[0] - v[2]/2, v[1] - v[3]/2, v[0] + v[2]/2, v[1] + v[3]/2}
	}
	return rect{min(v[1], v[3]), min(v[0], v[2]), max(v[1], v[3]), max(v[0], v[2])}
}

func (r rect) area() float64 { return (r.x1 - r.x0) * (r.y1 - r.y0) }

// overlap is the area that r and s share relative to the area that they cover.
func (r rect) overlap(s rect) float64 {
	w, h := min(r.x1, s.x1)-max(r.x0, s.x0), min(r.y1, s.y1)-max(r.y0, s.y0)
	if w <= 0 || h <= 0 || r.area() <= 0 || s.area() <= 0 {
		return 0
	}
	return w * h / (r.area() + s.area() - w*h)
}
