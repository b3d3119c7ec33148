package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// gridSampleDef reads an image at the points of a grid.
// https://onnx.ai/onnx/operators/onnx__GridSample.html
var gridSampleDef = Def{
	Name: "GridSample", Versions: []int{16, 20, 22}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: inferGridSample,
	Eval:  evalGridSample,
	Raise: map[int]func(*Raising) error{20: raiseGridSample},
}

// gridModes are the names of the interpolations, old ones included.
var gridModes = map[string]string{
	"bilinear": "linear", "linear": "linear", "bicubic": "cubic", "cubic": "cubic", "nearest": "nearest",
}

// raiseGridSample gives the interpolations their new names.
func raiseGridSample(r *Raising) error {
	if mode := r.Node.Str("mode", ""); mode != "" && gridModes[mode] != mode {
		r.Patch.SetAttrs(r.Node, ir.WithAttr(r.Node.Attrs, "mode", gridModes[mode]))
	}
	return nil
}

func evalGridSample(c *Eval) error {
	x := c.needRank(0, 3)
	axes := x.Rank() - 2
	free := filled(axes, -1)
	grid := c.needShape(1, append(append([]int{x.Shape[0]}, free...), axes)...)
	s := &sampler{
		shape: x.Shape[2:], mode: gridModes[c.Node.Str("mode", "linear")],
		padding: c.Node.Str("padding_mode", "zeros"), corners: c.Node.Int("align_corners", 0) != 0,
	}
	if s.mode == "" {
		return fmt.Errorf("mode %q is unknown; use linear, nearest or cubic", c.Node.Str("mode", ""))
	}
	if s.padding != "zeros" && s.padding != "border" && s.padding != "reflection" {
		return fmt.Errorf("padding_mode %q is unknown; use zeros, border or reflection", s.padding)
	}
	channels, plane := x.Shape[1], tensor.Len(x.Shape[2:])
	points := tensor.Len(grid.Shape[1 : 1+axes])
	shape := append([]int{x.Shape[0], channels}, grid.Shape[1:1+axes]...)
	if plane == 0 && tensor.Len(shape) > 0 {
		return fmt.Errorf("the input %v has no elements to sample", x)
	}
	coords := c.reals(1)
	if s.mode == "nearest" { // moves elements of every type
		c.fits(tensor.Int64, shape)
		src := make([]int, tensor.Len(shape))
		for i := range src {
			n, ch, p := i/points/channels, i/points%channels, i%points
			s.place(coords[(n*points+p)*axes:][:axes])
			if src[i] = s.at[0]; src[i] >= 0 {
				src[i] += (n*channels + ch) * plane
			}
		}
		c.Set(0, take(c, x, shape, src))
		return nil
	}
	y, values := c.zeros(shape...), c.numbers(0)
	for n := range x.Shape[0] {
		for p := range points {
			s.place(coords[(n*points+p)*axes:][:axes])
			for ch := range channels {
				y[(n*channels+ch)*points+p] = s.read(values[(n*channels+ch)*plane:][:plane])
			}
		}
	}
	out, err := saturated(x.Type, shape, y)
	c.Set(0, out)
	return err
}

// sampler reads an array between its elements.
type sampler struct {
	shape         []int
	mode, padding string
	corners       bool // -1 and 1 are the centres, not the edges, of the outermost elements

	at     []int // the elements that a point meets; -1 reads zero
	weight []float64
}

// place turns a point, in normalised coordinates with the last axis first, into
// elements and weights.
func (s *sampler) place(point []float64) {
	s.at, s.weight = append(s.at[:0], 0), append(s.weight[:0], 1)
	for axis, n := range s.shape {
		first, weights := s.along(point[len(point)-1-axis], n)
		count := len(s.at)
		at, weight := make([]int, 0, count*len(weights)), make([]float64, 0, count*len(weights))
		for k, a := range s.at {
			for i, w := range weights {
				to := -1
				if e := s.element(first+i, n); a >= 0 && e >= 0 {
					to = a*n + e
				}
				at, weight = append(at, to), append(weight, s.weight[k]*w)
			}
		}
		s.at, s.weight = at, weight
	}
}

// along is the first element that a coordinate meets along an axis of n, and
// the weights of that and its neighbours.
func (s *sampler) along(v float64, n int) (first int, weights []float64) {
	lo, hi := s.border(n)
	if s.corners {
		v = (v + 1) / 2 * float64(n-1)
	} else {
		v = ((v+1)*float64(n) - 1) / 2
	}
	if s.mode == "nearest" {
		v = math.RoundToEven(v)
	}
	if !(v >= lo && v <= hi) {
		switch s.padding {
		case "border":
			if s.mode != "cubic" { // whose elements are clamped one by one
				v = max(min(v, float64(n-1)), 0)
			}
		case "reflection":
			v = reflect(v, lo, hi)
		}
	}
	v = min(max(v, -1<<30), 1<<30)
	if v != v {
		v = -1 << 30
	}
	floor := math.Floor(v)
	f := v - floor
	switch s.mode {
	case "nearest":
		return int(v), []float64{1}
	case "linear":
		return int(floor), []float64{1 - f, f}
	}
	k := cubicFilter(-0.75).weight
	return int(floor) - 1, []float64{k(1 + f), k(f), k(1 - f), k(2 - f)}
}

// border are the coordinates of the edges of an axis of n.
func (s *sampler) border(n int) (lo, hi float64) {
	if s.corners {
		return 0, float64(n - 1)
	}
	return -0.5, float64(n) - 0.5
}

// element is the element that stands for index i of an axis of n, -1 for zero.
func (s *sampler) element(i, n int) int {
	switch {
	case i >= 0 && i < n:
		return i
	case s.padding == "border":
		return min(max(i, 0), n-1)
	case s.padding == "reflection":
		lo, hi := s.border(n)
		return min(max(int(reflect(float64(i), lo, hi)), 0), n-1)
	}
	return -1
}

// reflect folds v back and forth between lo and hi.
func reflect(v, lo, hi float64) float64 {
	if hi <= lo || math.IsInf(v, 0) || v != v {
		return lo
	}
	v = math.Mod(math.Abs(v-lo), 2*(hi-lo))
	if v > hi-lo {
		v = 2*(hi-lo) - v
	}
	return lo + v
}

// read is the value at the point last placed.
func (s *sampler) read(x []float64) float64 {
	var sum float64
	for k, at := range s.at {
		if at >= 0 {
			sum += s.weight[k] * x[at]
		}
	}
	return sum
}

func inferGridSample(c *Shape) error {
	x, grid := c.In[0], c.In[1]
	c.Set(0, ir.UnrankedType(x.DType))
	rank := max(x.Rank(), grid.Rank())
	if rank < 3 {
		return nil
	}
	out := unknownDims(rank)
	out[0], out[1] = dimAt(x, 0), dimAt(x, 1)
	for i := 2; i < rank; i++ {
		out[i] = dimAt(grid, i-1)
	}
	c.Set(0, ir.TensorType(x.DType, out...))
	return nil
}

// affineGridDef makes the grid of an affine map.
// https://onnx.ai/onnx/operators/onnx__AffineGrid.html
var affineGridDef = Def{
	Name: "AffineGrid", Versions: []int{20}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[0].DType
		c.Set(0, ir.UnrankedType(t))
		if size, ok := c.Data(1); ok && (len(size) == 4 || len(size) == 5) {
			out := []ir.Dim{dimOf(size[0])}
			for _, d := range size[2:] {
				out = append(out, dimOf(d))
			}
			c.Set(0, ir.TensorType(t, append(out, ir.Known(len(size)-2))...))
		}
		return nil
	},
	Eval: evalAffineGrid,
}

func evalAffineGrid(c *Eval) error {
	size := c.Ints(1)
	if len(size) != 4 && len(size) != 5 {
		return fmt.Errorf("size is %v; four or five entries are needed", size)
	}
	spatial := size[2:]
	axes := len(spatial)
	c.needShape(0, size[0], axes, axes+1)
	theta := c.reals(0)
	corners := c.Node.Int("align_corners", 0) != 0
	shape := append(append([]int{size[0]}, spatial...), axes)
	y := c.zeros(shape...)
	pos, point := make([]int, axes), make([]float64, axes)
	for i := 0; i < len(y); i += axes {
		// Coordinates go from the last axis to the first.
		for k := range point {
			axis := axes - 1 - k
			point[k] = gridCoordinate(pos[axis], spatial[axis], corners)
		}
		n := i / (axes * tensor.Len(spatial))
		for k := range axes {
			row := theta[(n*axes+k)*(axes+1):][:axes+1]
			y[i+k] = dot(point, row) + row[axes]
		}
		nextPosition(pos, spatial)
	}
	c.rounded(0, c.Tensor(0).Type, shape, y)
	return nil
}

// gridCoordinate is the normalised coordinate of element i of n.
func gridCoordinate(i, n int, corners bool) float64 {
	switch {
	case !corners:
		return float64(2*i+1)/float64(n) - 1
	case n == 1:
		return 0
	}
	return 2*float64(i)/float64(n-1) - 1
}
