package group

import (
	"fmt"

	"pare/ir"
)

// depthToSpace makes one channel of several, the elements of a block of positions;
// they stand and fall together.
func depthToSpace(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	b := n.Int("blocksize", 0)
	size := b * b
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	if !l.plain() || l.axis() != 1 || size == 0 || len(l.ids)%size != 0 {
		w.stop(n, fmt.Sprintf("%v moves its channels where they cannot be followed", n))
		return
	}
	out := len(l.ids) / size
	first := make([]int, out)
	for c := range out {
		first[c] = blockAt(n, c, 0, out, size)
		for k := range size {
			at := blockAt(n, c, k, out, size)
			w.u.join(l.ids[first[c]:first[c]+1], l.ids[at:at+1])
		}
	}
	w.put(n.Out[0], l.pick(1, first))
}

// blockAt is the channel that holds element k of the blocks of result c.
func blockAt(n *ir.Node, c, k, channels, size int) int {
	if n.Str("mode", "DCR") == "CRD" {
		return c*size + k
	}
	return k*channels + c
}

// spaceToDepth makes a channel of every element of a block.
func spaceToDepth(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	if !l.plain() || l.axis() != 1 {
		w.stop(n, fmt.Sprintf("%v moves its channels where they cannot be followed", n))
		return
	}
	out := labels{axes: []int{1}}
	for k := range n.Int("blocksize", 1) * n.Int("blocksize", 1) {
		out = out.joined(l, k)
	}
	w.put(n.Out[0], out)
}
