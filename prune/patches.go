package prune

import (
	"pare/ir"
	"pare/tensor"
)

// taps says what a layer reads for every place of its result: all channels of a
// window, or of the place itself.
type taps struct {
	axis                     int   // of the channels of what it reads and computes
	kernel, stride, pad, gap []int // by spatial axis; nil where the place alone is read
}

// newTaps describes a reader; why says that its windows have no rule.
func newTaps(n *ir.Node, weights []int) (t taps, why string) {
	rank := n.In[0].Type.Rank()
	if n.Op == "MatMul" || n.Op == "Gemm" {
		if n.Float("alpha", 1) != 1 || n.Float("beta", 1) != 1 {
			return t, "its product or bias is scaled"
		}
		return taps{axis: rank - 1}, ""
	}
	if auto := n.Str("auto_pad", "NOTSET"); n.Op != "Conv" || n.Int("group", 1) != 1 || auto != "NOTSET" && auto != "VALID" {
		return t, "it is no plain convolution or product"
	}
	spatial := len(weights) - 2
	or := func(name string, def int) []int {
		if list := n.Ints(name); len(list) >= spatial {
			return list[:spatial]
		}
		out := make([]int, spatial)
		for i := range out {
			out[i] = def
		}
		return out
	}
	return taps{axis: 1, kernel: weights[2:], stride: or("strides", 1), pad: or("pads", 0), gap: or("dilations", 1)}, ""
}

// size is the number of taps of one channel.
func (t *taps) size() int { return tensor.Len(t.kernel) }

// row appends what the layer reads for place p of its result, whose shape is out:
// channel by channel, tap by tap, zeros beside the data.
func (t *taps) row(dst, x []float32, in, out []int, p int) []float32 {
	if t.kernel == nil {
		c, inner := in[t.axis], tensor.Len(in[t.axis+1:])
		for k := range c {
			dst = append(dst, x[p/inner*c*inner+k*inner+p%inner])
		}
		return dst
	}
	spatial, c := len(t.kernel), in[1]
	at := make([]int, spatial)
	for i := spatial - 1; i >= 0; i-- {
		at[i] = p % out[2+i]
		p /= out[2+i]
	}
	size, inner := t.size(), tensor.Len(in[2:])
	offsets := make([]int, size)
	for k := range offsets {
		offsets[k] = t.offset(at, in[2:], k)
	}
	for i := range c {
		plane := x[(p*c+i)*inner:][:inner]
		for _, o := range offsets {
			if o < 0 {
				dst = append(dst, 0)
			} else {
				dst = append(dst, plane[o])
			}
		}
	}
	return dst
}

// offset is where tap k lies in the plane, -1 beside it.
func (t *taps) offset(at, plane []int, k int) int {
	o, step := 0, 1
	for i := len(plane) - 1; i >= 0; i-- {
		x := at[i]*t.stride[i] - t.pad[i] + k%t.kernel[i]*t.gap[i]
		k /= t.kernel[i]
		if x < 0 || x >= plane[i] {
			return -1
		}
		o += x * step
		step *= plane[i]
	}
	return o
}
