package engine

import (
	"cmp"
	"slices"
	"sync"
	"unsafe"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// An attention whose operands all come from grids multiplies their codes. Both
// ways of doing so, by kernels for codes and by those for floats that hold the
// same integers, have the same sums: Σ (q-zero)·(k-128), which is off by a number
// per row that the softmax does not see, and Σ p·(v-zero).

// intAttending is an attending on codes.
type intAttending struct {
	*attending
	qc, kc, vc placedCodes
	probs      *kernel.Scales
	mul        float32 // of a sum of values
	// tail is how many codes behind a row of shares hold their sum, for the zero of V.
	tail             int
	codeLD           int // of shares
	scoreEp, valueEp kernel.IntEpilogue
	free             sync.Pool
}

// intPackedPair are the right-hand matrices of one task.
type intPackedPair struct{ keys, values *kernel.IntPanels }

// placedCodes are codes of a value in the order in which it lies in memory.
type placedCodes struct {
	b     *buf
	zero  int
	steps []int // along the axes
}

// attendCodes emits an attention on codes.
func (b *builder) attendCodes(n *ir.Node, a *attention, p *attending) {
	p.alpha *= a.q.grid.step * a.k.grid.step
	x := &intAttending{attending: p, probs: a.probs.scale(), mul: a.probs.step * a.v.grid.step}
	most := min(255*p.t, int(1/float64(a.probs.step))+p.t/2+1)
	x.tail = (most + 254) / 255
	if a.v.grid.zero == 128 {
		x.tail = 0
	}
	ints := kernel.HasIntPanels() && p.d%4 == 0 && a.probs.zero == 0 && a.v.grid.zero > 0 && x.tail <= 8
	if ints {
		x.qc, x.kc, x.vc = b.placeCodes(a.q, true, -1), b.placeCodes(a.k, false, -1), b.placeCodes(a.v, false, -1)
	} else {
		x.qc, x.kc, x.vc = b.placeCodes(a.q, true, a.q.grid.zero), b.placeCodes(a.k, false, 128), b.placeCodes(a.v, false, a.v.grid.zero)
	}
	p.operands(b, a, x.qc.steps, x.kc.steps, x.vc.steps)
	reads := []*buf{x.qc.b, x.kc.b, x.vc.b}
	if !ints {
		p.qAt, p.kAt, p.vAt = place{b: x.qc.b}, place{b: x.kc.b}, place{b: x.vc.b}
		p.plan()
		p.shares = x.onGrid(a.probs)
		p.mul = x.mul
		b.emitAttending(n, a, p, "attention of codes", reads, p.realScratch(), p.attend)
		return
	}
	x.planCodes()
	b.emitAttending(n, a, p, "int8 attention", reads, x.codeScratch(), x.attend)
}

// onGrid makes shares as the integers of their grid.
func (x *intAttending) onGrid(g *codeGrid) func(s []float32) {
	back := kernel.NewScales([]kernel.Scale{{Step: 1, Zero: int32(g.zero), Lo: int32(g.lo), Hi: int32(g.hi)}})
	pool := sync.Pool{New: func() any { c := make([]uint8, x.t); return &c }}
	return func(s []float32) {
		c := pool.Get().(*[]uint8)
		kernel.SoftmaxU8(*c, s, x.probs)
		kernel.DequantizeU8(s, *c, back)
		pool.Put(c)
	}
}

// placeCodes emits the step that makes codes of an operand, or with a centre of 0
// or more float32 of codes less that. Rows lie together; of what is no left-hand
// matrix columns may instead.
func (b *builder) placeCodes(o gridded, left bool, centre int) placedCodes {
	from, steps := b.strided(o.x)
	shape := b.val(o.x).shape
	if last := len(shape) - 1; steps[last] != 1 && (left || steps[last-1] != 1) {
		from, steps = b.plain(o.x), strided(shape)
	}
	n := tensor.Len(shape)
	c := placedCodes{zero: o.grid.zero, b: newBuf((n + 3) / 4)}
	var w *walk
	w, c.steps = inMemoryOrder(shape, steps)
	scales := o.grid.scale()
	st := &step{node: b.maker(o.x), kernel: "quantize", tasks: w.tasks, reads: []*buf{from.b}, bytes: 5 * int64(n)}
	st.task = func(f *frame, task int, _ []float32) {
		w.each(task, func(_, at, to, n int) { kernel.QuantizeU8(f.codesAt(c, to)[:n], f.at(from)[at:at+n], scales) })
	}
	if centre >= 0 {
		c.b = newBuf(n)
		st.scratch = (w.block + 3) / 4
		back := kernel.NewScales([]kernel.Scale{{Step: 1, Zero: int32(centre), Hi: 255}})
		st.task = func(f *frame, task int, scratch []float32) {
			w.each(task, func(_, at, to, n int) {
				codes := byteView(scratch)[:n]
				kernel.QuantizeU8(codes, f.at(from)[at:at+n], scales)
				kernel.DequantizeU8(f.at(place{b: c.b})[to:to+n], codes, back)
			})
		}
	}
	st.writes = []*buf{c.b}
	b.emit(st)
	return c
}

// inMemoryOrder is a walk over elements in the order in which they lie, to a dense
// copy in the same order, and the distances along the axes of that.
func inMemoryOrder(shape, steps []int) (*walk, []int) {
	axes := make([]int, len(shape))
	for i := range axes {
		axes[i] = i
	}
	slices.SortStableFunc(axes, func(i, j int) int { return cmp.Compare(steps[j], steps[i]) })
	sorted, source := make([]int, len(shape)), make([]int, len(shape))
	for i, axis := range axes {
		sorted[i], source[i] = shape[axis], steps[axis]
	}
	dense, to := strided(sorted), make([]int, len(shape))
	for i, axis := range axes {
		to[axis] = dense[i]
	}
	return newWalk(sorted, source, dense), to
}

// planCodes knows the epilogues and makes room for panels.
func (x *intAttending) planCodes() {
	x.codeLD = (x.t + x.tail + 3) / 4 * 4
	x.scoreEp = kernel.IntEpilogue{Mul: slices.Repeat([]float32{x.alpha}, x.t), Add: make([]float32, x.t)}
	x.valueEp = kernel.IntEpilogue{Mul: slices.Repeat([]float32{x.mul}, x.out), Add: make([]float32, x.out)}
	x.alpha = 1
	x.free.New = func() any {
		keys, err := kernel.NewIntPanels(x.d, x.t)
		if err != nil {
			panic(err)
		}
		values, err := kernel.NewIntPanels(x.t+x.tail, x.out)
		if err != nil {
			panic(err)
		}
		return &intPackedPair{keys, values}
	}
}

// codeScratch is the room of one task: scores, codes of shares, and where rows lie.
func (x *intAttending) codeScratch() int {
	return attendRows*x.pitch + rounded(attendRows*x.codeLD/4) + attendRows
}

// attend computes one task by kernels for codes.
func (x *intAttending) attend(f *frame, task int, scratch []float32) {
	i := task / x.splits
	y := x.free.Get().(*intPackedPair)
	packCodes(y.keys, f.codesAt(x.kc, x.k[i]), x.keys, x.d, uint8(x.qc.zero), 0)
	packCodes(y.values, f.codesAt(x.vc, x.v[i]), x.values, x.t, 0, uint8(256-x.vc.zero))
	scores, rest := scratch[:attendRows*x.pitch], scratch[attendRows*x.pitch:]
	shares, rest := byteView(rest[:attendRows*x.codeLD/4]), rest[rounded(attendRows*x.codeLD/4):]
	at := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(rest[:attendRows]))), attendRows)
	x.blocks(task, func(i, r, rows int) {
		q := f.codesAt(x.qc, x.q[i]+r*x.lda)
		y.keys.RunFloat(scores, x.pitch, q, x.lda, rows, &x.scoreEp, at)
		for j := range rows {
			s := scores[j*x.pitch:][:x.t]
			x.shift(f, s, i, r+j)
			c := shares[j*x.codeLD:][:x.codeLD]
			kernel.SoftmaxU8(c[:x.t], s, x.probs)
			x.sumBehind(c)
		}
		y.values.RunFloat(f.at(x.to)[x.c[i]+r*x.ldc:], x.ldc, shares, x.codeLD, rows, &x.valueEp, at)
	})
	x.free.Put(y)
}

// codesAt is the memory of codes from an element on.
func (f *frame) codesAt(c placedCodes, at int) []uint8 { return byteView(f.at(place{b: c.b}))[at:] }

// packCodes packs a matrix of k rows that lies as the source says.
func packCodes(p *kernel.IntPanels, codes []uint8, s kernel.Source, k int, zero, rest uint8) {
	if s.Trans {
		p.PackRows(codes, k, s.LD, zero, rest)
	} else {
		p.PackColumns(codes, k, s.LD, zero, rest)
	}
}

// sumBehind puts the sum of a row of shares behind it, in as many codes as it
// takes: they meet weights that move V to its zero.
func (x *intAttending) sumBehind(c []uint8) {
	tail := c[x.t:]
	if x.tail > 0 {
		for i, sum := 0, kernel.CodeSum(c[:x.t]); i < x.tail; i++ {
			tail[i] = uint8(min(sum, 255))
			sum -= int(tail[i])
		}
		tail = tail[x.tail:]
	}
	clear(tail)
}
