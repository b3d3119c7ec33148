package engine

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// splitForm is a convolution written as what its filters share: a Gather of channels,
// a depthwise convolution by the distinct slices, and a 1x1 convolution that adds
// them up. Where each channel has equally many slices the Gather may be missing. The
// three become one step where that is faster.
func splitForm(b *builder, n *ir.Node) bool {
	f, ok := b.staged(n)
	if !ok {
		return false
	}
	known := b.stagedFilters(f)
	if kernel.StagesPay(f.s, known.f.Counts()) {
		return false
	}
	b.absorb(f.nodes...)
	raw := rawFilter{t: known.dense, w: func() []float32 { return tensor.Float32s(known.dense) }, shared: known.f}
	return b.convolution(f.last, f.s, raw, b.last(f.x), place{})
}

// stagedConv is a convolution in stages, as one.
type stagedConv struct {
	x            *ir.Value
	channels     []int // that the first stage reads; nil for all in order
	nodes        []*ir.Node
	last         *ir.Node
	slices, sums *tensor.Tensor
	s            kernel.ConvShape
}

// staged matches the form that begins with n.
func (b *builder) staged(n *ir.Node) (f stagedConv, ok bool) {
	first := n
	if is(n, "Gather") {
		if f.channels, ok = b.gathersChannels(n); !ok {
			return f, false
		}
		first = b.only(n.Out[0])
		f.nodes = append(f.nodes, n)
	}
	if !is(first, "Conv") || first != n && first.In[0] != n.Out[0] || !b.convolves(first) || len(first.In) > 2 && first.In[2] != nil {
		return f, false
	}
	f.last = b.only(first.Out[0])
	if !is(f.last, "Conv") || f.last.In[0] != first.Out[0] || !b.convolves(f.last) {
		return f, false
	}
	f.nodes = append(f.nodes, first, f.last)
	f.slices, f.sums, f.x = b.cst(first.In[1]), b.cst(f.last.In[1]), n.In[0]
	return f, b.unite(&f, first)
}

// gathersChannels are the channels that a node picks, in this order.
func (b *builder) gathersChannels(n *ir.Node) ([]int, bool) {
	shape := b.val(n.In[0]).shape
	list, ok := b.ints(n.In[1])
	axis, in := axisOf(n.Int("axis", 0), len(shape))
	if !ok || !in || axis != 1 || len(shape) < 3 || len(b.val(n.Out[0]).shape) != len(shape) {
		return nil, false
	}
	for i, c := range list {
		if c < 0 {
			list[i] += shape[1]
		}
		if list[i] < 0 || list[i] >= shape[1] {
			return nil, false
		}
	}
	return list, true
}

// unite makes one shape of both stages, where the first is depthwise and the second
// takes single pixels.
func (b *builder) unite(f *stagedConv, first *ir.Node) bool {
	s, _ := b.convShape(first)
	one, _ := b.convShape(f.last)
	x := b.val(f.x)
	if s.Groups != s.C || one.Groups != 1 || one.KH*one.KW != 1 || one.StrideH*one.StrideW != 1 ||
		one.PadT|one.PadL|one.PadB|one.PadR != 0 || x.gated != nil || b.val(first.Out[0]).unpadded != nil {
		return false
	}
	if f.channels == nil && s.O == s.C {
		return false // an ordinary depthwise convolution
	}
	if x.unpadded != nil {
		if f.channels != nil {
			return false
		}
		f.x = x.unpadded
	}
	f.s = s
	f.s.C, f.s.O, f.s.Groups = b.val(f.x).shape[1], one.O, 1
	return true
}

// joinedFilters are those of a convolution in stages.
type joinedFilters struct {
	f     *kernel.SplitFilters
	dense *tensor.Tensor
}

// stagedFilters reads the filters; the dense ones are multiplied out when something needs
// them.
func (b *builder) stagedFilters(c stagedConv) *joinedFilters {
	key := weightKey{t: c.sums, with: c.slices, form: fmt.Sprint("joined ", c.channels)}
	j := formOf(b.p.weights, key, func() (*joinedFilters, error) {
		f := &kernel.SplitFilters{Kernels: tensor.Float32s(c.slices), Terms: make([][]kernel.SplitTerm, c.s.O)}
		kernels := c.slices.Shape[0]
		groups := c.s.C
		if c.channels != nil {
			groups = len(c.channels)
		}
		for k := range kernels {
			ch := k * groups / kernels
			if c.channels != nil {
				ch = c.channels[ch]
			}
			f.Channel = append(f.Channel, ch)
		}
		for i, v := range tensor.Float32s(c.sums) {
			if v != 0 {
				f.Terms[i/kernels] = append(f.Terms[i/kernels], kernel.SplitTerm{Kernel: i % kernels, Factor: v})
			}
		}
		shape := slices.Concat([]int{c.s.O, c.s.C}, c.slices.Shape[2:])
		return &joinedFilters{f, tensor.Later(tensor.Float32, shape, func() *tensor.Tensor {
			return tensor.Of(shape, f.Dense(c.s))
		})}, nil
	})
	j.done()
	if w := b.p.weights; w.owned[c.sums] && w.owned[c.slices] {
		w.owned[j.x.dense] = true
	}
	return j.x
}
