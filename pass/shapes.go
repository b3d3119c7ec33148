package pass

import (
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// knownShapes replaces integer values whose elements inference knows although
// they are computed: shapes, and what is calculated from known dimensions of
// them while others (the batch) stay open.
func knownShapes(w *work) (int, error) {
	p := ir.NewPatch(w.g, "make a constant of known dimensions")
	count := 0
	for _, n := range w.g.Nodes {
		if !w.foldable(n) {
			continue
		}
		replaced := 0
		for _, v := range n.Out {
			if v == nil || !w.used(v) || w.g.IsOutput(v) {
				continue
			}
			if t := w.knownValue(v); t != nil {
				w.replaceByConst(p, n, v, t)
				replaced++
			}
		}
		if replaced > 0 && len(n.Out) == 1 {
			p.RemoveNode(n)
		}
		count += replaced
	}
	return count, w.apply(p)
}

// knownValue is the contents of v as far as they are known before running, nil
// where they are not.
func (w *work) knownValue(v *ir.Value) *tensor.Tensor {
	typ := w.types[v]
	shape, ok := typ.Sizes()
	list, known := w.inf.Ints(v)
	if !ok || !known || len(list) != tensor.Len(shape) {
		return nil
	}
	wide := make([]int64, len(list))
	for i, x := range list {
		wide[i] = int64(x)
	}
	switch typ.DType {
	case tensor.Int64, tensor.Int32, tensor.Bool:
		t, err := tensor.Convert(tensor.Of(shape, wide), typ.DType, tensor.Options{})
		if err == nil {
			return t
		}
	}
	return nil
}

// compressed lists operators that expand or write a compressed form: they stay
// although their operands are constant.
var compressed = map[string]bool{"DequantizeLinear": true, "QuantizeLinear": true, "DynamicQuantizeLinear": true}

// foldable reports whether n is an operator whose results are a function of
// operands and attributes alone and whose place a constant may take.
func (w *work) foldable(n *ir.Node) bool {
	d := op.Find(n.Domain, n.Op)
	return d != nil && d.Eval != nil && !d.Random && !compressed[n.Op] && n.Op != "Constant" &&
		w.m.Function(n) == nil && len(n.Subgraphs()) == 0 && len(n.Out) > 0
}
