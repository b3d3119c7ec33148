package grad

import (
	"cmp"
	"slices"

	"pare/tensor"
)

// copied is a run of n elements that a result takes from an operand.
type copied struct{ to, from, n int }

// runTasks is a loop over runs.
func runTasks(runs []copied, f func(c copied)) work {
	total := 0
	for _, c := range runs {
		total += c.n
	}
	each := max(1, len(runs)*grain/max(1, total))
	return spanBy(len(runs), each, func(lo, hi int) {
		for _, c := range runs[lo:hi] {
			f(c)
		}
	})
}

// copiedRuns lists, by operand, what result y takes from it, in the order in which y
// lies.
func copiedRuns(where *tensor.Tensor, in []*slot, y *slot, images int) [][]copied {
	runs := make([][]copied, len(in))
	from := make([][]int32, len(in)) // where elements lie
	for i, x := range in {
		from[i] = placesOf(x, images)
	}
	positions := tensor.Data[int64](where)
	for k, at := range inverse(placesOf(y, images)) {
		p := int(positions[at])
		i := 0
		for i < len(in) && p >= len(from[i]) {
			p -= len(from[i])
			i++
		}
		if p < 0 || i == len(in) {
			continue
		}
		src := int(from[i][p])
		if l := len(runs[i]); l > 0 && runs[i][l-1].to+runs[i][l-1].n == k && runs[i][l-1].from+runs[i][l-1].n == src {
			runs[i][l-1].n++
			continue
		}
		runs[i] = append(runs[i], copied{to: k, from: src, n: 1})
	}
	for i := range runs {
		runs[i] = repeated(runs[i], y.size()/images, len(from[i]), images)
	}
	return runs
}

// repeated is runs of one image, to and from elements of images of these sizes, for
// all images.
func repeated(runs []copied, to, from, images int) []copied {
	all := make([]copied, 0, len(runs)*images)
	for i := range images {
		for _, c := range runs {
			all = append(all, copied{to: c.to + i*to, from: c.from + i*from, n: c.n})
		}
	}
	return all
}

// placesOf is where the elements of a slot lie, in C order of its shape: those of the
// first of so many images.
func placesOf(x *slot, images int) []int32 {
	places := make([]int32, x.size()/images)
	if x.lay != last {
		for i := range places {
			places[i] = int32(i)
		}
		return places
	}
	n, c, px := x.shape[0]/images, x.shape[1], tensor.Len(x.shape[2:])
	at := 0
	for i := range n {
		for k := range c {
			for p := range px {
				places[at] = int32((i*px+p)*c + k)
				at++
			}
		}
	}
	return places
}

// inverse is the permutation that undoes p.
func inverse(p []int32) []int32 {
	q := make([]int32, len(p))
	for i, v := range p {
		q[v] = int32(i)
	}
	return q
}

// fillRuns lists the parts of n elements that no run covers.
func fillRuns(runs [][]copied, n int) []copied {
	all := slices.Concat(runs...)
	slices.SortFunc(all, func(a, b copied) int { return cmp.Compare(a.to, b.to) })
	var gaps []copied
	at := 0
	for _, c := range append(all, copied{to: n}) {
		if c.to > at {
			gaps = append(gaps, copied{to: at, n: c.to - at})
		}
		at = c.to + c.n
	}
	return gaps
}

// gathered sums into each of n elements of dst what runs have taken from it, in the
// order of the runs.
func gathered(runs []copied, n int, dst, src func() []float32) work {
	pieces := make([][]copied, (n+grain-1)/grain)
	for _, c := range runs {
		for c.n > 0 {
			t := c.from / grain
			k := min(c.n, (t+1)*grain-c.from)
			pieces[t] = append(pieces[t], copied{to: c.to, from: c.from, n: k})
			c.to, c.from, c.n = c.to+k, c.from+k, c.n-k
		}
	}
	return work{tasks: len(pieces), run: func(t int, _ []float32) {
		d, s := dst(), src()
		clear(d[t*grain : min(n, (t+1)*grain)])
		for _, c := range pieces[t] {
			add(d[c.from:c.from+c.n], s[c.to:])
		}
	}}
}
