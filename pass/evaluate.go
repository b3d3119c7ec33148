package pass

import (
	"context"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// evaluate replaces nodes with constant operands by their results, computed by
// the reference evaluation of the operator.
func evaluate(w *work) (int, error) {
	f := &folder{work: w, interp: &op.Interp{Model: w.m}, results: map[*ir.Value]*tensor.Tensor{}, gone: map[*ir.Node]bool{}}
	for _, n := range w.g.Nodes {
		if err := context.Cause(w.ctx); err != nil {
			return 0, err
		}
		f.try(n)
	}
	return len(f.gone), f.commit()
}

// folder is one sweep of evaluation.
type folder struct {
	*work
	interp  *op.Interp
	results map[*ir.Value]*tensor.Tensor
	gone    map[*ir.Node]bool
}

// try evaluates n when its operands are constants. A node that cannot be
// evaluated, or whose result is too large, stays.
func (f *folder) try(n *ir.Node) {
	if !f.foldable(n) {
		return
	}
	in := make([]op.Val, len(n.In))
	for i, v := range n.In {
		switch {
		case v == nil:
		case f.constant(v):
			in[i] = v.Const
		case f.results[v] != nil:
			in[i] = f.results[v]
		default:
			return
		}
	}
	for _, v := range n.Out {
		if v != nil && f.g.IsOutput(v) {
			return
		}
	}
	bound := f.bound(n)
	f.interp.MaxBytes = bound
	if size, ok := f.size(n); ok && size > bound {
		return
	}
	out, err := f.interp.Node(f.ctx, n, in, nil)
	if err == nil {
		f.keep(n, out, bound)
	}
}

// keep notes the results of n unless they are too large or no tensors.
func (f *folder) keep(n *ir.Node, out []op.Val, bound int64) {
	var size int64
	for i, v := range n.Out {
		t, ok := out[i].(*tensor.Tensor)
		if v != nil && !ok {
			return
		}
		if v != nil {
			size += bytesOf(t)
		}
	}
	if size > bound {
		return
	}
	for i, v := range n.Out {
		if v != nil {
			f.results[v] = out[i].(*tensor.Tensor)
		}
	}
	f.gone[n] = true
}

// bound is the number of bytes that the results of n may have: as many as the
// operands that nothing else reads, and a little more.
func (f *folder) bound(n *ir.Node) int64 {
	sum := f.o.Growth
	seen := map[*ir.Value]bool{}
	for _, v := range n.In {
		if v == nil || seen[v] || !f.onlyUse(v, n) {
			continue
		}
		seen[v] = true
		t := v.Const
		if t == nil {
			t = f.results[v]
		}
		sum += bytesOf(t)
	}
	if f.o.Most > 0 {
		sum = min(sum, f.o.Most)
	}
	return sum
}

// size is what inference says of the size of n's results in bytes.
func (f *folder) size(n *ir.Node) (int64, bool) {
	var sum float64
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		shape, ok := f.types[v].Sizes()
		if !ok {
			return 0, false
		}
		size := float64(f.types[v].DType.Bits()) / 8
		for _, d := range shape {
			size *= float64(d)
		}
		sum += size
	}
	return int64(min(sum, 1<<62)), true
}

func bytesOf(t *tensor.Tensor) int64 {
	if t.Type == tensor.String {
		return int64(16 * t.Len())
	}
	return int64(t.Type.ByteLen(t.Len()))
}

// commit makes constants of the results that nodes which stay still read, and
// removes the evaluated nodes.
func (f *folder) commit() error {
	p := ir.NewPatch(f.g, "fold constants")
	for _, n := range f.g.Nodes {
		if !f.gone[n] {
			continue
		}
		for _, v := range n.Out {
			if v != nil && f.readByOthers(v) {
				f.replaceByConst(p, n, v, f.results[v])
			}
		}
	}
	for _, n := range f.g.Nodes {
		if f.gone[n] {
			p.RemoveNode(n)
		}
	}
	return f.apply(p)
}

func (f *folder) readByOthers(v *ir.Value) bool {
	for _, u := range v.Uses() {
		if !f.gone[u.Node] {
			return true
		}
	}
	return false
}
