package engine

import (
	"slices"
	"sync"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// attendRows is how many rows of scores there are at a time.
const attendRows = 48

// attending is an attention as a step. One task packs the right-hand matrices of
// one of the batch and takes a share of the rows.
type attending struct {
	m, t, d, out   int // rows of Q, of K and V, columns of Q, of the result
	batch          int
	q, k, v, c     []int // where the matrices of the batch start
	lda, ldc       int
	keys, values   kernel.Source // Data is set at run time
	alpha          float32
	qAt, kAt, vAt  place
	maskAt, to     place
	mask           []int // where that of a matrix starts
	maskStep       int
	rows, splits   int // of one task, and tasks for one of the batch
	pitch          int // of scores
	heights        map[int]heightPlan
	room           int // floats of scratch of the plans
	keyRoom, vRoom int
	free           sync.Pool
	shares         func(s []float32) // makes shares of scores, nil: Softmax
	mul            float32           // of results, 0: none
}

// heightPlan is the two products for a number of rows.
type heightPlan struct{ scores, values *kernel.Gemm }

// packedPair are the right-hand matrices of one task.
type packedPair struct{ keys, values *kernel.Panels }

// attend emits an attention at its last product.
func (b *builder) attend(n *ir.Node, a *attention) {
	p := b.attending(n, a)
	if a.probs != nil {
		b.attendCodes(n, a, p)
		return
	}
	var qs, ks, vs []int
	p.qAt, qs = b.rows(a.q.x)
	p.kAt, ks = b.matrices(a.k.x)
	p.vAt, vs = b.matrices(a.v.x)
	p.operands(b, a, qs, ks, vs)
	p.plan()
	b.emitAttending(n, a, p, "attention", []*buf{p.qAt.b, p.kAt.b, p.vAt.b}, p.realScratch(), p.attend)
}

// attending knows the sizes of an attention, its mask and where its result goes.
func (b *builder) attending(n *ir.Node, a *attention) *attending {
	s, y := b.val(a.scores.Out[0]).shape, b.val(n.Out[0]).shape
	rank := len(y)
	lead := y[:rank-2]
	p := &attending{m: y[rank-2], out: y[rank-1], t: s[len(s)-1], d: last(b.val(a.q.x).shape), batch: tensor.Len(lead), alpha: a.alpha}
	if a.mask != nil {
		p.maskAt = b.plain(a.mask)
		shape := slices.Concat(slices.Repeat([]int{1}, max(0, 2-len(b.val(a.mask).shape))), b.val(a.mask).shape)
		p.mask = batches(lead, shape, strided(shape))
		if shape[len(shape)-2] > 1 {
			p.maskStep = p.t
		}
	}
	v, steps := b.resultRows(n.Out[0])
	p.to = b.newPlain(v)
	p.c, p.ldc = batches(lead, y, steps), pitchOf(steps, y, p.out)
	p.splits = max(1, min(16/p.batch, p.m/attendRows))
	p.rows = (p.m + p.splits - 1) / p.splits
	p.splits = (p.m + p.rows - 1) / p.rows
	p.pitch = kernel.RowPitch((p.t + line - 1) / line * line)
	return p
}

func last(shape []int) int { return shape[len(shape)-1] }

// operands takes the distances along the axes of Q, K and V.
func (p *attending) operands(b *builder, a *attention, qs, ks, vs []int) {
	y := b.val(a.scores.Out[0]).shape
	lead := y[:len(y)-2]
	q, k, v := b.val(a.q.x).shape, b.val(a.k.x).shape, b.val(a.v.x).shape
	p.q, p.k, p.v = batches(lead, q, qs), batches(lead, k, ks), batches(lead, v, vs)
	p.lda = pitchOf(qs, q, p.d)
	p.keys, p.values = sourceOf(ks, k), sourceOf(vs, v)
}

// blocks calls f for the rows of a task of the batch, a few at a time.
func (p *attending) blocks(task int, f func(i, r, rows int)) {
	i, part := task/p.splits, task%p.splits
	from, to := part*p.rows, min((part+1)*p.rows, p.m)
	n := (to - from + attendRows - 1) / attendRows
	step := (to - from + n - 1) / n
	for r := from; r < to; r += step {
		f(i, r, min(step, to-r))
	}
}

// plan plans the products for all heights that occur.
func (p *attending) plan() {
	p.heights = map[int]heightPlan{}
	for task := range p.splits {
		p.blocks(task, func(_, _, rows int) {
			if p.heights[rows].scores != nil {
				return
			}
			scores, err := kernel.NewGemm(kernel.GemmShape{M: rows, N: p.t, K: p.d, LDA: p.lda, LDC: p.pitch})
			if err != nil {
				panic(err)
			}
			values, err := kernel.NewGemm(kernel.GemmShape{M: rows, N: p.out, K: p.t, LDA: p.pitch, LDC: p.ldc})
			if err != nil {
				panic(err)
			}
			p.heights[rows] = heightPlan{scores, values}
			p.room = max(p.room, scores.ScratchFloats(), values.ScratchFloats())
		})
	}
	p.keyRoom, p.vRoom = rounded(kernel.PanelFloats(p.d, p.t)), rounded(kernel.PanelFloats(p.t, p.out))
	p.free.New = func() any {
		keys, err := kernel.NewPanels(p.d, p.t, nil)
		if err != nil {
			panic(err)
		}
		values, err := kernel.NewPanels(p.t, p.out, nil)
		if err != nil {
			panic(err)
		}
		return &packedPair{keys, values}
	}
}

// realScratch is the room of one task for panels, scores and plans.
func (p *attending) realScratch() int {
	return p.keyRoom + p.vRoom + attendRows*p.pitch + rounded(p.room)
}

func (b *builder) emitAttending(n *ir.Node, a *attention, p *attending, name string, reads []*buf, scratch int, task func(f *frame, task int, scratch []float32)) {
	if p.maskAt.b != nil {
		reads = append(reads, p.maskAt.b)
	}
	b.emit(&step{node: n, kernel: name, tasks: p.batch * p.splits, scratch: scratch, integer: a.probs != nil && kernel.HasIntPanels(),
		flops: 2 * int64(p.batch) * int64(p.m) * int64(p.t) * int64(p.d+p.out),
		reads: reads, writes: []*buf{p.to.b}, task: task})
}

// attend computes one task on floats.
func (p *attending) attend(f *frame, task int, scratch []float32) {
	i := task / p.splits
	x := p.free.Get().(*packedPair)
	x.keys.Over(scratch[:p.keyRoom])
	x.values.Over(scratch[p.keyRoom:][:p.vRoom])
	scratch = scratch[p.keyRoom+p.vRoom:]
	keys, values := p.keys, p.values
	keys.Data, values.Data = f.at(p.kAt)[p.k[i]:], f.at(p.vAt)[p.v[i]:]
	x.keys.Pack(keys)
	x.values.Pack(values)
	p.blocks(task, func(i, r, rows int) {
		p.product(p.heights[rows].scores, scratch, f.at(p.qAt)[p.q[i]+r*p.lda:], x.keys, scratch[attendRows*p.pitch:])
		for j := range rows {
			s := scratch[j*p.pitch:][:p.t]
			if p.shift(f, s, i, r+j); p.shares == nil {
				kernel.Softmax(s, s, p.t)
			} else {
				p.shares(s)
			}
		}
		y := f.at(p.to)[p.c[i]+r*p.ldc:]
		p.product(p.heights[rows].values, y, scratch, x.values, scratch[attendRows*p.pitch:])
		for j := 0; j < rows && p.mul != 0; j++ {
			kernel.Affine(y[j*p.ldc:][:p.out], y[j*p.ldc:], p.mul, 0, -inf, inf)
		}
	})
	p.free.Put(x)
}

// product runs all of a plan.
func (p *attending) product(g *kernel.Gemm, c, a []float32, x *kernel.Panels, scratch []float32) {
	var ep kernel.Epilogue
	for t := range g.Tasks() {
		g.Run(t, c, a, x, &ep, scratch)
	}
}

// shift scales scores and adds the mask.
func (p *attending) shift(f *frame, s []float32, i, r int) {
	if p.alpha != 1 {
		kernel.Affine(s, s, p.alpha, 0, -inf, inf)
	}
	if p.maskAt.b != nil {
		kernel.Add.Run(s, s, f.at(p.maskAt)[p.mask[i]+r*p.maskStep:][:p.t])
	}
}
