package engine

import (
	"pare/ir"
	"pare/tensor"
)

// joinRows are operators that copy operands to their places in a result.
var joinRows = []row{
	{op: "Concat", since: 4, lower: lowerConcat},
	{op: "Pad", since: 11, lower: lowerPad},
	{op: "DepthToSpace", since: 11, lower: lowerDepthToSpace},
	{op: "SpaceToDepth", lower: lowerSpaceToDepth},
}

func lowerConcat(b *builder, n *ir.Node) bool {
	y := n.Out[0]
	shape := b.val(y).shape
	axis, ok := axisOf(n.Int("axis", 1), len(shape))
	if !ok || !b.real(n.In...) || !b.real(y) {
		return false
	}
	last := false
	for _, v := range n.In {
		last = last || b.isLast(v)
	}
	if axis == 1 && last && len(shape) >= 3 {
		b.concatChannels(n)
		return true
	}
	to := b.newPlain(y)
	steps := strided(shape)
	for _, v := range n.In {
		from, s := b.anyOrder(v)
		b.copyTo(n, "concat", to, steps, from, b.val(v).shape, s)
		to.off += b.val(v).shape[axis] * steps[axis]
	}
	return true
}

// concatChannels joins channels that lie last. Operands that were computed in
// place are not copied.
func (b *builder) concatChannels(n *ir.Node) {
	y := n.Out[0]
	shape := b.val(y).shape
	if p, ok := b.joined(n); ok {
		b.val(y).last = p
		return
	}
	to := place{b: b.owner[n]}
	if to.b == nil {
		to = b.newLast(y)
	}
	b.val(y).last = to
	pitch := to.pitch(shape[1])
	at := to
	for _, v := range n.In {
		s := b.val(v).shape
		if b.val(v).last != (place{at.b, at.off, pitch}) {
			from := b.last(v)
			b.copyTo(n, "concat", place{b: at.b, off: at.off}, lastSteps(s, pitch), from, lastShape(s), lastSteps(s, from.pitch(s[1])))
		}
		at.off += s[1]
	}
}

// lowerPad knows constant padding by constants.
func lowerPad(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	before, after, ok := b.padding(n)
	if !ok || !b.real(x, y) {
		return false
	}
	value := float32(0)
	if len(n.In) > 2 && n.In[2] != nil {
		if value, ok = b.scalar(n.In[2]); !ok {
			return false
		}
	}
	if value == 0 && b.padInto(n, before, after) {
		return true
	}
	b.pad(n, before, value)
	return true
}

// pad emits a constant and the operand inside it, in the operand's layout.
func (b *builder) pad(n *ir.Node, before []int, value float32) {
	x, y := n.In[0], n.Out[0]
	shape, s := b.val(y).shape, b.val(x).shape
	from, fromSteps := b.anyOrder(x)
	// Pixels of a view may have their channels side by side, too.
	if pixels := len(s) >= 3 && b.val(x).plain.b == nil && s[1] > 1 && fromSteps[1] == 1; !pixels && !b.isLast(x) {
		to := b.newPlain(y)
		b.fill(n, to, value)
		steps := strided(shape)
		b.copyTo(n, "pad", to.moved(before, steps), steps, from, s, fromSteps)
		return
	}
	to := place{b: newBuf(tensor.Len(shape))}
	b.val(y).last = to
	b.fill(n, to, value)
	steps := lastSteps(shape, shape[1])
	inside := to.moved(channelsLast(before), steps)
	b.copyTo(n, "pad", inside, steps, from, lastShape(s), channelsLast(fromSteps))
}

// moved is the place of the element at a position.
func (p place) moved(at, steps []int) place {
	for i, k := range at {
		p.off += k * steps[i]
	}
	return p
}

// padding reads constant pads that remove nothing.
func (b *builder) padding(n *ir.Node) (before, after []int, ok bool) {
	rank := len(b.val(n.In[0]).shape)
	list, ok := b.ints(n.In[1])
	if !ok || n.Str("mode", "constant") != "constant" {
		return nil, nil, false
	}
	axes := make([]int, rank)
	for i := range axes {
		axes[i] = i
	}
	if len(n.In) > 3 && n.In[3] != nil {
		if axes, ok = b.ints(n.In[3]); !ok {
			return nil, nil, false
		}
	}
	if len(list) != 2*len(axes) {
		return nil, nil, false
	}
	before, after = make([]int, rank), make([]int, rank)
	for i, a := range axes {
		if a, ok = axisOf(a, rank); !ok || list[i] < 0 || list[len(axes)+i] < 0 {
			return nil, nil, false
		}
		before[a], after[a] = list[i], list[len(axes)+i]
	}
	return before, after, true
}

// padInto leaves zeros around pixels to the convolution that alone reads them.
func (b *builder) padInto(n *ir.Node, before, after []int) bool {
	conv := b.only(n.Out[0])
	if !is(conv, "Conv") || conv.In[0] != n.Out[0] || !b.static(conv) || len(before) < 3 || before[0]+after[0]+before[1]+after[1] > 0 {
		return false
	}
	if auto := conv.Str("auto_pad", "NOTSET"); auto != "NOTSET" && auto != "" && auto != "VALID" {
		return false
	}
	if !b.convolves(conv) {
		return false
	}
	y := b.val(n.Out[0])
	y.pads = append(before[2:len(before):len(before)], after[2:]...)
	y.unpadded = n.In[0]
	return true
}

// lowerDepthToSpace is a transposition of blocks.
func lowerDepthToSpace(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	s := b.val(x).shape
	k := n.Int("blocksize", 0)
	if len(s) != 4 || k < 1 || s[1]%(k*k) != 0 || !b.real(x, y) {
		return false
	}
	p, st := b.anyOrder(x)
	c := s[1] / (k * k)
	// Axes of the result: batch, channel, row, row in block, column, column in block.
	blocks := []int{c * k, c, 1}
	if n.Str("mode", "DCR") == "CRD" {
		blocks = []int{k, 1, k * k}
	}
	from := []int{st[0], blocks[2] * st[1], st[2], blocks[0] * st[1], st[3], blocks[1] * st[1]}
	to := b.newPlain(y)
	shape := []int{s[0], c, s[2], k, s[3], k}
	b.copyTo(n, "depth to space", to, strided(shape), p, shape, from)
	return true
}

func lowerSpaceToDepth(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	s := b.val(x).shape
	k := n.Int("blocksize", 0)
	if len(s) != 4 || k < 1 || s[2]%k != 0 || s[3]%k != 0 || n.Str("mode", "DCR") != "DCR" || !b.real(x, y) {
		return false
	}
	p, st := b.anyOrder(x)
	to := b.newPlain(y)
	shape := []int{s[0], k, k, s[1], s[2] / k, s[3] / k}
	b.copyTo(n, "space to depth", to, strided(shape), p, shape, []int{st[0], st[2], st[3], st[1], k * st[2], k * st[3]})
	return true
}
