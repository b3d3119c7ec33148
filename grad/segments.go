package grad

// recomputed returns the steps that run again before the segment they are in goes
// backward, so that what backward reads of the segment need not be kept. It marks
// slots that are kept all the same: other segments read them, too. The last
// segment goes backward at once.
func recomputed(steps []*step, outputs []*slot, cuts []int) map[*step]bool {
	r := recomputation{again: map[*step]bool{}, segment: map[*slot]int{}}
	segment := make([]int, len(steps))
	for i, st := range steps {
		for segment[i] = 0; segment[i] < len(cuts) && cuts[segment[i]] <= i; {
			segment[i]++
		}
		for _, x := range st.out {
			if x != nil {
				x.kept = st.eval != nil // by chance, or no floats
				if x.root == nil {
					r.segment[x] = segment[i]
				}
			}
		}
	}
	for _, x := range outputs {
		x.origin().kept = true
	}
	for i := len(steps); i > 0; {
		end := i
		for i--; i > 0 && segment[i-1] == segment[end-1]; i-- {
		}
		r.whole(steps[i:end], segment[i], segment[i] == len(cuts))
	}
	return r.again
}

type recomputation struct {
	again   map[*step]bool
	segment map[*slot]int // where its first step is
}

// whole finds what of a segment runs again: what its backward reads, and what that
// is computed from.
func (r *recomputation) whole(steps []*step, segment int, last bool) {
	need := map[*slot]bool{}
	read := func(x *slot) {
		if !x.lies() {
			return
		}
		x = x.origin()
		if at, ok := r.segment[x]; !ok || at != segment {
			x.kept = true
			return
		}
		need[x] = !x.kept
	}
	for _, st := range steps {
		if st.flows() {
			for _, x := range st.reads {
				read(x)
			}
		}
	}
	if last {
		return
	}
	for i := len(steps) - 1; i >= 0; i-- {
		st := steps[i]
		for _, x := range st.out {
			if x != nil && x.root == nil && need[x] {
				r.again[st] = true
			}
		}
		if r.again[st] {
			for _, x := range st.sources() {
				read(x)
			}
		}
	}
}

// cuts divides steps into n segments of about as much data, at places where
// little lies between them.
func cuts(steps []*step, n int) []int {
	if n <= 1 || len(steps) < 2 {
		return nil
	}
	sums, crossing := make([]int, len(steps)+1), crossings(steps)
	for i, st := range steps {
		sums[i+1] = sums[i]
		for _, x := range st.out {
			if x.lies() && x.root == nil {
				sums[i+1] += x.size()
			}
		}
	}
	total := sums[len(steps)]
	var list []int
	for k := 1; k < n; k++ {
		best := -1
		for i := 1; i < len(steps); i++ {
			off := abs(sums[i]*n-k*total) * 4
			if off <= total && (len(list) == 0 || i > list[len(list)-1]) && (best < 0 || crossing[i] < crossing[best]) {
				best = i
			}
		}
		if best > 0 {
			list = append(list, best)
		}
	}
	return list
}

func abs(n int) int { return max(n, -n) }

// crossings is, for each step, the floats computed before it that it or a later one
// reads.
func crossings(steps []*step) []int {
	made, lastRead := map[*slot]int{}, map[*slot]int{}
	for i, st := range steps {
		for _, x := range st.sources() {
			if x.lies() {
				lastRead[x.origin()] = i
			}
		}
		for _, x := range st.out {
			if x.lies() && x.root == nil {
				made[x] = i
			}
		}
	}
	delta := make([]int, len(steps)+1)
	for x, i := range made {
		if to := lastRead[x]; to > i {
			delta[i+1] += x.size()
			delta[to+1] -= x.size()
		}
	}
	for i := 1; i < len(delta); i++ {
		delta[i] += delta[i-1]
	}
	return delta
}
