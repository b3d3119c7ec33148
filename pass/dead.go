package pass

import (
	"slices"

	"pare/ir"
)

// dead removes nodes whose results nothing reads, and unused constants.
func dead(w *work) (int, error) {
	p := ir.NewPatch(w.g, "remove what nothing reads")
	gone := map[*ir.Node]bool{}
	for _, n := range slices.Backward(w.g.Nodes) {
		if len(n.Out) > 0 && !slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return v != nil && w.live(v, gone) }) {
			gone[n] = true
			p.RemoveNode(n)
		}
	}
	count := len(gone)
	for _, v := range w.g.Consts {
		if w.live(v, gone) || !w.constant(v) {
			continue
		}
		p.RemoveConst(v)
		if slices.Contains(w.g.Inputs, v) {
			p.RemoveInput(v)
		}
		count++
	}
	return count, w.apply(p)
}

// live reports whether v is read once the nodes in gone are removed.
func (w *work) live(v *ir.Value, gone map[*ir.Node]bool) bool {
	return w.g.IsOutput(v) || slices.ContainsFunc(v.Uses(), func(u ir.Use) bool { return !gone[u.Node] })
}
