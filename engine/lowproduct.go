package engine

import (
	"fmt"

	"pare/format"
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// Products of few rows with large matrices are bound by the bytes of the matrix:
// there weights stay codes, even where these cost more instructions. Sizes are in
// weights. With one row of floats codes win from fewFloats on, with more rows, each
// of which expands the codes again, where whole weights come from memory. One row of
// codes takes codes of matrices from coldMatrix on, or from fewCold on where those of
// the program do not stay in the caches from one run to the next.
const (
	fewFloats   = 64 << 10
	coldMatrix  = 4 << 20
	fewCold     = 256 << 10
	coldProgram = 16 << 20
)

// fewReals reports whether codes should stay in a product of m rows of floats.
func fewReals(m, size int) bool {
	return m <= kernel.LowRows() && size >= fewFloats*m*m*m
}

// fewCodes is fewReals for rows of codes.
func (b *builder) fewCodes(s *kernel.ConvShape) bool {
	m, size := s.N*s.H*s.W, s.O*s.C
	if s.KH*s.KW != 1 || s.Groups > 1 || m > kernel.LowRows() {
		return false
	}
	return size >= coldMatrix*m*m || size >= fewCold*m*m && b.p.codedWeights() >= coldProgram
}

// codedWeights is how many weights of the program are codes.
func (p *Program) codedWeights() int {
	n := 0
	for t := range p.codes {
		n += t.Len()
	}
	return n
}

// lowProduct emits a product whose constant stays codes, and reports whether it
// did.
func (b *builder) lowProduct(n *ir.Node, name string, g product, x *ir.Value, t *tensor.Tensor) bool {
	e := b.p.codes[t]
	if e == nil || !fewReals(g.m, g.n*g.k) {
		return false
	}
	w := b.lowWeights(g, t, e)
	if w.done() != nil {
		return false
	}
	plan := kernel.NewLowGemm(g.m, w.x)
	from, fixed := b.plain(x), place{b: newBuf(plan.FixedFloats())}
	to, res := b.newPlain(g.tail.v), g.tail.res
	b.emit(&step{node: n, kernel: "fix", tasks: g.m, reads: []*buf{from.b}, writes: []*buf{fixed.b},
		task: func(f *frame, r int, _ []float32) {
			plan.Fix(r, f.at(fixed), f.at(from)[r*g.k:][:g.k])
		}})
	st := &step{node: n, kernel: fmt.Sprintf("%s w%d", name, w.x.Bits()), tasks: plan.Tasks(), scratch: plan.ScratchFloats(),
		flops: 2 * int64(g.m) * int64(g.n) * int64(g.k), reads: []*buf{from.b, fixed.b}, writes: []*buf{to.b},
		bytes: int64(w.x.Bytes()) + 4*int64(g.m*(g.k+g.n))}
	if res.b != nil {
		st.reads = append(st.reads, res.b)
		st.reuse = reuse(res, to.b.floats)
	}
	ep := kernel.Epilogue{Bias: g.bias, Lo: g.tail.lo, Hi: g.tail.hi}
	st.task = func(f *frame, task int, scratch []float32) {
		e := ep
		e.Residual = f.maybe(res)
		plan.Run(task, f.at(to), f.at(from), f.at(fixed), &e, scratch)
	}
	b.emit(st)
	return true
}

// lowWeights is the constant as packed codes.
func (b *builder) lowWeights(g product, t *tensor.Tensor, e *format.Encoded) *form[*kernel.LowWeights] {
	key := weightKey{t: t, form: fmt.Sprint("codes ", g.trans, " ", g.alpha)}
	return formOf(b.p.weights, key, func() (*kernel.LowWeights, error) {
		axis, stepK, stepJ := 1, g.n, 1
		if g.trans {
			axis, stepK, stepJ = 0, 1, g.k
		}
		p, err := e.Pack(axis)
		if err != nil {
			return nil, err
		}
		if g.alpha != 0 && g.alpha != 1 {
			for _, s := range [][]float32{p.Scale, p.Shift} {
				for i := range s {
					s[i] *= g.alpha
				}
			}
		}
		return kernel.PackLow(g.k, g.n, kernel.LowSource{Codes: p.Codes, StepK: stepK, StepJ: stepJ, Bits: p.Bits,
			Levels: p.Levels, Block: p.Block, Scale: p.Scale, Shift: p.Shift})
	})
}
