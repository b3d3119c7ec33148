package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// slide is the geometry of a sliding window: one entry per spatial axis.
type slide struct {
	kernel, stride, dilation []int
	begin, end               []int // explicit padding
	auto                     string
	ceil                     bool
}

// maxExtent bounds the entries of window attributes, so that sums and products
// of a few of them fit in an int.
const maxExtent = 1 << 31

// maxKernel bounds the number of elements of a kernel, so that hostile sizes
// are refused rather than walked.
const maxKernel = 1 << 26

// slideOf reads the window attributes of a convolution or pooling node over n
// spatial axes. kernel is used where the node has no kernel_shape.
func slideOf(n *ir.Node, axes int, kernel []int) (*slide, error) {
	w := &slide{auto: n.Str("auto_pad", "NOTSET"), ceil: n.Int("ceil_mode", 0) != 0}
	var err error
	if w.kernel, err = slideAttr(n, "kernel_shape", axes, 1, kernel); err != nil {
		return nil, err
	}
	if w.kernel == nil {
		return nil, fmt.Errorf("attribute kernel_shape is missing")
	}
	if size, err := tensor.CheckedLen(w.kernel); err != nil || size > maxKernel {
		return nil, fmt.Errorf("a kernel of shape %v is too large", w.kernel)
	}
	if w.stride, err = slideAttr(n, "strides", axes, 1, filled(axes, 1)); err != nil {
		return nil, err
	}
	if w.dilation, err = slideAttr(n, "dilations", axes, 1, filled(axes, 1)); err != nil {
		return nil, err
	}
	pads, err := slideAttr(n, "pads", 2*axes, 0, filled(2*axes, 0))
	if err != nil {
		return nil, err
	}
	w.begin, w.end = pads[:axes], pads[axes:]
	switch w.auto {
	case "NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER":
	default:
		return nil, fmt.Errorf("attribute auto_pad is %q; it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER", w.auto)
	}
	return w, nil
}

// slideAttr reads an integer-list attribute of a known length and range.
func slideAttr(n *ir.Node, name string, length, least int, def []int) ([]int, error) {
	list := n.Ints(name)
	if list == nil {
		return def, nil
	}
	if len(list) != length {
		return nil, fmt.Errorf("attribute %s has %d entries; %d are needed", name, len(list), length)
	}
	for _, v := range list {
		if v < least || v > maxExtent {
			return nil, fmt.Errorf("attribute %s is %v; entries below %d or above %d are not allowed", name, list, least, maxExtent)
		}
	}
	return list, nil
}

func filled(n, v int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// extent is the distance that the kernel covers along an axis.
func (w *slide) extent(axis int) int { return (w.kernel[axis]-1)*w.dilation[axis] + 1 }

// place returns the number of windows along an axis of n elements and the
// padding before and after them.
func (w *slide) place(axis, n int) (out, begin, end int, err error) {
	k, s := w.extent(axis), w.stride[axis]
	switch w.auto {
	case "SAME_UPPER", "SAME_LOWER":
		out = (n + s - 1) / s
		total := max(0, (out-1)*s+k-n)
		begin = total / 2
		if w.auto == "SAME_LOWER" {
			begin = total - total/2
		}
		return out, begin, total - begin, nil
	case "VALID":
	default:
		begin, end = w.begin[axis], w.end[axis]
	}
	room := n + begin + end - k
	if room < 0 && w.ceil && -room < s && n > 0 {
		return 1, begin, end, nil // one window that reaches beyond the end
	}
	if room < 0 {
		return 0, 0, 0, fmt.Errorf("a window of %d does not fit into %d elements padded by %d and %d (spatial axis %d)", k, n, begin, end, axis)
	}
	out = room/s + 1
	// A window that would start in the padding at the end is left out.
	if w.ceil && room%s != 0 && out*s < n+begin {
		out++
	}
	return out, begin, end, nil
}

// outDim is the number of windows along an axis of a possibly symbolic size.
func (w *slide) outDim(axis int, d ir.Dim) (ir.Dim, error) {
	if d.IsKnown() {
		out, _, _, err := w.place(axis, d.N)
		return ir.Known(out), err
	}
	if w.stride[axis] == 1 {
		same := w.auto == "SAME_UPPER" || w.auto == "SAME_LOWER"
		if w.auto == "NOTSET" || w.auto == "" {
			same = w.begin[axis]+w.end[axis] == w.extent(axis)-1
		}
		if same || w.extent(axis) == 1 && w.auto == "VALID" {
			return d, nil
		}
	}
	return ir.Unknown, nil
}

// outDims is outDim of all spatial axes.
func (w *slide) outDims(in []ir.Dim) ([]ir.Dim, error) {
	out := make([]ir.Dim, len(in))
	for i, d := range in {
		var err error
		if out[i], err = w.outDim(i, d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// placed is a window over an array of known size. Convolution and pooling read
// in and write out; transposed convolution reads out and writes in.
type placed struct {
	in, out          []int
	kernel           []int
	stride, dilation []int
	begin, end       []int
}

// over places the window on spatial axes of the given sizes.
func (w *slide) over(in []int) (*placed, error) {
	p := &placed{in: in, kernel: w.kernel, stride: w.stride, dilation: w.dilation}
	for axis, n := range in {
		out, begin, end, err := w.place(axis, n)
		if err != nil {
			return nil, err
		}
		p.out = append(p.out, out)
		p.begin = append(p.begin, begin)
		p.end = append(p.end, end)
	}
	return p, nil
}

// merged is p with all axes laid together where windows of one element stand at
// every element, so that rows become long.
func (p *placed) merged() *placed {
	size := 1
	for i := range p.in {
		if p.kernel[i] != 1 || p.stride[i] != 1 || p.in[i] != p.out[i] || p.begin[i] != 0 {
			return p
		}
		size *= p.in[i]
	}
	return &placed{in: []int{size}, out: []int{size}, kernel: []int{1}, stride: []int{1}, dilation: []int{1}, begin: []int{0}, end: []int{0}}
}

// span is a row of n neighbouring windows of which one kernel element meets the
// elements in, in+step, ... of the input.
type span struct{ in, out, n int }

// spans appends to list the rows at which the kernel element at position at
// lies inside the input. Elements of a span are the last axis' stride apart.
func (p *placed) spans(at []int, list []span) []span {
	last := len(p.in) - 1
	lo := make([]int, len(p.in)) // first window inside, for every axis
	hi := make([]int, len(p.in)) // first window behind
	for i := range p.in {
		off := at[i]*p.dilation[i] - p.begin[i] // input index of window 0
		s := p.stride[i]
		if off < 0 {
			lo[i] = (-off + s - 1) / s
		}
		hi[i] = min(p.out[i], max(0, (p.in[i]-off+s-1)/s))
		if lo[i] >= hi[i] {
			return list
		}
	}
	pos := append([]int(nil), lo...)
	for {
		sp := span{n: hi[last] - lo[last]}
		for i := range p.in {
			sp.in = sp.in*p.in[i] + pos[i]*p.stride[i] + at[i]*p.dilation[i] - p.begin[i]
			sp.out = sp.out*p.out[i] + pos[i]
		}
		list = append(list, sp)
		axis := last - 1
		for ; axis >= 0; axis-- {
			if pos[axis]++; pos[axis] < hi[axis] {
				break
			}
			pos[axis] = lo[axis]
		}
		if axis < 0 {
			return list
		}
	}
}

// step is the distance of the input elements of a span.
func (p *placed) step() int { return p.stride[len(p.stride)-1] }

// nextPosition moves pos to the next position of shape in C order and reports
// whether there is one.
func nextPosition(pos, shape []int) bool {
	for i := len(shape) - 1; i >= 0; i-- {
		if pos[i]++; pos[i] < shape[i] {
			return true
		}
		pos[i] = 0
	}
	return false
}
