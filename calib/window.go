package calib

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// window says what the weights of a convolution meet at each place of its results.
type window struct {
	kernel, stride, dilation, begin, end []int
	auto                                 string
}

func newWindow(n *ir.Node, kernel []int) (window, error) {
	w := window{kernel: kernel, auto: n.Str("auto_pad", "NOTSET")}
	pads := ints(n, "pads", 2*len(kernel), 0)
	w.stride, w.dilation = ints(n, "strides", len(kernel), 1), ints(n, "dilations", len(kernel), 1)
	if len(pads) != 2*len(kernel) || len(w.stride) != len(kernel) || len(w.dilation) != len(kernel) {
		return w, fmt.Errorf("attributes do not go with a kernel of %v", kernel)
	}
	w.begin, w.end = pads[:len(kernel)], pads[len(kernel):]
	return w, nil
}

// ints is an attribute, or n times the default.
func ints(node *ir.Node, name string, n, def int) []int {
	if list := node.Ints(name); list != nil {
		return list
	}
	out := make([]int, n)
	for i := range out {
		out[i] = def
	}
	return out
}

// line is the number of results along an axis of n elements, and the padding before it.
func (w *window) line(axis, n int) (out, begin int) {
	reach, s := (w.kernel[axis]-1)*w.dilation[axis]+1, w.stride[axis]
	switch w.auto {
	case "SAME_UPPER", "SAME_LOWER":
		out = (n + s - 1) / s
		total := max(0, (out-1)*s+reach-n)
		if begin = total / 2; w.auto == "SAME_LOWER" {
			begin = total - total/2
		}
		return out, begin
	case "VALID":
		return (n-reach)/s + 1, 0
	}
	return (n+w.begin[axis]+w.end[axis]-reach)/s + 1, w.begin[axis]
}

// places is how many results there are for data of the given sizes, along each axis.
func (w *window) places(sizes []int) (out []int) {
	for a, n := range sizes {
		k, _ := w.line(a, n)
		out = append(out, max(0, k))
	}
	return out
}

// taps fills in, for one place, which element of a channel each tap of the kernel
// meets; -1 for padding.
func (w *window) taps(place int, places, sizes []int, at []int) {
	at[0] = 0
	known := 1
	outer := tensor.Len(places)
	for a, n := range sizes {
		outer /= places[a]
		p := place / outer % places[a]
		_, begin := w.line(a, n)
		first := p*w.stride[a] - begin
		for i := known - 1; i >= 0; i-- { // later axes vary faster
			for t := w.kernel[a] - 1; t >= 0; t-- {
				x := first + t*w.dilation[a]
				if at[i] < 0 || x < 0 || x >= n {
					at[i*w.kernel[a]+t] = -1
				} else {
					at[i*w.kernel[a]+t] = at[i]*n + x
				}
			}
		}
		known *= w.kernel[a]
	}
}
