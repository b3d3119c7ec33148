package prune

import (
	"math"

	"pare/group"
	"pare/tensor"
)

// note adds up how far merging moves the weights of every layer from what they were,
// squared: identical ones not at all.
func (w *work) note(a *group.Analysis, c *group.Change) {
	for _, l := range a.Links {
		x := w.of[l.Node]
		if x == nil || l.Role == group.Column || l.Operand != x.Operand {
			continue
		}
		at, copies := map[[2]int][]int{}, map[int]int{} // positions by unit that stays and number of the copy
		var keys [][2]int
		for k, u := range l.Units {
			key := [2]int{c.Into[u], copies[u]}
			copies[u]++
			if at[key] = append(at[key], k); len(at[key]) == 2 {
				keys = append(keys, key)
			}
		}
		for _, key := range keys {
			x.moved += spreadOf(l, at[key], c.Average)
		}
	}
}

// spreadOf is the sum of squared distances of the elements at some positions from
// their mean, or from those at the first.
func spreadOf(l *group.Link, at []int, mean bool) (sum float64) {
	t := l.Value().Const
	x, size, inner := tensor.Float32s(t), t.Shape[l.Axis], tensor.Len(t.Shape[l.Axis+1:])
	for o := 0; o < len(x); o += size * inner {
		for k := range inner {
			to := float64(x[o+at[0]*inner+k])
			if mean {
				to = 0
				for _, p := range at {
					to += float64(x[o+p*inner+k]) / float64(len(at))
				}
			}
			for _, p := range at {
				d := float64(x[o+p*inner+k]) - to
				sum += d * d
			}
		}
	}
	return sum
}

// errors are those of the weights, relative: by hashing, and by merging on top.
func (l *layer) errors() (hashed, merged float64) {
	if l.hash != nil {
		hashed = l.hash.Error
	}
	if l.size == 0 {
		return hashed, hashed
	}
	return hashed, math.Sqrt(hashed*hashed + l.moved/l.size)
}
