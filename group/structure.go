package group

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// followers has one row per operator that holds numbers of channels other than
// in the shape of linked constants: what makes them follow.
var followers = map[string]func(e *edit, n *ir.Node) error{
	"Conv":            followConv,
	"ConstantOfShape": followFilled,
	"Expand":          followFilled,
	"Gather":          followGather,
	"Pad":             followPad,
	"Reshape":         followReshape,
	"Resize":          followResize,
	"Slice":           followSlice,
	"Split":           followSplit,
}

// setInts changes a list of integers that a node has as an operand or, in older
// operator sets, as an attribute.
func (e *edit) setInts(n *ir.Node, operand int, attr string, list []int) {
	if attr != "" && n.Has(attr) {
		e.p.SetAttrs(n, ir.WithAttr(n.Attrs, attr, ir.IntsAttr(attr, list...).Value))
		return
	}
	t := tensor.New(tensor.Int64, len(list))
	for i, x := range list {
		tensor.Data[int64](t)[i] = int64(x)
	}
	if operand < len(n.In) && n.In[operand] != nil {
		if old := constOf(n.In[operand]); old != nil && old.Type == tensor.Int32 {
			t = narrowed(list)
		}
	}
	e.setConst(n, operand, t)
}

func narrowed(list []int) *tensor.Tensor {
	t := tensor.New(tensor.Int32, len(list))
	for i, x := range list {
		tensor.Data[int32](t)[i] = int32(x)
	}
	return t
}

// followConv: a depthwise convolution has as many groups as operand channels.
func followConv(e *edit, n *ir.Node) error {
	if w := weights(n, 3); w != nil && n.Int("group", 1) > 1 && w[1] == 1 {
		e.p.SetAttrs(n, ir.WithAttr(n.Attrs, "group", int64(len(e.kept(e.a.values[n.In[0]].ids)))))
	}
	return nil
}

// followReshape changes the sizes of the axes of channels in the target.
func followReshape(e *edit, n *ir.Node) error {
	out, ok := e.a.values[n.Out[0]]
	sizes, full := e.sizes(n.Out[0])
	if !ok || !full {
		return errors.New("its shape cannot follow its channels")
	}
	to := map[int]int{}
	for i, d := range n.Out[0].Type.Shape {
		if x, ok := entry(n, 1, i); ok && x == 0 && d.IsKnown() {
			to[i] = d.N // a copied size may have been one of channels
		}
	}
	for i, size := range sizes {
		at := out.axes[i]
		switch x, ok := entry(n, 1, at); {
		case !ok:
			return errors.New("its shape is computed")
		case x < 0:
		case i == 0 && out.tiled:
			to[at] = max(x, n.Out[0].Type.Shape[at].N) / out.sizes[i] * size
		default:
			to[at] = size
		}
	}
	e.setEntries(n, 1, to)
	return nil
}

// followFilled changes the size of channels in the shape of a filled value.
func followFilled(e *edit, n *ir.Node) error {
	l := e.a.values[n.Out[0]]
	e.setEntries(n, len(n.In)-1, map[int]int{l.axis(): len(e.kept(l.ids))})
	return nil
}

// followSplit states the size of every part.
func followSplit(e *edit, n *ir.Node) error {
	in := e.a.values[n.In[0]]
	if !in.plain() || axisOf(n, 0, n.In[0]) != in.axis() {
		return nil // of several axes, parts of one index each
	}
	var sizes []int
	for _, v := range n.Out {
		sizes = append(sizes, len(e.kept(e.a.values[v].ids)))
	}
	if n.Has("num_outputs") {
		e.p.SetAttrs(n, ir.WithoutAttr(n.Attrs, "num_outputs"))
	}
	if e.a.opset < 13 {
		e.p.SetAttrs(n, ir.WithAttr(n.Attrs, "split", ir.IntsAttr("split", sizes...).Value))
		return nil
	}
	e.setInts(n, 1, "", sizes)
	return nil
}

// renumbered says where the positions at of a list of units, where they stay,
// are among what is left of all.
func (e *edit) renumbered(units, at []int) []int {
	places := map[int][]int{}
	for i, k := range e.kept(units) {
		places[k] = append(places[k], i)
	}
	var out []int
	for _, k := range e.kept(picked(units, at)) {
		out = append(out, places[at[k]][0])
		places[at[k]] = append(places[at[k]][1:], places[at[k]][0])
	}
	return out
}

func followGather(e *edit, n *ir.Node) error {
	in := e.a.values[n.In[0]]
	if axisOf(n, 0, n.In[0]) != in.axis() || !in.plain() {
		return nil
	}
	list, ok := ints(n, 1, "")
	if !ok {
		return errors.New("its indices are computed")
	}
	for i, k := range list {
		if k < 0 {
			list[i] += len(in.ids)
		}
	}
	e.setInts(n, 1, "", e.renumbered(in.ids, list))
	return nil
}

// followPad adds fewer channels of zeros.
func followPad(e *edit, n *ir.Node) error {
	in, out := e.a.values[n.In[0]], e.a.values[n.Out[0]]
	pads, ok := ints(n, 1, "pads")
	if !ok {
		return errors.New("its pads are computed")
	}
	rank := len(pads) / 2
	lo := pads[in.axis()]
	pads[in.axis()] = len(e.kept(out.ids[:lo]))
	pads[rank+in.axis()] = len(e.kept(out.ids[lo+len(in.ids):]))
	e.setInts(n, 1, "pads", pads)
	return nil
}

// followResize changes the size of channels where sizes are given.
func followResize(e *edit, n *ir.Node) error {
	if len(n.In) < 4 || n.In[3] == nil {
		return nil
	}
	l := e.a.values[n.Out[0]]
	sizes, ok := ints(n, 3, "")
	at := l.axis()
	if axes := n.Ints("axes"); axes != nil {
		at = slices.IndexFunc(axes, func(x int) bool { return x == l.axis() || x == l.axis()-n.In[0].Type.Rank() })
	}
	if !ok || at >= len(sizes) {
		return errors.New("its sizes are computed")
	}
	if at >= 0 {
		sizes[at] = len(e.kept(l.ids))
		e.setInts(n, 3, "", sizes)
	}
	return nil
}

// followSlice moves the bounds along the axis of channels; where what is left does
// not lie at equal distances, a selection behind the slice takes over.
func followSlice(e *edit, n *ir.Node) error {
	in, rank := e.a.values[n.In[0]], n.In[0].Type.Rank()
	starts, _ := ints(n, 1, "starts")
	ends, _ := ints(n, 2, "ends")
	axes, _ := ints(n, 3, "axes")
	steps, _ := ints(n, 4, "steps")
	if axes == nil {
		axes = count(len(starts))
	}
	i := slices.IndexFunc(axes, func(x int) bool { return x == in.axis() || x == in.axis()-rank })
	if i < 0 {
		return nil
	}
	step := 1
	if steps != nil {
		step = steps[i]
	}
	at := e.renumbered(in.ids, sliced(count(len(in.ids)), starts[i], ends[i], step))
	starts[i], ends[i], step = bounds(at)
	if step == 0 {
		starts[i], ends[i], step = 0, math.MaxInt32, 1
		e.selectBehind(n, in.axis(), at)
	}
	e.setInts(n, 1, "starts", starts)
	e.setInts(n, 2, "ends", ends)
	if steps != nil {
		steps[i] = step
		e.setInts(n, 4, "steps", steps)
	} else if step != 1 {
		return fmt.Errorf("its channels lie %d apart", step)
	}
	return nil
}

// bounds describes ascending positions as a slice; its step is 0 where they do
// not lie at equal distances.
func bounds(at []int) (start, end, step int) {
	step = 1
	if len(at) > 1 {
		step = at[1] - at[0]
	}
	for i := 1; i < len(at); i++ {
		if at[i]-at[i-1] != step {
			return 0, 0, 0
		}
	}
	return at[0], at[len(at)-1] + 1, step
}
