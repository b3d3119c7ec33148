package grad

import (
	"cmp"
	"slices"

	"pare/op"
	"pare/tensor"
)

// copied is a run of n elements that a result takes from an operand.
type copied struct{ to, from, n int }

// lowerMoved serves operators that only move elements of their first operand, or of
// every operand: where from, the reference evaluation of the operator on the elements'
// positions tells. What comes from nowhere is the value of operand fill, or zero.
func lowerMoved(data, fill int) func(b *builder) error {
	return func(b *builder) error {
		if !b.dtype(0).IsFloat() {
			return lowerReference(b)
		}
		n := len(b.node.In)
		if data > 0 {
			n = data
		}
		where, images, ok := b.positions(n, fill)
		if !ok {
			return lowerReference(b)
		}
		lay := plain
		for i := range n {
			if b.lies(i) == last && b.ranksAlike(n) {
				lay = last
			}
		}
		in := make([]*slot, n)
		for i := range in {
			in[i] = b.in(i, lay)
		}
		value := float32(0)
		if t := b.constant(fill); fill > 0 && t != nil {
			value = tensor.Float32s(t)[0]
		}
		for k := range b.node.Out {
			if b.wanted(k) {
				b.moved(in, k, where[k], images, value)
			}
		}
		return nil
	}
}

// ranksAlike reports whether the first n operands and all results have the same rank.
func (b *builder) ranksAlike(n int) bool {
	rank := len(b.shape(0))
	for i := range n {
		if len(b.shape(i)) != rank {
			return false
		}
	}
	for k := range b.node.Out {
		if b.wanted(k) && len(b.sizes(k)) != rank {
			return false
		}
	}
	return true
}

// positions evaluates the node on the positions of elements of its first n operands,
// counted through all of them; other operands must be known. -1 stands for what comes
// from nowhere. Where every image is treated like the first, only the first of images
// counts.
func (b *builder) positions(n, fill int) (where []*tensor.Tensor, images int, ok bool) {
	if images := b.images(n); images > 2 {
		two, ok := b.evaluateOn(n, fill, 2)
		if ok && b.alikeImages(two, n) {
			for i, t := range two {
				if t != nil {
					half := tensor.Data[int64](t)[:t.Len()/2]
					two[i] = tensor.Of([]int{len(half)}, half)
				}
			}
			return two, images, true
		}
	}
	where, ok = b.evaluateOn(n, fill, 0)
	return where, 1, ok
}

// images is the size of the first axis, where operands and results agree on it.
func (b *builder) images(n int) int {
	if len(b.shape(0)) < 2 {
		return 0
	}
	images := b.shape(0)[0]
	for i := range n {
		if len(b.shape(i)) < 2 || b.shape(i)[0] != images {
			return 0
		}
	}
	for k := range b.node.Out {
		if b.wanted(k) && (len(b.sizes(k)) < 2 || b.sizes(k)[0] != images) {
			return 0
		}
	}
	return images
}

// alikeImages reports whether the second of two images is made from second ones as the
// first is from first ones.
func (b *builder) alikeImages(two []*tensor.Tensor, n int) bool {
	var starts []int64 // of the operands, in elements of one image
	next := int64(0)
	for i := range n {
		starts = append(starts, next)
		next += int64(tensor.Len(b.shape(i)[1:]))
	}
	for k, t := range two {
		if t == nil {
			continue
		}
		if b.wanted(k) && t.Len() != 2*tensor.Len(b.sizes(k)[1:]) {
			return false
		}
		first, second := tensor.Data[int64](t)[:t.Len()/2], tensor.Data[int64](t)[t.Len()/2:]
		for e, p := range first {
			if p < 0 {
				if second[e] >= 0 {
					return false
				}
				continue
			}
			i := len(starts) - 1
			for p < 2*starts[i] {
				i--
			}
			size := int64(tensor.Len(b.shape(i)[1:]))
			if p >= 2*starts[i]+size || second[e] != p+size {
				return false
			}
			first[e] = p - starts[i]
		}
	}
	return true
}

// evaluateOn runs the reference on the positions of so many images, or of all for 0.
func (b *builder) evaluateOn(n, fill, images int) ([]*tensor.Tensor, bool) {
	in := make([]op.Val, max(len(b.node.In), fill+1))
	next := int64(0)
	for i := range b.node.In {
		switch {
		case i < n:
			shape := slices.Clone(b.shape(i))
			if images > 0 {
				shape[0] = images
			}
			t := tensor.New(tensor.Int64, shape...)
			data := tensor.Data[int64](t)
			for k := range data {
				data[k] = next
				next++
			}
			in[i] = t
		case b.has(i) && b.constant(i) == nil:
			return nil, false
		case b.has(i):
			in[i] = b.constant(i)
		}
	}
	if fill > 0 {
		in[fill] = tensor.Scalar(int64(-1))
	}
	out, err := b.interp.Node(b.ctx, b.node, in, nil)
	if err != nil {
		if images > 0 {
			return nil, false
		}
		refuse("%w", err)
	}
	list := make([]*tensor.Tensor, len(out))
	for i, x := range out {
		list[i], _ = x.(*tensor.Tensor)
	}
	return list, true
}

// moved makes result k of elements of the operands, those of the first image of where,
// of which there are as many images alike.
func (b *builder) moved(in []*slot, k int, where *tensor.Tensor, images int, value float32) {
	lay := plain
	if slices.ContainsFunc(in, func(x *slot) bool { return x.lay == last }) {
		lay = last
	}
	y := b.out(k, lay)
	st := b.step(in, []*slot{y})
	runs := copiedRuns(where, in, y, images)
	fills := fillRuns(runs, y.size())
	for i, x := range in {
		mine := runs[i]
		st.then(runTasks(mine, func(c copied) { copy(y.data[c.to:c.to+c.n], x.data[c.from:]) }))
		if st.wants(i) {
			st.back(gathered(mine, x.size(), func() []float32 { return st.dx[i] }, func() []float32 { return y.grad }))
		}
	}
	if len(fills) > 0 {
		st.then(runTasks(fills, func(c copied) { fill(y.data[c.to:c.to+c.n], value) }))
	}
}

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
