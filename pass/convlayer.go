package pass

import (
	"fmt"
	"slices"

	"pare/ir"
)

func convLayer(w *work, n *ir.Node, v *ir.Value, _ int) (*layer, string) {
	t, why := w.weightOf(n, 1, 3)
	g := n.Int("group", 1)
	if t == nil || g < 1 || t.Shape[0]%g != 0 {
		return nil, why
	}
	rows, cols := t.Shape[0]/g, t.Shape[1]
	l := &layer{node: n, out: n.Out[0], inAxis: 1, outAxis: 1, inC: cols * g, outC: t.Shape[0], diagonal: cols == 1 && g > 1}
	if v == n.In[1] {
		return nil, fmt.Sprintf("%v reads it as weights", n)
	}
	if padded(n, t.Shape[2:]) {
		l.uneven = fmt.Sprintf("%v pads with zeros, so that an offset would reach its borders only in part", n)
	}
	return l.withMatrix(&matrix{
		operand: 1, bias: 2, biasFactor: 1,
		index: func(d0, d1 int) (out, in int) { return d0, d0/rows*cols + d1 },
	}), ""
}

func convTransposeLayer(w *work, n *ir.Node, v *ir.Value, _ int) (*layer, string) {
	t, why := w.weightOf(n, 1, 3)
	g := n.Int("group", 1)
	if t == nil || g < 1 || t.Shape[0]%g != 0 {
		return nil, why
	}
	if v == n.In[1] {
		return nil, fmt.Sprintf("%v reads it as weights", n)
	}
	rows, cols := t.Shape[0]/g, t.Shape[1]
	l := &layer{node: n, out: n.Out[0], inAxis: 1, outAxis: 1, inC: t.Shape[0], outC: cols * g, diagonal: rows == 1 && cols == 1 && g > 1}
	isOne := func(k int) bool { return k == 1 }
	if !all(t.Shape[2:], isOne) || !all(n.Ints("strides"), isOne) || padded(n, t.Shape[2:]) ||
		!all(n.Ints("output_padding"), func(k int) bool { return k == 0 }) || n.Has("output_shape") {
		l.uneven = fmt.Sprintf("%v spreads an offset unevenly", n)
	}
	return l.withMatrix(&matrix{
		operand: 1, bias: 2, biasFactor: 1,
		index: func(d0, d1 int) (out, in int) { return d0/rows*cols + d1, d0 },
	}), ""
}

func all(list []int, ok func(int) bool) bool {
	return !slices.ContainsFunc(list, func(k int) bool { return !ok(k) })
}

// padded reports whether a window of the given kernel reaches beyond the
// borders; what lies there counts as zero.
func padded(n *ir.Node, kernel []int) bool {
	switch n.Str("auto_pad", "NOTSET") {
	case "VALID":
		return false
	case "NOTSET", "":
		return slices.ContainsFunc(n.Ints("pads"), func(p int) bool { return p != 0 })
	}
	return !all(kernel, func(k int) bool { return k == 1 })
}
