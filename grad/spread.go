package grad

import "pare/kernel"

// spreadArithmetic makes z = f(large, s), or f(s, large) where operand small is 0,
// of an operand as large as the result and one that is repeated along axes of 1.
// Both lie as the result does.
func (b *builder) spreadArithmetic(f kernel.Binary, large, s, z *slot, small int) {
	in := []*slot{large, s}
	if small == 0 {
		in = []*slot{s, large}
	}
	st := b.step(in, []*slot{z})
	p := &spreadPair{folding: expansion(z.dims(), s.dims()), st: st, large: large, small: s, z: z, left: small == 0}
	st.then(p.each(func(part []float32, at, from int) { p.apply(f, part, large.data[at:], from) }, func() []float32 { return z.data }))
	p.largeGrad(f, 1-small)
	p.smallGrad(f, small)
}

// spreadPair is the operands and the result of such a step.
type spreadPair struct {
	folding
	st              *step
	large, small, z *slot
	left            bool // the small operand is the first
}

// each is a loop over the parts of an array like the result, each with the place where
// it begins and the element of the small operand that it belongs to, or the first of
// its elements.
func (p *spreadPair) each(f func(part []float32, at, from int), dst func() []float32) work {
	parts := len(p.keep) * len(p.fold)
	return spanBy(parts, max(1, grain/max(1, p.run)), func(lo, hi int) {
		d := dst()
		for i := lo; i < hi; i++ {
			o := i / len(p.fold)
			at := p.keep[o] + p.fold[i%len(p.fold)]
			f(d[at:at+p.run], at, o*p.width())
		}
	})
}

// apply writes f of a part of a large array and its elements of the small one.
func (p *spreadPair) apply(f kernel.Binary, d, large []float32, from int) {
	large = large[:len(d)]
	switch s := p.small.data[from:]; {
	case p.rows && p.left:
		f.RunScalarLeft(d, s[0], large)
	case p.rows:
		f.RunScalar(d, large, s[0])
	case p.left:
		f.Run(d, s[:len(d)], large)
	default:
		f.Run(d, large, s[:len(d)])
	}
}

// largeGrad adds the gradient of the large operand, number i.
func (p *spreadPair) largeGrad(f kernel.Binary, i int) {
	st, z := p.st, p.z
	if f == kernel.Add || f == kernel.Sub && !p.left {
		st.passes(i)
		return
	}
	if !st.wants(i) {
		return
	}
	dx := func() []float32 { return st.dx[i] }
	switch {
	case f == kernel.Sub:
		st.back(span(z.size(), func(lo, hi int) { kernel.Mul.RunScalar(st.dx[i][lo:hi], z.grad[lo:hi], -1) }))
	case f == kernel.Div && p.left:
		st.uses(p.large, z)
		st.back(span(z.size(), func(lo, hi int) { partials[f][1].set(st, st.dx[i][lo:hi], lo, hi) }))
	default: // times or divided by the small operand, on the right
		st.uses(p.small)
		q := *p
		q.left = false
		st.back(p.each(func(d []float32, at, from int) { q.apply(f, d, z.grad[at:], from) }, dx))
	}
}

// smallGrad adds the gradient of the small operand, number i: sums over what it was
// repeated to.
func (p *spreadPair) smallGrad(f kernel.Binary, i int) {
	st, z := p.st, p.z
	if !st.wants(i) {
		return
	}
	dx := func() []float32 { return st.dx[i] }
	grad := func() []float32 { return z.grad }
	switch {
	case f == kernel.Add || f == kernel.Sub:
		scale := float32(1)
		if f == kernel.Sub && !p.left {
			scale = -1
		}
		st.back(p.sum(dx, grad, scale, nil))
		return
	}
	all := st.temp(z.size())
	st.back(p.products(f, all), p.sum(dx, func() []float32 { return all.data }, 1, nil))
}

// products writes, for every element of the result, what it contributes to the
// gradient of the small operand.
func (p *spreadPair) products(f kernel.Binary, all *buffer) work {
	st, z := p.st, p.z
	switch {
	case f == kernel.Mul || p.left:
		st.uses(p.large)
		if f == kernel.Mul {
			return span(z.size(), func(lo, hi int) { f.Run(all.data[lo:hi], z.grad[lo:hi], p.large.data[lo:hi]) })
		}
		return span(z.size(), func(lo, hi int) { kernel.Div.Run(all.data[lo:hi], z.grad[lo:hi], p.large.data[lo:hi]) })
	}
	st.uses(p.small, z)
	return p.each(func(d []float32, at, from int) {
		kernel.Mul.Run(d, z.grad[at:at+len(d)], z.data[at:at+len(d)])
		p.apply(kernel.Div, d, d, from)
		kernel.Mul.RunScalar(d, d, -1)
	}, func() []float32 { return all.data })
}
