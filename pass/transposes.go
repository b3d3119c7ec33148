package pass

import (
	"slices"

	"pare/ir"
)

// mergeTransposes makes Transpose(Transpose(x)) one Transpose of x. The inner
// one stays where others read it; what is known of its result holds for x, too.
func mergeTransposes(w *work) (int, error) {
	count := 0
	for _, n := range slices.Clone(w.g.Nodes) {
		if !w.standard(n, "Transpose") || len(n.In) != 1 || n.In[0] == nil {
			continue
		}
		inner := n.In[0].Producer()
		if !w.standard(inner, "Transpose") {
			continue
		}
		a, ok1 := w.permOf(inner)
		b, ok2 := w.permOf(n)
		if !ok1 || !ok2 || len(a) != len(b) {
			continue
		}
		perm := make([]int, len(a))
		for i, k := range b {
			perm[i] = a[k]
		}
		p := ir.NewPatch(w.g, "merge "+inner.String()+" and "+n.String())
		if s := inner.Out[0].Stats; s != nil && inner.In[0].Stats == nil && s.Axis >= 0 && s.Axis < len(a) {
			moved := *s
			moved.Axis = a[s.Axis]
			p.SetStats(inner.In[0], &moved)
		}
		p.SetInput(n, 0, inner.In[0])
		p.SetAttrs(n, []ir.Attr{ir.IntsAttr("perm", perm...)})
		if err := w.apply(p); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// permOf is the permutation of a Transpose, by default the reverse one; ok is
// false when it is no permutation or the rank is not known.
func (w *work) permOf(n *ir.Node) ([]int, bool) {
	perm := n.Ints("perm")
	if perm == nil {
		for i := w.types[n.In[0]].Rank() - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
		return perm, w.types[n.In[0]].Ranked
	}
	sorted := slices.Sorted(slices.Values(perm))
	for i, k := range sorted {
		if i != k {
			return nil, false
		}
	}
	return perm, true
}
