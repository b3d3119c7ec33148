package engine

import (
	"math"
	"slices"
	"sync"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// pairs is a batch of products of two matrices computed at run time. The
// right-hand ones are packed first; strides are taken as they are, so that
// transposed operands and results cost nothing.
type pairs struct {
	m, n, k    int
	batch      int
	a, b, c    []int // where the matrices of each pair start
	lda        int
	right      kernel.Source // Data is set at run time
	ldc        int
	size       int // floats of one packed matrix
	panels     int // panels of one matrix
	perTask    int // panels packed by one task
	plan       *kernel.Gemm
	free       sync.Pool
	packTasks  int
	ep         kernel.Epilogue
	from, with place
	packed, to place
}

// matMulPairs lowers a product of matrices of rank 2 or more.
func (b *builder) matMulPairs(n *ir.Node) bool {
	x, w := n.In[0], n.In[1]
	xs, ws := b.val(x).shape, b.val(w).shape
	if len(xs) < 2 || len(ws) < 2 {
		return false
	}
	shape := b.val(n.Out[0]).shape
	rank := len(shape)
	p := &pairs{m: shape[rank-2], n: shape[rank-1], k: xs[len(xs)-1], batch: tensor.Len(shape[:rank-2])}
	left, leftSteps := b.rows(x)
	right, rightSteps := b.matrices(w)
	p.from, p.with = left, right
	p.a = batches(shape[:rank-2], xs, leftSteps)
	p.b = batches(shape[:rank-2], ws, rightSteps)
	p.lda = pitchOf(leftSteps, xs, p.k)
	p.right = sourceOf(rightSteps, ws)
	v, steps := b.resultRows(b.scaleAfter(n.Out[0], &p.right.Alpha))
	p.to = b.newPlain(v)
	p.c = batches(shape[:rank-2], shape, steps)
	p.ldc = pitchOf(steps, shape, p.n)
	b.emitPairs(n, p)
	return true
}

// scaleAfter absorbs a product or quotient with a constant number behind v.
func (b *builder) scaleAfter(v *ir.Value, alpha *float32) *ir.Value {
	n := b.only(v)
	if b.powers[n] != nil {
		return v // it brings v onto a grid
	}
	if !is(n, "Mul") && !is(n, "Div") || b.m.Opset("") < 7 || !b.real(n.Out[0]) {
		return v
	}
	o := other(n, v)
	x, ok := float32(0), false
	if o != nil && len(b.val(o).shape) <= len(b.val(v).shape) {
		x, ok = b.scalar(o)
	}
	if is(n, "Div") {
		ok, x = ok && n.In[0] == v, 1/x
	}
	if !ok || x == 0 || x != x || x > math.MaxFloat32 || x < -math.MaxFloat32 {
		return v
	}
	*alpha = x
	b.absorb(n)
	return n.Out[0]
}

// rows places an operand so that the elements of its rows lie together.
func (b *builder) rows(v *ir.Value) (place, []int) {
	p, steps := b.strided(v)
	s := b.val(v).shape
	last := len(s) - 1
	if s[last] > 1 && steps[last] != 1 || s[last-1] > 1 && steps[last-1] < s[last] {
		return b.plain(v), strided(s)
	}
	return p, steps
}

// matrices places an operand so that its rows or its columns lie together.
func (b *builder) matrices(v *ir.Value) (place, []int) {
	p, steps := b.strided(v)
	s := b.val(v).shape
	last := len(s) - 1
	byRow := (s[last] == 1 || steps[last] == 1) && (s[last-1] == 1 || steps[last-1] >= s[last])
	byColumn := (s[last-1] == 1 || steps[last-1] == 1) && (s[last] == 1 || steps[last] >= s[last-1])
	if !byRow && !byColumn {
		return b.plain(v), strided(s)
	}
	return p, steps
}

// pitchOf is the distance of rows, n where there is one only.
func pitchOf(steps, shape []int, n int) int {
	if shape[len(shape)-2] == 1 {
		return n
	}
	return steps[len(steps)-2]
}

func sourceOf(steps, s []int) kernel.Source {
	last := len(s) - 1
	if (s[last] == 1 || steps[last] == 1) && (s[last-1] == 1 || steps[last-1] >= s[last]) {
		return kernel.Source{LD: pitchOf(steps, s, s[last])}
	}
	if s[last] == 1 {
		return kernel.Source{LD: s[last-1], Trans: true}
	}
	return kernel.Source{LD: steps[last], Trans: true}
}

// batches are the offsets of the matrices of an operand for a batch of the given
// shape.
func batches(batch, shape, steps []int) []int {
	lead := len(shape) - 2
	s := broadcastSteps(shape[:lead], steps[:lead], batch)
	w := newWalk(append(slices.Clone(batch), 1), append(s, 0), make([]int, len(batch)+1))
	out := make([]int, 0, tensor.Len(batch))
	sa, _ := w.steps()
	for r := range w.outer {
		at, _ := w.offsets(r)
		for i := range w.inner {
			out = append(out, at+i*sa)
		}
	}
	return out
}

// resultRows decides where a product goes: where a Transpose that is its only
// reader would put it, if rows stay together.
func (b *builder) resultRows(v *ir.Value) (*ir.Value, []int) {
	shape := b.val(v).shape
	n := b.only(v)
	if !is(n, "Transpose") || !b.real(n.Out[0]) {
		return v, strided(shape)
	}
	perm := n.Ints("perm")
	last := len(shape) - 1
	if len(perm) != len(shape) || perm[last] != last {
		return v, strided(shape)
	}
	moved := strided(b.val(n.Out[0]).shape)
	steps := make([]int, len(shape))
	for i, a := range perm {
		steps[a] = moved[i]
	}
	b.absorb(n)
	return n.Out[0], steps
}

func (b *builder) emitPairs(n *ir.Node, p *pairs) {
	p.size = rounded(kernel.PanelFloats(p.k, p.n))
	probe, err := kernel.NewPanels(p.k, p.n, nil)
	if err != nil {
		panic(err)
	}
	p.panels = probe.Count()
	if p.plan, err = kernel.NewGemm(kernel.GemmShape{M: p.m, N: p.n, K: p.k, LDA: p.lda, LDC: p.ldc}); err != nil {
		panic(err)
	}
	p.free.New = func() any {
		x, err := kernel.NewPanels(p.k, p.n, nil)
		if err != nil {
			panic(err)
		}
		return x
	}
	perPanel := max(1, p.size/p.panels)
	p.perTask = min(p.panels, max(1, chunk/perPanel))
	p.packTasks = (p.panels + p.perTask - 1) / p.perTask
	p.packed = place{b: newBuf(p.batch * p.size)}
	b.emit(&step{node: n, kernel: "pack", tasks: p.batch * p.packTasks, reads: []*buf{p.with.b}, writes: []*buf{p.packed.b}, task: p.pack})
	b.emit(&step{node: n, kernel: "matmul", tasks: p.batch * p.plan.Tasks(), scratch: p.plan.ScratchFloats(),
		flops: 2 * int64(p.batch) * int64(p.m) * int64(p.n) * int64(p.k),
		reads: []*buf{p.from.b, p.packed.b}, writes: []*buf{p.to.b}, task: p.multiply})
}

func (p *pairs) over(f *frame, i int) *kernel.Panels {
	x := p.free.Get().(*kernel.Panels)
	x.Over(f.at(p.packed)[i*p.size : (i+1)*p.size])
	return x
}

func (p *pairs) pack(f *frame, task int, _ []float32) {
	i, part := task/p.packTasks, task%p.packTasks
	src := p.right
	src.Data = f.at(p.with)[p.b[i]:]
	x := p.over(f, i)
	x.PackRange(part*p.perTask, min((part+1)*p.perTask, p.panels), src)
	p.free.Put(x)
}

func (p *pairs) multiply(f *frame, task int, scratch []float32) {
	i, part := task/p.plan.Tasks(), task%p.plan.Tasks()
	x := p.over(f, i)
	p.plan.Run(part, f.at(p.to)[p.c[i]:], f.at(p.from)[p.a[i]:], x, &p.ep, scratch)
	p.free.Put(x)
}
