package pass

import (
	"fmt"

	"pare/ir"
)

// gemmLayer takes the constant one of the two matrices as weights.
func gemmLayer(w *work, n *ir.Node, v *ir.Value, _ int) (*layer, string) {
	k := 1
	if len(n.In) > 1 && !w.constant(n.In[1]) && w.constant(n.In[0]) {
		k = 0
	}
	t, why := w.weightOf(n, k, 2)
	if t == nil || t.Rank() != 2 {
		return nil, why
	}
	if v == n.In[k] || len(n.In) > 2 && v == n.In[2] {
		return nil, fmt.Sprintf("%v does not read it as data", n)
	}
	// Rows of the weights as stored are outputs where they stand second and are
	// transposed, or first and are not.
	trans := [2]bool{n.Int("transA", 0) != 0, n.Int("transB", 0) != 0}
	rowsOut := (k == 1) == trans[k]
	l := &layer{node: n, operand: 1 - k, out: n.Out[0], inAxis: k, outAxis: k, inC: t.Shape[0], outC: t.Shape[1]}
	if trans[1-k] {
		l.inAxis = 1 - k
	}
	m := &matrix{operand: k, bias: 2, fromEnd: 1 - k, factor: float64(n.Float("alpha", 1)), biasFactor: float64(n.Float("beta", 1))}
	m.index = func(d0, d1 int) (out, in int) { return d1, d0 }
	if rowsOut {
		l.inC, l.outC = l.outC, l.inC
		m.index = func(d0, d1 int) (out, in int) { return d0, d1 }
	}
	return l.withMatrix(m), ""
}

// matMulLayer takes the constant one of the two matrices as weights.
func matMulLayer(w *work, n *ir.Node, v *ir.Value, _ int) (*layer, string) {
	if len(n.In) != 2 {
		return nil, ""
	}
	k := 1
	if !w.constant(n.In[1]) && w.constant(n.In[0]) {
		k = 0
	}
	t, why := w.weightOf(n, k, 2)
	if t == nil {
		return nil, why
	}
	rank := w.types[n.In[1-k]].Rank()
	if t.Rank() != 2 || rank < 2 || v == n.In[k] {
		return nil, fmt.Sprintf("%v is no product of data with a matrix", n)
	}
	l := &layer{node: n, operand: 1 - k, out: n.Out[0], inAxis: rank - 2 + k, outAxis: rank - 2 + k, inC: t.Shape[0], outC: t.Shape[1]}
	m := &matrix{operand: k, bias: -1, index: func(d0, d1 int) (out, in int) { return d1, d0 }}
	if k == 0 {
		l.inC, l.outC = l.outC, l.inC
		m.index = func(d0, d1 int) (out, in int) { return d0, d1 }
	}
	return l.withMatrix(m), ""
}
