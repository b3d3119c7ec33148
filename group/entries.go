package group

import (
	"pare/ir"
	"pare/tensor"
)

// piece is a constant that holds the elements from at on of a list of integers,
// which is the constant itself or a Concat of short lists.
type piece struct {
	node    *ir.Node
	operand int
	at      int
	list    []int
}

// pieces are the constants of which operand i of n consists, the computed parts
// left out. A Concat must be for n alone.
func pieces(n *ir.Node, i int) []piece {
	if i >= len(n.In) || n.In[i] == nil {
		return nil
	}
	if list, ok := ints(n, i, ""); ok {
		return []piece{{n, i, 0, list}}
	}
	p := n.In[i].Producer()
	if p == nil || p.Op != "Concat" || len(n.In[i].Uses()) != 1 {
		return nil
	}
	var out []piece
	at := 0
	for k, v := range p.In {
		if list, ok := ints(p, k, ""); ok {
			out = append(out, piece{p, k, at, list})
		}
		size, ok := v.Type.Sizes()
		if !ok {
			break
		}
		at += tensor.Len(size)
	}
	return out
}

// entry is element k of operand i of n; ok is false where it is computed.
func entry(n *ir.Node, i, k int) (x int, ok bool) {
	for _, p := range pieces(n, i) {
		if j := k - p.at; j >= 0 && j < len(p.list) {
			return p.list[j], true
		}
	}
	return 0, false
}

// setEntries changes elements of operand i of n; they must not be computed.
func (e *edit) setEntries(n *ir.Node, i int, to map[int]int) {
	for _, p := range pieces(n, i) {
		changed := false
		for k, x := range to {
			if j := k - p.at; j >= 0 && j < len(p.list) && p.list[j] != x {
				p.list[j], changed = x, true
			}
		}
		if changed {
			e.setInts(p.node, p.operand, "", p.list)
		}
	}
}
