package op

import (
	"fmt"
	"math"

	"pare/ir"
)

// roiAlignDef pools regions between elements.
// https://onnx.ai/onnx/operators/onnx__RoiAlign.html
var roiAlignDef = Def{
	Name: "RoiAlign", Versions: []int{10, 16, 22}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		return inferRegions(c, c.Node.Int("output_height", 1), c.Node.Int("output_width", 1))
	},
	Eval: evalRoiAlign,
	Raise: map[int]func(*Raising) error{
		16: func(r *Raising) error {
			r.Patch.SetAttrs(r.Node, ir.WithAttr(r.Node.Attrs, "coordinate_transformation_mode", "output_half_pixel"))
			return nil
		},
	},
}

// maxSamples bounds the points at which one region is sampled.
const maxSamples = 1 << 20

func evalRoiAlign(c *Eval) error {
	x := c.needShape(0, -1, -1, -1, -1)
	count := c.needShape(1, -1, 4).Shape[0]
	c.needShape(2, count)
	n := c.Node
	r := &regionAlign{
		height: x.Shape[2], width: x.Shape[3], rows: n.Int("output_height", 1), cols: n.Int("output_width", 1),
		ratio: n.Int("sampling_ratio", 0), scale: float64(n.Float("spatial_scale", 1)), max: n.Str("mode", "avg") == "max",
	}
	def := "half_pixel"
	if c.Version < 16 {
		def = "output_half_pixel"
	}
	r.half = n.Str("coordinate_transformation_mode", def) == "half_pixel"
	if mode := n.Str("mode", "avg"); mode != "avg" && mode != "max" {
		return fmt.Errorf("mode %q is unknown; use avg or max", mode)
	}
	if r.rows < 1 || r.cols < 1 || r.rows > maxExtent || r.cols > maxExtent || r.ratio < 0 || r.ratio > maxExtent {
		return fmt.Errorf("an output of %d × %d with sampling ratio %d is not possible", r.rows, r.cols, r.ratio)
	}
	values, rois, images := c.reals(0), c.reals(1), c.Ints(2)
	shape := []int{count, x.Shape[1], r.rows, r.cols}
	y := c.zeros(shape...)
	plane, out := r.height*r.width, r.rows*r.cols
	for i, image := range images {
		if image < 0 || image >= x.Shape[0] {
			return fmt.Errorf("batch index %d is outside a batch of %d", image, x.Shape[0])
		}
		if err := c.Ctx.Err(); err != nil {
			return err
		}
		bins, err := r.bins(rois[i*4:][:4])
		if err != nil {
			return err
		}
		for ch := range x.Shape[1] {
			src := values[(image*x.Shape[1]+ch)*plane:][:plane]
			for b, samples := range bins {
				y[(i*x.Shape[1]+ch)*out+b] = r.pool(src, samples)
			}
		}
	}
	c.rounded(0, x.Type, shape, y)
	return nil
}

// regionAlign is the geometry of one application of RoiAlign.
type regionAlign struct {
	height, width, rows, cols, ratio int
	scale                            float64
	half, max                        bool
}

// sample is one point: four elements and their weights.
type sample struct {
	at     [4]int
	weight [4]float64
}

// bins are the points of every output element of a region.
func (r *regionAlign) bins(roi []float64) ([][]sample, error) {
	shift := 0.0
	if r.half {
		shift = 0.5
	}
	x0, y0 := roi[0]*r.scale-shift, roi[1]*r.scale-shift
	w, h := roi[2]*r.scale-shift-x0, roi[3]*r.scale-shift-y0
	if !r.half {
		w, h = max(w, 1), max(h, 1)
	}
	binW, binH := w/float64(r.cols), h/float64(r.rows)
	nx, ny := float64(r.ratio), float64(r.ratio)
	if r.ratio == 0 {
		nx, ny = max(0, math.Ceil(binW)), max(0, math.Ceil(binH))
	}
	if !(nx*ny*float64(r.rows)*float64(r.cols) <= maxSamples) {
		return nil, fmt.Errorf("region %v needs too many sampling points", roi)
	}
	out := make([][]sample, r.rows*r.cols)
	for b := range out {
		row, col := float64(b/r.cols), float64(b%r.cols)
		for iy := range int(ny) {
			for ix := range int(nx) {
				out[b] = append(out[b], r.sample(
					y0+row*binH+(float64(iy)+0.5)*binH/ny, x0+col*binW+(float64(ix)+0.5)*binW/nx))
			}
		}
	}
	return out, nil
}

// sample is a point of the image; beyond its edge by more than one element all
// weights are 0.
func (r *regionAlign) sample(y, x float64) (s sample) {
	if !(y >= -1 && y <= float64(r.height) && x >= -1 && x <= float64(r.width)) || r.height*r.width == 0 {
		return s
	}
	y0, y1, fy := neighbours(y, r.height)
	x0, x1, fx := neighbours(x, r.width)
	s.at = [4]int{y0*r.width + x0, y0*r.width + x1, y1*r.width + x0, y1*r.width + x1}
	s.weight = [4]float64{(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx}
	return s
}

// neighbours are the elements around a coordinate and the share of the second.
func neighbours(v float64, n int) (lo, hi int, share float64) {
	v = max(v, 0)
	if lo = int(v); lo >= n-1 {
		return n - 1, n - 1, 0
	}
	return lo, lo + 1, v - float64(lo)
}

// pool is the mean of the samples or, by the operator's definition, the largest
// weighted element.
func (r *regionAlign) pool(x []float64, samples []sample) float64 {
	best, sum := math.Inf(-1), 0.0
	for _, s := range samples {
		for k, w := range s.weight {
			v := 0.0
			if len(x) > 0 {
				v = w * x[s.at[k]]
			}
			sum += v
			best = max(best, v)
		}
	}
	switch {
	case len(samples) == 0:
		return 0
	case r.max:
		return best
	}
	return sum / float64(len(samples))
}

// inferRegions is the shape rule of pooling by regions, operand 1.
func inferRegions(c *Shape, rows, cols int) error {
	x := c.In[0]
	if x.Ranked && len(x.Shape) != 4 {
		return fmt.Errorf("the input is %v; four dimensions are needed", x)
	}
	c.Set(0, ir.TensorType(x.DType, dimAt(c.In[1], 0), dimAt(x, 1), ir.Known(max(0, rows)), ir.Known(max(0, cols))))
	return nil
}

// maxRoiPoolDef takes the largest element of each cell of a region.
// https://onnx.ai/onnx/operators/onnx__MaxRoiPool.html
var maxRoiPoolDef = Def{
	Name: "MaxRoiPool", Versions: []int{1, 22}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		size, err := slideAttr(c.Node, "pooled_shape", 2, 1, nil)
		if err != nil || size == nil {
			return err
		}
		return inferRegions(c, size[0], size[1])
	},
	Eval: evalMaxRoiPool,
}

func evalMaxRoiPool(c *Eval) error {
	x := c.needShape(0, -1, -1, -1, -1)
	count := c.needShape(1, -1, 5).Shape[0]
	size, err := slideAttr(c.Node, "pooled_shape", 2, 1, nil)
	if err != nil {
		return err
	}
	if size == nil {
		return fmt.Errorf("attribute pooled_shape is missing")
	}
	scale := float64(c.Node.Float("spatial_scale", 1))
	values, rois := c.reals(0), c.reals(1)
	height, width, channels := x.Shape[2], x.Shape[3], x.Shape[1]
	shape := []int{count, channels, size[0], size[1]}
	y := c.zeros(shape...)
	for i := range y {
		col, row := i%size[1], i/size[1]%size[0]
		ch, n := i/(size[0]*size[1])%channels, i/(size[0]*size[1]*channels)
		roi := rois[n*5:][:5]
		if !(roi[0] >= 0 && roi[0] < float64(x.Shape[0])) {
			return fmt.Errorf("batch index %v is outside a batch of %d", roi[0], x.Shape[0])
		}
		top, bottom := regionCell(row, size[0], math.Round(roi[2]*scale), math.Round(roi[4]*scale), height)
		left, right := regionCell(col, size[1], math.Round(roi[1]*scale), math.Round(roi[3]*scale), width)
		if top >= bottom || left >= right {
			continue // an empty cell is 0
		}
		src := values[(int(roi[0])*channels+ch)*height*width:][:height*width]
		y[i] = math.Inf(-1)
		for h := top; h < bottom; h++ {
			for _, v := range src[h*width+left : h*width+right] {
				y[i] = max(y[i], v)
			}
		}
	}
	c.rounded(0, x.Type, shape, y)
	return nil
}

// regionCell is the part k of n of the elements first to last, both included, of an
// axis of size elements.
func regionCell(k, n int, first, last float64, size int) (begin, end int) {
	step := max(last-first+1, 1) / float64(n)
	limit := func(v float64) int { return int(min(max(v+first, 0), float64(size))) }
	return limit(math.Floor(float64(k) * step)), limit(math.Ceil(float64(k+1) * step))
}
