package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// realTail is what an integer step whose result stays real does behind its
// epilogue, while the result is still in the cache: add a real value computed
// earlier, clamp, and bring what comes out onto a grid as well.
type realTail struct {
	v     *ir.Value // the real result in the end
	res   place     // nothing to add where it has no buffer
	clamp clamping
	grid  *encoder // nil: codes are not wanted
	codes *coded
}

// realTail absorbs what follows a step whose own tail ends with a real result.
func (b *builder) realTail(p *intStep) (r realTail) {
	t := &p.tail
	r.v = t.v
	if t.res == nil && t.lo == -inf && t.hi == inf {
		b.addRealBehind(&r, p.last)
	}
	for _, u := range r.v.Uses() {
		if u.In != 0 || !b.alive[u.Node] || b.done[u.Node] {
			continue
		}
		if e, ok := b.encoderOf(u.Node); ok && slices.ContainsFunc(e.reals, b.feedsIntegers) {
			r.grid, r.codes = e, b.newCoded(r.v, e.codeGrid, p.last)
			b.place(e, r.codes)
			break
		}
	}
	return r
}

// addRealBehind follows an Add of a real value that is there, and a clamp.
func (b *builder) addRealBehind(r *realTail, last bool) {
	n := b.only(r.v)
	if !is(n, "Add") {
		return
	}
	o := other(n, r.v)
	if o == nil || !b.real(o, n.Out[0]) || !b.has(o) || b.val(o).coded != nil || !slices.Equal(b.val(o).shape, b.val(r.v).shape) {
		return
	}
	if last {
		r.res = b.last(o)
	} else {
		r.res = b.plain(o)
	}
	b.absorb(n)
	r.clamp = b.clampAfter(n.Out[0])
	r.v = r.clamp.v
}

// any reports whether anything is left to do behind the epilogue.
func (r *realTail) any() bool { return r.res.b != nil || r.codes != nil }

// uses adds what it reads and writes to the step.
func (r *realTail) uses(st *step) {
	if r.res.b != nil {
		st.reads = append(st.reads, r.res.b)
	}
	if r.codes != nil {
		st.writes = append(st.writes, r.codes.b)
	}
}

// plan is how the step is cut into tasks.
func (r *realTail) plan() func(kernel.ConvShape, *kernel.IntWeights) (*kernel.IntConv, error) {
	if r.any() {
		return kernel.NewIntConvReal
	}
	return kernel.NewIntConv
}

// run does what follows the result of one task, which lies at real.
func (r *realTail) run(f *frame, c intPlan, task int, real place) {
	if !r.any() {
		return
	}
	width := c.Shape().O
	r0, r1, c0, c1 := c.Region(task)
	pitch, resPitch := real.pitch(width), r.res.pitch(width)
	rows, cols := r1-r0, c1-c0
	if cols == width && pitch == width && resPitch == width {
		rows, cols = 1, rows*cols
	}
	y, codes := f.at(real), f.codes(r.codes)
	for i := range rows {
		d := y[(r0+i)*pitch+c0:][:cols]
		if r.res.b != nil {
			r.add(d, f.at(r.res)[(r0+i)*resPitch+c0:][:cols])
		}
		if codes != nil {
			r.codes.quantize(codes[(r0+i)*width+c0:][:cols], d)
		}
	}
}

func (r *realTail) add(d, res []float32) {
	if r.clamp.on {
		kernel.Add.RunClamp(d, d, res, r.clamp.lo, r.clamp.hi)
		return
	}
	kernel.Add.Run(d, d, res)
}
