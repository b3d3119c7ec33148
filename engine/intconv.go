package engine

import (
	"sync"

	"fmt"

	"pare/ir"
	"pare/kernel"
)

// intFilter matches a convolution whose weights integer kernels take.
func intFilter(b *builder, n *ir.Node) (*intWeights, bool) {
	if b.val(n.In[0]).unpadded != nil || !b.convolves(n) {
		return nil, false
	}
	s, _ := b.convShape(n)
	return b.intWeightsOf(n.In[1], 0, s.C/s.Groups*s.KH*s.KW)
}

func intConvForm(b *builder, n *ir.Node) bool {
	w, ok := intFilter(b, n)
	if !ok {
		return false
	}
	x, rest := b.data(n.In[0])
	if x = b.codesLast(n.In[0], x); rest != nil {
		rest = b.codesLast(n.In[0], rest)
	}
	s, _ := b.convShape(n)
	fold := b.foldChannels(n.Out[0], s.O)
	filter := fold.apply(b, w.t, nil, s.O, b.biasOf(n))
	shift := make([]float64, s.O)
	for o := range filter.bias {
		shift[o] = float64(filter.bias[o])
	}
	worth := func(step, scale float64, o int) float64 {
		scale *= step
		if fold.scale != nil {
			scale *= fold.scale[o]
		}
		return scale
	}
	name := "conv"
	if s.Groups == s.C && s.O == s.C {
		name = "depthwise"
	}
	p := intStep{node: n, kernel: fmt.Sprintf("int8 %s %dx%d", name, s.KH, s.KW), shape: s, x: x, rest: rest, w: w, last: true,
		worth: worth, shift: shift, tail: b.intTail(fold.v, true)}
	b.intStep(&p)
	return true
}

// intStep is a convolution of codes, or a product as one.
type intStep struct {
	node   *ir.Node
	kernel string
	shape  kernel.ConvShape
	x      *coded
	rest   *coded // the second order of the data, or nil
	w      *intWeights
	last   bool // the result lies with channels last
	// worth is what one of a sum of output channel o stands for where data have
	// the step and its weights the scale; shift is added to what the sums are worth.
	worth func(step, scale float64, o int) float64
	shift []float64
	tail  intTail
}

// intStep emits a step once what follows it is known.
func (b *builder) intStep(p *intStep) {
	t := &p.tail
	b.absorb(t.nodes...)
	codes, m, real, behind := b.intTarget(p)
	if m != nil {
		p.kernel += " map"
	}
	if extra := p.w.further(); extra > 0 {
		p.kernel += fmt.Sprintf(" +%d rows", extra)
	}
	var before place
	if p.rest != nil {
		before = b.restStep(p)
	}
	st := &step{node: p.node, kernel: p.kernel, flops: p.flops(), integer: true, reads: []*buf{p.x.b}, writes: []*buf{real.b}}
	if before.b != nil {
		st.reads = append(st.reads, before.b)
	}
	if t.res != nil {
		st.reads = append(st.reads, t.res.b)
		if codes != nil {
			st.reuse = reuse(place{b: t.res.b}, codes.b.floats)
		}
	}
	behind.uses(st)
	s := p.shape
	st.bytes = int64(p.x.n) + 4*int64(real.b.floats) + int64(s.O+p.w.further())*int64(s.C/max(1, s.Groups)*s.KH*s.KW)
	ep := t.epilogue(p.scales(), p.shift)
	b.planInt(st, p, &intWork{x: p.x, shape: s, ep: &ep, plan: behind.plan(), run: func(c intPlan, f *frame, task int, scratch []float32) {
		e := intEpilogues.Get().(*kernel.IntEpilogue)
		defer intEpilogues.Put(e)
		*e = ep
		e.Residual = f.codes(t.res)
		if before.b != nil {
			e.Extra = f.at(before)
		}
		if codes != nil {
			c.Run(task, f.codes(codes), f.codes(p.x), e, byteView(scratch))
			if m != nil {
				mapRegion(m, c, task, f.codes(codes))
			}
			return
		}
		c.RunFloat(task, f.at(real), f.codes(p.x), e, byteView(scratch))
		behind.run(f, c, task, real)
	}})
	b.emit(st)
}

// intTarget makes room for the result: codes where it comes to a grid, else a
// real one and what is done behind it. A function of the codes may follow.
func (b *builder) intTarget(p *intStep) (codes *coded, m *kernel.CodeMap, real place, behind realTail) {
	if t := &p.tail; t.out != nil {
		var end *encoder
		end, m = b.mapBehind(t.out)
		codes = b.newCoded(t.v, end.codeGrid, p.last)
		b.place(end, codes)
		return codes, m, place{b: codes.b}, behind
	}
	behind = b.realTail(p)
	if !p.last {
		return nil, nil, b.newPlain(behind.v), behind
	}
	real = b.newLast(behind.v)
	p.shape.DstStride = real.stride
	return nil, nil, real, behind
}

// scales are what sums of the first term are worth.
func (p *intStep) scales() []float64 {
	scale := make([]float64, p.shape.O)
	for o := range scale {
		scale[o] = p.worth(float64(p.x.step), p.w.terms[0].Scale[o], o)
	}
	return scale
}

// flops counts the rows of all terms.
func (p *intStep) flops() int64 {
	o := int64(p.shape.O)
	return int64(p.shape.Flops()) / o * (o + int64(p.w.further()))
}

// intWork is one product of an intStep: of which data, how it is cut into tasks,
// and what a task does. The plan completes the epilogue.
type intWork struct {
	x     *coded
	shape kernel.ConvShape
	ep    *kernel.IntEpilogue
	plan  func(kernel.ConvShape, *kernel.IntWeights) (*kernel.IntConv, error)
	run   func(c intPlan, f *frame, task int, scratch []float32)
}

// intPlan is a planned convolution of codes, in whatever form.
type intPlan interface {
	Shape() kernel.ConvShape
	Tasks() int
	ScratchBytes() int
	Run(task int, dst, src []uint8, ep *kernel.IntEpilogue, scratch []uint8)
	RunFloat(task int, dst []float32, src []uint8, ep *kernel.IntEpilogue, scratch []uint8)
	Region(task int) (r0, r1, c0, c1 int)
}

// planInt packs the weights and, since the plan depends on them, plans later.
func (b *builder) planInt(st *step, p *intStep, w *intWork) {
	few := b.fewCodes(&w.shape)
	b.pending = append(b.pending, func() error {
		c, err := b.intWinograd(st, p, w)
		if c == nil && err == nil {
			c, err = b.intDirect(st, p, w, few)
		}
		if err != nil {
			return err
		}
		st.tasks, st.scratch = c.Tasks(), (c.ScratchBytes()+3)/4
		st.task = func(f *frame, task int, scratch []float32) { w.run(c, f, task, scratch) }
		return nil
	})
}

// intDirect plans the sums that define the step. It completes the epilogue.
func (b *builder) intDirect(st *step, p *intStep, w *intWork, few bool) (intPlan, error) {
	zero, s := uint8(w.x.zero), w.shape
	form := fmt.Sprint("int ", p.w.axis, zero, s.KH, s.KW, s.DilW, s.Groups)
	pack := p.w.pack
	if few && p.w.further() == 0 {
		form, pack = form+" few", p.w.packFew
	}
	weights := formOf(b.p.weights, weightKey{t: p.w.t, form: form}, func() (*kernel.IntWeights, error) {
		return pack(s, zero)
	})
	if err := weights.done(); err != nil {
		return nil, err
	}
	if bits := weights.x.CodeBits(); bits > 0 {
		st.kernel += fmt.Sprint(" w", bits)
	}
	unit := p.tail.unit()
	w.ep.Stack = weights.x.StackMul(p.w.multipliers(s.O, func(scale float64, o int) float64 {
		return p.worth(float64(w.x.step), scale, o) / unit
	}))
	return w.plan(s, weights.x)
}

// intEpilogues are those of tasks that run, which kernels keep hold of.
var intEpilogues = sync.Pool{New: func() any { return new(kernel.IntEpilogue) }}
