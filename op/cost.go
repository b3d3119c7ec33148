package op

import "pare/ir"

// MACs is the number of multiply-accumulates of one application of n, from the
// types that inference left on its values; ok is false for operators that are
// not counted (everything but convolutions and matrix products) and where a
// size is unknown. Batch, where it is symbolic, counts as one sample.
func MACs(n *ir.Node) (macs int64, ok bool) {
	d := Find(n.Domain, n.Op)
	if d == nil || d.MACs == nil || len(n.Out) == 0 || n.Out[0] == nil {
		return 0, false
	}
	out, ok := perSample(n.Out[0].Type)
	if !ok {
		return 0, false
	}
	in := make([][]int, len(n.In))
	for i, v := range n.In {
		if v != nil {
			in[i], _ = perSample(v.Type)
		}
	}
	return d.MACs(n, in, out)
}

// perSample is a shape in which a symbolic first dimension is one sample.
func perSample(t ir.Type) ([]int, bool) {
	if t.Kind != ir.KindTensor || !t.Ranked {
		return nil, false
	}
	out := make([]int, len(t.Shape))
	for i, d := range t.Shape {
		switch {
		case d.IsKnown():
			out[i] = d.N
		case i == 0:
			out[i] = 1
		default:
			return nil, false
		}
	}
	return out, true
}

// volume is the number of elements of a shape.
func volume(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// convMACs counts a convolution whose filter is operand w, of shape
// [out, in/groups, taps...].
func convMACs(w int) func(*ir.Node, [][]int, []int) (int64, bool) {
	return func(_ *ir.Node, in [][]int, out []int) (int64, bool) {
		if len(in) <= w || len(in[w]) < 3 {
			return 0, false
		}
		return volume(out) * volume(in[w][1:]), true
	}
}

// convTransposeMACs counts from the input: every element meets the filter once.
func convTransposeMACs(_ *ir.Node, in [][]int, _ []int) (int64, bool) {
	if len(in) < 2 || len(in[0]) < 3 || len(in[1]) < 3 {
		return 0, false
	}
	return volume(in[0]) * volume(in[1][1:]), true
}

// productMACs counts a matrix product: the size of the result times the length
// of the sums, which is the last dimension of operand a.
func productMACs(a int) func(*ir.Node, [][]int, []int) (int64, bool) {
	return func(n *ir.Node, in [][]int, out []int) (int64, bool) {
		if len(in) <= a || len(in[a]) == 0 {
			return 0, false
		}
		k := in[a][len(in[a])-1]
		if n.Op == "Gemm" && n.Int("transA", 0) != 0 {
			k = in[a][0]
		}
		return volume(out) * int64(k), true
	}
}
