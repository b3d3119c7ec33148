package pass

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// passage is a node through which a change per channel passes: doing it to the
// operands is doing it to the results.
type passage struct {
	links []link
	// positive says that only scales above zero pass.
	positive bool
	// still says why an offset does not pass; "" where it does.
	still string
}

// link connects an operand with a result of a passage.
type link struct {
	operand         int
	in, out         *ir.Value
	inAxis, outAxis int
	inC, outC       int
	// of is the operand's channel behind every channel of the result, -1 where
	// that comes from elsewhere; nil when they are the same.
	of   []int
	sign float64 // of offsets
}

// channel is the operand's channel behind channel k of the result.
func (l *link) channel(k int) int {
	if l.of == nil {
		return k
	}
	return l.of[k]
}

// passages says how per-channel changes pass through operators of the standard
// set. axis is that of the channels of v, an operand or result of the node. A
// rule returns nil where they do not pass.
var passages map[string]func(w *work, n *ir.Node, v *ir.Value, axis int) *passage

// init rather than an initialiser: the rules refer to the work.
func init() {
	passages = map[string]func(w *work, n *ir.Node, v *ir.Value, axis int) *passage{
		"Add":               addPassage,
		"AveragePool":       averagePassage,
		"Concat":            concatPassage,
		"Dropout":           dropoutPassage,
		"Flatten":           reshapePassage,
		"GlobalAveragePool": spatialPassage,
		"GlobalMaxPool":     maxPassage,
		"Identity":          unchangedPassage,
		"MaxPool":           maxPassage,
		"Pad":               padPassage,
		"ReduceMean":        meanPassage,
		"Reshape":           reshapePassage,
		"Resize":            resizePassage,
		"Slice":             slicePassage,
		"Split":             splitPassage,
		"Squeeze":           reshapePassage,
		"Sub":               addPassage,
		"Sum":               addPassage,
		"Transpose":         transposePassage,
		"Unsqueeze":         reshapePassage,
		"Upsample":          resizePassage,
	}
}

// contentFree lists operators that look at the type of their operand alone.
var contentFree = map[string]bool{"Shape": true, "Size": true}

// passage describes n as a passage, nil when it is none.
func (w *work) passage(n *ir.Node, v *ir.Value, axis int) *passage {
	rule := passages[n.Op]
	if rule == nil || !w.plain(n) || len(n.In) == 0 || n.In[0] == nil || len(n.Out) == 0 || n.Out[0] == nil {
		return nil
	}
	p := rule(w, n, v, axis)
	if p == nil || !p.has(v) {
		return nil
	}
	return p
}

func (p *passage) has(v *ir.Value) bool {
	return slices.ContainsFunc(p.links, func(l link) bool { return l.in == v || l.out == v })
}

// size is the number of channels of v along axis, -1 when unknown.
func (w *work) size(v *ir.Value, axis int) int {
	t := w.types[v]
	if v.Const != nil {
		t = v.Type
	}
	if !t.Ranked || axis < 0 || axis >= len(t.Shape) || !t.Shape[axis].IsKnown() {
		return -1
	}
	return t.Shape[axis].N
}

// through is the passage from the first operand to the first result, channel by
// channel.
func (w *work) through(n *ir.Node, inAxis, outAxis int) *passage {
	c := w.size(n.In[0], inAxis)
	if c < 0 || c != w.size(n.Out[0], outAxis) {
		return nil
	}
	return &passage{links: []link{{in: n.In[0], out: n.Out[0], inAxis: inAxis, outAxis: outAxis, inC: c, outC: c, sign: 1}}}
}

func unchangedPassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	return w.through(n, axis, axis)
}

func dropoutPassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	if noDropout(w, n) < 0 || !w.onlyResult(n) {
		return nil
	}
	return w.through(n, axis, axis)
}

// spatialPassage is that of pooling, which leaves the axes 0 and 1 alone.
func spatialPassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	if axis != 1 || !w.onlyResult(n) {
		return nil
	}
	return w.through(n, 1, 1)
}

func maxPassage(w *work, n *ir.Node, v *ir.Value, axis int) *passage {
	p := spatialPassage(w, n, v, axis)
	if p != nil {
		p.positive = true
	}
	return p
}

func averagePassage(w *work, n *ir.Node, v *ir.Value, axis int) *passage {
	p := spatialPassage(w, n, v, axis)
	if p != nil && n.Int("count_include_pad", 0) != 0 {
		if padded(n, n.Ints("kernel_shape")) || n.Int("ceil_mode", 0) != 0 {
			p.still = padsZeros(n)
		}
	}
	return p
}

func meanPassage(w *work, n *ir.Node, v *ir.Value, axis int) *passage {
	axes, ok := w.listed(n, "axes", 1)
	rank := w.types[n.In[0]].Rank()
	if !ok || len(axes) == 0 || rank < 0 {
		return nil
	}
	gone := make([]bool, rank)
	for _, a := range axes {
		if a, ok = axisOf(a, rank); !ok {
			return nil
		}
		gone[a] = n.Int("keepdims", 1) == 0
		if v == n.In[0] && a == axis || n.Int("keepdims", 1) != 0 && a == axis {
			return nil
		}
	}
	inAxis, outAxis := -1, 0
	for a := range rank {
		if gone[a] {
			continue
		}
		if v == n.In[0] && a == axis || v != n.In[0] && outAxis == axis {
			inAxis = a
			break
		}
		outAxis++
	}
	if inAxis < 0 {
		return nil
	}
	return w.through(n, inAxis, outAxis)
}

func transposePassage(w *work, n *ir.Node, v *ir.Value, axis int) *passage {
	perm, ok := w.permOf(n)
	if !ok || axis >= len(perm) {
		return nil
	}
	if v == n.In[0] {
		return w.through(n, axis, slices.Index(perm, axis))
	}
	return w.through(n, perm[axis], axis)
}

// resizePassage holds since every element becomes a weighted mean; outside of a
// cropped region it becomes a constant instead.
func resizePassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	if axis != 1 || n.Str("coordinate_transformation_mode", "") == "tf_crop_and_resize" {
		return nil
	}
	return w.through(n, 1, 1)
}

func padPassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	pads, ok := w.padsOf(n)
	value, known := w.padValue(n)
	constant := n.Str("mode", "constant") == "constant"
	if !ok || constant && (!known || value != 0) || slices.ContainsFunc(pads, func(p int) bool { return p < 0 }) {
		return nil
	}
	rank := len(pads) / 2
	if axis >= rank || w.size(n.In[0], axis) < 0 {
		return nil
	}
	lo, hi, c := pads[axis], pads[rank+axis], w.size(n.In[0], axis)
	if !constant && lo+hi > 0 {
		return nil
	}
	l := link{in: n.In[0], out: n.Out[0], inAxis: axis, outAxis: axis, inC: c, outC: lo + c + hi, of: slices.Repeat([]int{-1}, lo+c+hi), sign: 1}
	for k := range c {
		l.of[lo+k] = k
	}
	p := &passage{links: []link{l}}
	for a, size := range pads {
		if constant && a%rank != axis && size > 0 {
			p.still = padsZeros(n)
		}
	}
	return p
}

func concatPassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	along, ok := axisOf(n.Int("axis", 1), w.types[n.Out[0]].Rank())
	total := w.size(n.Out[0], axis)
	if !ok || total < 0 {
		return nil
	}
	p := &passage{}
	at := 0
	for i, v := range n.In {
		l := link{operand: i, in: v, out: n.Out[0], inAxis: axis, outAxis: axis, inC: w.size(v, axis), outC: total, sign: 1}
		if l.inC < 0 {
			return nil
		}
		if along == axis {
			l.of = part(total, at, l.inC)
			at += l.inC
		} else if len(n.In) > 1 {
			p.still = fmt.Sprintf("%v puts values side by side, each of which would need the offset", n)
		}
		p.links = append(p.links, l)
	}
	return p
}

// part maps channels at, at+1, ... of total to 0, 1, ...
func part(total, at, count int) []int {
	of := slices.Repeat([]int{-1}, total)
	for k := range count {
		of[at+k] = k
	}
	return of
}

func splitPassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	along, ok := axisOf(n.Int("axis", 0), w.types[n.In[0]].Rank())
	total := w.size(n.In[0], axis)
	if !ok || total < 0 {
		return nil
	}
	p := &passage{}
	at := 0
	for _, v := range n.Out {
		if v == nil {
			return nil
		}
		l := link{in: n.In[0], out: v, inAxis: axis, outAxis: axis, inC: total, outC: w.size(v, axis), sign: 1}
		if l.outC < 0 {
			return nil
		}
		if along == axis {
			for k := range l.outC {
				l.of = append(l.of, at+k)
			}
			at += l.outC
		}
		p.links = append(p.links, l)
	}
	return p
}

func slicePassage(w *work, n *ir.Node, _ *ir.Value, axis int) *passage {
	cuts, ok := w.sliceOf(n)
	total, left := w.size(n.In[0], axis), w.size(n.Out[0], axis)
	if !ok || total < 0 || left < 0 {
		return nil
	}
	l := link{in: n.In[0], out: n.Out[0], inAxis: axis, outAxis: axis, inC: total, outC: left, sign: 1}
	for _, c := range cuts {
		if c.axis != axis {
			continue
		}
		start := c.start
		if start < 0 {
			start += total
		}
		start = min(max(start, 0), total-1)
		for k := range left {
			if i := start + k*c.step; i < 0 || i >= total {
				return nil
			}
			l.of = append(l.of, start+k*c.step)
		}
	}
	return &passage{links: []link{l}}
}

// addPassage aligns operands at their last axes. Those that are constant are
// brought to the number of channels they need.
func addPassage(w *work, n *ir.Node, v *ir.Value, axis int) *passage {
	rank := w.types[n.Out[0]].Rank()
	fromEnd := w.types[v].Rank() - 1 - axis
	outAxis := rank - 1 - fromEnd
	c := w.size(n.Out[0], outAxis)
	if rank < 0 || !w.types[v].Ranked || c < 0 {
		return nil
	}
	p := &passage{}
	for i, x := range n.In {
		l := link{operand: i, in: x, out: n.Out[0], outAxis: outAxis, inC: c, outC: c, sign: 1}
		if i > 0 && n.Op == "Sub" {
			l.sign = -1
		}
		switch {
		case x == nil:
			return nil
		case w.constant(x):
			l.inAxis = fromEnd // counted from the end: dimensions may be missing
		default:
			l.inAxis = w.types[x].Rank() - 1 - fromEnd
			if !w.types[x].Ranked || w.size(x, l.inAxis) != c {
				return nil
			}
		}
		p.links = append(p.links, l)
	}
	return p
}

// reshapePassage follows the channel axis through a change of shape: behind
// the channels lie as many elements before and after, and a channel stays whole.
func reshapePassage(w *work, n *ir.Node, v *ir.Value, axis int) *passage {
	in, out := w.types[n.In[0]], w.types[n.Out[0]]
	if !in.Ranked || !out.Ranked {
		return nil
	}
	inAxis, outAxis := axis, axis
	var ok bool
	if v == n.In[0] {
		outAxis, ok = sameTail(in.Shape, axis, out.Shape)
	} else {
		inAxis, ok = sameTail(out.Shape, axis, in.Shape)
	}
	if !ok {
		return nil
	}
	l := link{in: n.In[0], out: n.Out[0], inAxis: inAxis, outAxis: outAxis, inC: in.Shape[inAxis].N, outC: out.Shape[outAxis].N, sign: 1}
	if l.inC != l.outC {
		each := l.outC / max(l.inC, 1)
		if !wholeChannels(in.Shape[inAxis:], l.outC) {
			return nil
		}
		for k := range l.outC {
			l.of = append(l.of, k/each)
		}
	}
	return &passage{links: []link{l}}
}

// sameTail finds the last axis of other behind which, itself included, lie as
// many elements as behind axis of shape.
func sameTail(shape []ir.Dim, axis int, other []ir.Dim) (int, bool) {
	want, ok := ir.TensorType(tensor.Float32, shape[axis:]...).Sizes()
	if !ok {
		return 0, false
	}
	n := 1
	for b := len(other) - 1; b >= 0 && other[b].IsKnown(); b-- {
		if n *= other[b].N; n == tensor.Len(want) && other[b].N != 1 {
			return b, true
		}
	}
	return 0, false
}

// wholeChannels reports whether merging the first axes of a shape gives the
// given number of elements.
func wholeChannels(shape []ir.Dim, merged int) bool {
	n := 1
	for _, d := range shape {
		if n *= d.N; n == merged {
			return true
		}
	}
	return false
}

func padsZeros(n *ir.Node) string {
	return fmt.Sprintf("%v pads with zeros, which an offset would have to change", n)
}

// notAffine names what stands in the way at n.
func notAffine(n *ir.Node) string { return fmt.Sprintf("%v is not affine per channel", n) }
