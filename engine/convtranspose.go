package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// transposeRows are convolutions whose input steps over the output.
var transposeRows = []row{
	{op: "ConvTranspose", lower: lowerConvTranspose},
}

// spreading is a transposed convolution as an ordinary one: zeros between the
// pixels of the source, the kernel turned around.
type spreading struct {
	conv kernel.ConvShape
	step [2]int
}

func (b *builder) spreadShape(n *ir.Node) (s spreading, ok bool) {
	x, w := b.val(n.In[0]).shape, b.val(n.In[1]).shape
	auto := n.Str("auto_pad", "NOTSET")
	if len(x) < 3 || len(x) > 4 || len(w) != len(x) || n.Has("output_shape") || auto != "NOTSET" && auto != "VALID" && auto != "" {
		return s, false
	}
	win, ok := slideOf(n, x[2:], w[2:])
	group := n.Int("group", 1)
	if !ok || group < 1 || w[0] != x[1] || x[1]%group != 0 {
		return s, false
	}
	more := [2]int{}
	copy(more[4-len(x):], n.Ints("output_padding"))
	var before, after [2]int
	for i := range 2 {
		reach := (win.kernel[i] - 1) * win.dil[i]
		before[i], after[i] = reach-win.before[i], reach-win.after[i]+more[i]
		if before[i] < 0 || after[i] < 0 {
			return s, false
		}
	}
	h, wide := extents(x)
	s.step = win.stride
	s.conv = kernel.ConvShape{N: x[0], H: (h-1)*win.stride[0] + 1, W: (wide-1)*win.stride[1] + 1, C: x[1],
		KH: win.kernel[0], KW: win.kernel[1], DilH: win.dil[0], DilW: win.dil[1],
		PadT: before[0], PadL: before[1], PadB: after[0], PadR: after[1], Groups: group, O: w[1] * group}
	oh, ow := extents(b.val(n.Out[0]).shape)
	return s, s.conv.OH() == oh && s.conv.OW() == ow
}

func lowerConvTranspose(b *builder, n *ir.Node) bool {
	if !b.constantFilter(n) {
		return false
	}
	s, ok := b.spreadShape(n)
	if !ok {
		return false
	}
	if _, err := kernel.NewConv(s.conv); err != nil {
		return false
	}
	t := b.cst(n.In[1])
	return b.convolution(n, s.conv, rawFilter{t: t, form: " turned", w: func() []float32 { return turn(tensor.Float32s(t), s.conv) }}, b.spreadPixels(n, s), place{})
}

// spreadPixels emits the source with zeros between its pixels.
func (b *builder) spreadPixels(n *ir.Node, s spreading) place {
	from := b.last(n.In[0])
	if s.step == [2]int{1, 1} {
		return from
	}
	c := s.conv
	h, w := extents(b.val(n.In[0]).shape)
	to := place{b: newBuf(c.N * c.H * c.W * c.C)}
	b.fill(n, to, 0)
	pitch := from.pitch(c.C)
	b.copyTo(n, "spread", to, []int{c.H * c.W * c.C, s.step[0] * c.W * c.C, s.step[1] * c.C, 1},
		from, []int{c.N, h, w, c.C}, []int{h * w * pitch, w * pitch, pitch, 1})
	return to
}

// turn makes the weights [C][O/Groups][KH][KW] of a transposed convolution those
// of the convolution.
func turn(w []float32, s kernel.ConvShape) []float32 {
	out := make([]float32, len(w))
	taps, og, cg := s.KH*s.KW, s.O/s.Groups, s.C/s.Groups
	for c := range s.C {
		g := c / cg
		for o := range og {
			src := w[(c*og+o)*taps:][:taps]
			dst := out[((g*og+o)*cg+c%cg)*taps:][:taps]
			for i, x := range src {
				dst[taps-1-i] = x
			}
		}
	}
	return out
}

// fill emits a constant for every element of a buffer.
func (b *builder) fill(n *ir.Node, to place, value float32) {
	total := to.b.floats
	b.emit(&step{node: n, kernel: "fill", tasks: tasksFor(total), writes: []*buf{to.b},
		task: func(f *frame, task int, _ []float32) {
			i, j := span(task, total)
			d := f.at(to)[i:j]
			d[0] = value
			for n := 1; n < len(d); n *= 2 {
				copy(d[n:], d[:n])
			}
		}})
}

// constantFilter reports whether weights and bias of a convolution are real
// constants.
func (b *builder) constantFilter(n *ir.Node) bool {
	if b.cst(n.In[1]) == nil || !b.real(n.In[0], n.In[1], n.Out[0]) {
		return false
	}
	return len(n.In) < 3 || n.In[2] == nil || b.cst(n.In[2]) != nil
}

// biasOf is the constant bias of a convolution, nil for none.
func (b *builder) biasOf(n *ir.Node) *tensor.Tensor {
	if len(n.In) < 3 {
		return nil
	}
	return b.cst(n.In[2])
}
