package quant

import (
	"fmt"
	"math"

	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/tensor"
)

// addOffset adds delta, one number per output channel, to what a layer computes:
// to its bias, be it float or integer codes, to a new one, or to that of the Add
// behind a MatMul. It says why where there is no place for it.
func addOffset(p *ir.Patch, l *compress.Layer, delta []float64) string {
	n := l.Node
	if n.Op == "MatMul" {
		return addBehind(p, n, delta)
	}
	const at = 2
	if n.Float("beta", 1) != 1 || n.Float("alpha", 1) != 1 {
		return "its bias is scaled"
	}
	if len(n.In) <= at || n.In[at] == nil {
		p.SetInput(n, at, p.Const(l.Name+"_bias", tensor.Of([]int{len(delta)}, narrowed(delta))))
		return ""
	}
	if v := n.In[at]; v.Const != nil {
		return shiftConst(p, n, at, delta)
	}
	if d := n.In[at].Producer(); d != nil && d.Op == "DequantizeLinear" && len(d.In) == 2 && len(n.In[at].Uses()) == 1 {
		return shiftCodes(p, d, delta)
	}
	return "its bias is computed"
}

func narrowed(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// addBehind adds to the constant that an Add behind n adds.
func addBehind(p *ir.Patch, n *ir.Node, delta []float64) string {
	if uses := n.Out[0].Uses(); len(uses) == 1 && uses[0].In >= 0 && uses[0].Node.Op == "Add" {
		add := uses[0].Node
		if v := add.In[1-uses[0].In]; v.Const != nil && v.Const.Rank() == 1 {
			return shiftConst(p, add, 1-uses[0].In, delta)
		}
	}
	return "it has no bias"
}

// shiftConst adds delta to a constant operand, which may be one number for all.
func shiftConst(p *ir.Patch, n *ir.Node, at int, delta []float64) string {
	v := n.In[at]
	if v.Const.Type != tensor.Float32 || v.Const.Len() != 1 && v.Const.Len() != len(delta) {
		return "its bias is not one number of 32 bits per channel"
	}
	old, sum := tensor.Float64s(v.Const), make([]float64, len(delta))
	for c := range sum {
		sum[c] = old[min(c, len(old)-1)] + delta[c]
	}
	shape := []int{len(sum)}
	if len(old) == len(sum) {
		shape = v.Const.Shape
	}
	t := tensor.Of(shape, narrowed(sum))
	if len(v.Uses()) == 1 {
		p.SetConst(v, t)
	} else {
		p.SetInput(n, at, p.Const(v.Name, t))
	}
	return ""
}

// shiftCodes adds delta to a bias in integer codes, in its units.
func shiftCodes(p *ir.Patch, d *ir.Node, delta []float64) string {
	codes, unit := d.In[0].Const, d.In[1].Const
	if codes == nil || unit == nil || codes.Type != tensor.Int32 || codes.Len() != len(delta) || len(d.In[0].Uses()) != 1 {
		return "its bias is computed"
	}
	out, units := make([]int32, len(delta)), tensor.Float64s(unit)
	for c, q := range tensor.Data[int32](codes) {
		x := math.RoundToEven(float64(q) + delta[c]/units[min(c, len(units)-1)])
		if math.Abs(x) > biasLimit {
			return "its bias would overflow"
		}
		out[c] = int32(x)
	}
	p.SetConst(d.In[0], tensor.Of(codes.Shape, out))
	return ""
}

// columnsOf finds the link of the weights of a layer to what it reads.
func columnsOf(a *group.Analysis, n *ir.Node) *group.Link {
	for _, l := range a.Links {
		if l.Node == n && l.Role == group.Column {
			return l
		}
	}
	return nil
}

// coverage says for every tap of a convolution's filter at how many positions of
// the result it meets data and not padding, as a share; nil where all do or
// sizes are open.
func coverage(n *ir.Node, taps []int) []float64 {
	in, out := n.In[0].Type, n.Out[0].Type
	if n.Op != "Conv" || !in.Ranked || !out.Ranked || len(in.Shape) != len(taps)+2 || len(out.Shape) != len(in.Shape) {
		return nil
	}
	pads, padded := padding(n, len(taps))
	if !padded || pads == nil {
		return nil
	}
	share := []float64{1}
	for k, size := range taps {
		from, to := in.Shape[2+k], out.Shape[2+k]
		if !from.IsKnown() || !to.IsKnown() || to.N == 0 {
			return nil
		}
		stride, dilation := entry(n.Ints("strides"), k), entry(n.Ints("dilations"), k)
		var next []float64
		for _, s := range share {
			for t := range size {
				hits := 0
				for y := range to.N {
					if at := y*stride + t*dilation - pads[k]; at >= 0 && at < from.N {
						hits++
					}
				}
				next = append(next, s*float64(hits)/float64(to.N))
			}
		}
		share = next
	}
	return share
}

func entry(list []int, k int) int {
	if k < len(list) {
		return list[k]
	}
	return 1
}

// padding reads the pads of a node with a window; padded is false where there
// are none for certain, pads nil where they follow from shapes.
func padding(n *ir.Node, dims int) (pads []int, padded bool) {
	if auto := n.Str("auto_pad", "NOTSET"); auto != "NOTSET" {
		return nil, auto != "VALID"
	}
	pads = n.Ints("pads")
	if len(pads) < 2*dims {
		return nil, false
	}
	for _, p := range pads {
		padded = padded || p != 0
	}
	return pads, padded
}

func share(n, of int) string { return fmt.Sprintf("%d of %d channels", n, of) }
