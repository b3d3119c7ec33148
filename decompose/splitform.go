package decompose

import (
	"slices"

	"pare/compress"
	"pare/format"
	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// count is the number of distinct kernels by input channel.
func (w *kernels) count(threads int) []int {
	const some = 16
	out := make([]int, w.ins)
	par.Each((w.ins+some-1)/some, threads, func(p int) {
		r := newReader(w)
		for i := p * some; i < min((p+1)*some, w.ins); i++ {
			out[i] = len(r.read(i).first)
		}
	})
	return out
}

// write replaces a convolution by its split form, which standard operators give:
//
//	repeated = Gather(x, channel of each distinct kernel)   left out where all channels have the same number
//	products = Conv(repeated, distinct kernels), depthwise  with the strides, pads and dilations of the convolution
//	y        = Conv(products, factors), 1x1                 0 where the output lacks a kernel; with the bias
//
// The node of the convolution becomes the last one, so that what reads it, and its
// name, stay. Kernels are in the order of input channels.
func (w *kernels) write(m *ir.Model, l *compress.Layer, counts []int, f *Separation) error {
	t, n := l.Weight.Const, l.Node
	distinct, factors, channels := w.parts(counts, f.Distinct)
	f.Error = w.error(distinct, factors, channels)
	f.Params = len(distinct) + len(factors)
	p := ir.NewPatch(m.Graph, "split "+n.String())
	x, groups := n.In[0], w.ins
	if !even(counts) {
		index := p.Const(l.Name+"_channels", tensor.Of([]int{len(channels)}, channels))
		x = p.Node(l.Name+"_repeated", "Gather", []*ir.Value{x, index}, ir.Attr{Name: "axis", Value: int64(1)})
		groups = len(channels)
	}
	kernel, err := tensor.FromFloat32s(t.Type, append([]int{len(channels), 1}, t.Shape[2:]...), distinct)
	if err != nil {
		return err
	}
	ones := make([]int, t.Rank()-2)
	for i := range ones {
		ones[i] = 1
	}
	factor, err := tensor.FromFloat32s(t.Type, append([]int{w.outs, len(channels)}, ones...), factors)
	if err != nil {
		return err
	}
	z := p.Node(l.Name+"_products", "Conv", []*ir.Value{x, p.Const(l.Name+"_kernels", kernel)}, ir.WithAttr(n.Attrs, "group", int64(groups))...)
	f.Parts = []string{z.Name, l.Name}
	old := l.Weight
	p.SetInput(n, 0, z)
	p.SetInput(n, 1, p.Const(l.Name+"_factors", factor))
	p.SetAttrs(n, []ir.Attr{ir.IntsAttr("kernel_shape", ones...)})
	removeUnused(p, m.Graph, old)
	f.Bytes = int64(len(kernel.Bytes()) + len(factor.Bytes()))
	if !even(counts) {
		f.Bytes += int64(8 * len(channels))
	}
	return p.Apply()
}

func even(counts []int) bool {
	return !slices.ContainsFunc(counts, func(n int) bool { return n != counts[0] })
}

// parts are the distinct kernels one after the other, by output channel what each
// is multiplied by, and the channel that each reads.
func (w *kernels) parts(counts []int, total int) (distinct, factors []float32, channels []int64) {
	factors = make([]float32, w.outs*total)
	r := newReader(w)
	for i, n := range counts {
		if n == 0 {
			continue
		}
		c := r.read(i)
		for o, k := range c.of {
			if k >= 0 {
				factors[o*total+len(channels)+k] = c.factor[o]
			}
		}
		for _, o := range c.first {
			distinct = append(distinct, w.at(i, o)...)
			channels = append(channels, int64(i))
		}
	}
	return distinct, factors, channels
}

// error is that of the weights put together again, relative to the weights.
func (w *kernels) error(distinct, factors []float32, channels []int64) float64 {
	var e format.Error
	total, at := len(channels), 0
	sum := make([]float32, w.taps)
	for i := range w.ins {
		to := at
		for to < total && channels[to] == int64(i) {
			to++
		}
		for o := range w.outs {
			clear(sum)
			for k := at; k < to; k++ {
				if f := factors[o*total+k]; f != 0 {
					for t := range sum {
						sum[t] = f * distinct[k*w.taps+t]
					}
				}
			}
			e.Add(format.Difference(w.at(i, o), sum))
		}
		at = to
	}
	return e.Relative()
}

// removeUnused deletes a constant that the patch takes one reader from, unless it
// has others.
func removeUnused(p *ir.Patch, g *ir.Graph, v *ir.Value) {
	if len(v.Uses()) > 1 || g.IsOutput(v) {
		return
	}
	p.RemoveConst(v)
	if slices.Contains(g.Inputs, v) {
		p.RemoveInput(v)
	}
}
