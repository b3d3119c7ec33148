package prune

import "container/heap"

// prominence is by how much of its height a mode rises above the higher of its
// minima: 0 for a ripple, 1 for a mode that stands alone.
func (m mode) prominence() float64 { return 1 - max(m.floor[0], m.floor[1])/m.height }

// prominent joins modes across their higher minimum, the least prominent first,
// until all have a prominence of tau or more. A mode that is joined is less
// prominent than the one it joins and hence lower: the top stays.
func prominent(modes []mode, tau float64) []mode {
	r := newHills(modes)
	for r.Len() > 0 && r.prominence(r.heap[0]) < tau {
		k := r.heap[0]
		if side := r.higher(k); side < 0 {
			r.join(k, r.left[k])
		} else {
			r.join(k, r.right[k])
		}
	}
	var out []mode
	for k := range r.modes {
		if r.place[k] >= 0 {
			out = append(out, r.modes[k])
		}
	}
	return out
}

// hills are a row of modes and a heap of them by prominence.
type hills struct {
	modes       []mode
	left, right []int // the neighbours, -1 for none
	heap, place []int // place is where a mode lies in the heap, -1 once it is joined
}

func newHills(modes []mode) *hills {
	r := &hills{modes: append([]mode(nil), modes...)}
	for k := range modes {
		r.left, r.right = append(r.left, k-1), append(r.right, k+1)
		r.heap, r.place = append(r.heap, k), append(r.place, k)
	}
	r.right[len(modes)-1] = -1
	heap.Init(r)
	return r
}

// higher is the side of the higher minimum of mode k, -1 for the left.
func (r *hills) higher(k int) int {
	f := r.modes[k].floor
	if r.right[k] < 0 || r.left[k] >= 0 && f[0] >= f[1] {
		return -1
	}
	return 1
}

// join gives the hill of mode k to its neighbour.
func (r *hills) join(k, neighbour int) {
	a, b := &r.modes[k], &r.modes[neighbour]
	heap.Remove(r, r.place[k])
	if r.left[k] == neighbour {
		b.hi, b.floor[1], r.right[neighbour] = a.hi, a.floor[1], r.right[k]
		if n := r.right[k]; n >= 0 {
			r.left[n] = neighbour
		}
	} else {
		b.lo, b.floor[0], r.left[neighbour] = a.lo, a.floor[0], r.left[k]
		if n := r.left[k]; n >= 0 {
			r.right[n] = neighbour
		}
	}
	heap.Fix(r, r.place[neighbour])
}

func (r *hills) prominence(k int) float64 {
	if r.left[k] < 0 && r.right[k] < 0 {
		return 1
	}
	return r.modes[k].prominence()
}

// Len implements heap.Interface.
func (r *hills) Len() int { return len(r.heap) }

// Less implements heap.Interface: of equally prominent modes the left one first.
func (r *hills) Less(i, j int) bool {
	a, b := r.heap[i], r.heap[j]
	p, q := r.prominence(a), r.prominence(b)
	return p < q || p == q && a < b
}

// Swap implements heap.Interface.
func (r *hills) Swap(i, j int) {
	r.heap[i], r.heap[j] = r.heap[j], r.heap[i]
	r.place[r.heap[i]], r.place[r.heap[j]] = i, j
}

// Push implements heap.Interface; nothing is added.
func (r *hills) Push(any) {}

// Pop implements heap.Interface.
func (r *hills) Pop() any {
	k := r.heap[len(r.heap)-1]
	r.heap, r.place[k] = r.heap[:len(r.heap)-1], -1
	return k
}
