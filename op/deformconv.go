package op

import (
	"fmt"
	"math"

	"pare/tensor"
)

// deformConvDef is deformable convolution: every kernel element reads the input
// at its own offset, between elements. https://onnx.ai/onnx/operators/onnx__DeformConv.html
var deformConvDef = Def{
	Name: "DeformConv", Versions: []int{19, 22}, In: Arity{3, 5}, Out: Arity{1, 1},
	MACs: convMACs(1), Infer: func(c *Shape) error { return inferConv(c, 0, 1, c.In[0].DType) },
	Eval: evalDeformConv,
}

func evalDeformConv(c *Eval) error {
	s, err := newConvShape(c.Node, c.Need(0).Shape, c.Need(1).Shape)
	if err != nil {
		return err
	}
	d := &deformation{convShape: s, groups: c.Node.Int("offset_group", 1), axes: len(s.in)}
	if d.groups < 1 || s.group*s.channels%d.groups != 0 {
		return fmt.Errorf("%d channels do not split into %d offset groups", s.group*s.channels, d.groups)
	}
	kernel, plane := tensor.Len(s.kernel), tensor.Len(s.out)
	c.needShape(2, append([]int{s.batch, d.groups * kernel * d.axes}, s.out...)...)
	d.offset = c.reals(2)
	if c.Has(4) {
		c.needShape(4, append([]int{s.batch, d.groups * kernel}, s.out...)...)
		d.mask = c.reals(4)
	}
	x, w, b := c.reals(0), c.reals(1), c.optReals(3, s.filters)
	y := c.zeros(s.outShape()...)
	if b != nil {
		for i := range y {
			y[i] = b[i/plane%s.filters]
		}
	}
	sampled := c.zeros(s.group*s.channels, plane)
	at := make([]int, d.axes)
	for k := 0; len(y) > 0; k++ {
		for n := range s.batch {
			if err := c.Ctx.Err(); err != nil {
				return err
			}
			d.sample(sampled, x, n, k, at)
			for m := range s.filters {
				row := y[(n*s.filters+m)*plane:][:plane]
				first := m / (s.filters / s.group) * s.channels
				for ch := range s.channels {
					v := w[(m*s.channels+ch)*kernel+k]
					for i, u := range sampled[(first+ch)*plane:][:plane] {
						row[i] += v * u
					}
				}
			}
		}
		if !nextPosition(at, s.kernel) {
			break
		}
	}
	c.rounded(0, c.Tensor(0).Type, s.outShape(), y)
	return nil
}

// deformation is a convolution with offsets and, optionally, a mask for each
// kernel element and window, shared by the channels of an offset group.
type deformation struct {
	*convShape
	groups, axes int
	offset, mask []float64
}

// sample reads all channels of image n for the kernel element k, which stands
// at position at, into dst [channels, windows].
func (d *deformation) sample(dst, x []float64, n, k int, at []int) {
	kernel, plane, inPlane := tensor.Len(d.kernel), tensor.Len(d.out), tensor.Len(d.in)
	channels := d.group * d.channels
	perGroup := channels / d.groups
	point := make([]float64, d.axes)
	for g := range d.groups {
		pos := make([]int, d.axes)
		slot := (n*d.groups+g)*kernel + k
		for o := range plane {
			for i := range point {
				shift := d.offset[(slot*d.axes+i)*plane+o]
				point[i] = float64(pos[i]*d.stride[i]-d.begin[i]+at[i]*d.dilation[i]) + shift
			}
			weight := 1.0
			if d.mask != nil {
				weight = d.mask[slot*plane+o]
			}
			for ch := g * perGroup; ch < (g+1)*perGroup; ch++ {
				dst[ch*plane+o] = weight * lerp(x[(n*channels+ch)*inPlane:][:inPlane], d.in, point)
			}
			nextPosition(pos, d.out)
		}
	}
}

// lerp interpolates x, of the given shape, linearly along each axis at a point
// in units of elements; outside the array everything is 0.
func lerp(x []float64, shape []int, point []float64) float64 {
	var sum float64
	for corner := range 1 << len(shape) {
		weight, index, inside := 1.0, 0, true
		for i, n := range shape {
			low := math.Floor(point[i])
			frac := point[i] - low
			if corner>>i&1 == 1 {
				low++
			} else {
				frac = 1 - frac
			}
			if !(low >= 0 && low < float64(n)) {
				inside = false
				break
			}
			weight *= frac
			index = index*n + int(low)
		}
		if inside {
			sum += weight * x[index]
		}
	}
	return sum
}
