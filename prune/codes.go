package prune

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"pare/format"
	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// mergeCodes merges channels of a quantised network that have the same codes, scales
// and other parameters, so that they compute the same: one stays, and what reads
// them reads it with the sum of their codes. The outputs stay the same. Channels
// whose sums have no code stay. It returns how many went.
func mergeCodes(ctx context.Context, m *ir.Model) (gone int, err error) {
	if _, err := op.Infer(m); err != nil {
		return 0, err
	}
	narrow, err := widen(m)
	if err != nil {
		return 0, err
	}
	for {
		if err := context.Cause(ctx); err != nil {
			return gone, err
		}
		// Sums of what reads merged channels may make more channels equal.
		some, err := mergeEqual(m)
		if gone += some; err != nil || some == 0 {
			if err == nil {
				err = restore(m, narrow)
			}
			return gone, err
		}
	}
}

// widen stores codes of fewer than 8 bits in 8, so that sums fit. It returns the
// types that they had.
func widen(m *ir.Model) (map[*ir.Node]tensor.DType, error) {
	old, p := map[*ir.Node]tensor.DType{}, ir.NewPatch(m.Graph, "widen codes")
	for _, n := range m.Graph.Nodes {
		if n.Op != "DequantizeLinear" || len(n.In) < 2 || n.In[0] == nil || n.In[0].Const == nil || n.In[0].Const.Type.Bits() >= 8 {
			continue
		}
		if e, ok := format.MatchWeight(m, n.Out[0]); !ok || len(n.In[0].Uses()) > 1 || e.Zero != nil && len(n.In[2].Uses()) > 1 {
			continue
		}
		old[n] = n.In[0].Const.Type
		for _, i := range []int{0, 2} {
			if i < len(n.In) && n.In[i] != nil {
				p.SetConst(n.In[i], retyped(n.In[i].Const, wide(old[n])))
			}
		}
	}
	return old, p.Apply()
}

func wide(t tensor.DType) tensor.DType {
	if t.IsUnsigned() {
		return tensor.Uint8
	}
	return tensor.Int8
}

// restore gives codes their types again, where those hold them.
func restore(m *ir.Model, old map[*ir.Node]tensor.DType) error {
	p := ir.NewPatch(m.Graph, "narrow codes")
	for _, n := range m.Graph.Nodes {
		t, changed := old[n]
		if !changed || !holds(t, n.In[0].Const) {
			continue
		}
		for _, i := range []int{0, 2} {
			if i < len(n.In) && n.In[i] != nil {
				p.SetConst(n.In[i], retyped(n.In[i].Const, t))
			}
		}
	}
	return p.Apply()
}

// holds reports whether a type has all the codes.
func holds(t tensor.DType, codes *tensor.Tensor) bool {
	least, most := int16(0), int16(1)<<t.Bits()-1
	if !t.IsUnsigned() {
		least, most = -1<<(t.Bits()-1), 1<<(t.Bits()-1)-1
	}
	return !slices.ContainsFunc(tensor.Ints8(codes), func(c int16) bool { return c < least || c > most })
}

// retyped stores codes in another type that holds them.
func retyped(codes *tensor.Tensor, t tensor.DType) *tensor.Tensor {
	raw := make([]byte, codes.Len())
	for i, c := range tensor.Ints8(codes) {
		raw[i] = byte(c)
	}
	return tensor.FromCodes(t, codes.Shape, raw)
}

// mergeEqual merges equal channels of all groups once and returns how many went.
func mergeEqual(m *ir.Model) (gone int, err error) {
	a := group.Analyse(m, group.Removing)
	all := a.Keep()
	for _, g := range a.Groups {
		if g.Pinned() {
			continue
		}
		into := equalUnits(a, g)
		if into == nil || !possible(m, a, g, into) {
			continue
		}
		for i, u := range g.Units {
			if all.Into[u] = into[i]; into[i] != u {
				gone++
			}
		}
	}
	if gone == 0 {
		return 0, nil
	}
	p := ir.NewPatch(m.Graph, "merge equal channels")
	if err := a.Apply(p, all); err != nil {
		return 0, err
	}
	if err := p.Apply(); err != nil {
		return 0, err
	}
	_, err = op.Infer(m)
	return gone, err
}

// possible reports whether the units of one group can be merged: the codes of their
// consumers may have no sums.
func possible(m *ir.Model, a *group.Analysis, g *group.Group, into []int) bool {
	c := a.Keep()
	for i, u := range g.Units {
		c.Into[u] = into[i]
	}
	return a.Apply(ir.NewPatch(m.Graph, "try to merge"), c) == nil
}

// equalUnits is, by unit of a group, the first one that is the same in all that
// computes and changes it; nil where all differ.
func equalUnits(a *group.Analysis, g *group.Group) []int {
	first, into, left := map[string]int{}, make([]int, len(g.Units)), len(g.Units)
	keys := unitKeys(a, g)
	for i, u := range g.Units {
		other, again := first[keys[i]]
		if !again || left <= fewest(len(g.Units)) {
			first[keys[i]], into[i] = u, u
			continue
		}
		into[i] = other
		left--
	}
	if left == len(g.Units) {
		return nil
	}
	return into
}

// fewest is how many of n channels stay at least.
func fewest(n int) int { return min(n, max(8, (n+9)/10)) }

// unitKeys spell out, by unit of a group, all that computes and changes it.
func unitKeys(a *group.Analysis, g *group.Group) []string {
	keys := make([][]byte, len(g.Units))
	for _, x := range a.Parts(g) {
		for i, part := range x {
			for _, v := range part {
				keys[i] = binary.LittleEndian.AppendUint64(keys[i], math.Float64bits(v+0))
			}
		}
	}
	out := make([]string, len(keys))
	for i, k := range keys {
		if out[i] = string(k); len(k) == 0 {
			out[i] += string(rune(i)) // nothing tells what it computes
		}
	}
	return out
}
