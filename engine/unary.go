package engine

import (
	"math"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// unaryRows are element-wise functions of one operand.
var unaryRows = []row{
	{op: "Relu", lower: lowerClamp},
	{op: "Clip", since: 11, lower: lowerClamp},
	{op: "Sigmoid", lower: lowerSigmoid},
	{op: "Tanh", lower: unaryKernel(kernel.Tanh)},
	{op: "Erf", lower: unaryKernel(kernel.Erf)},
	{op: "Exp", lower: unaryKernel(kernel.Exp)},
	{op: "Sqrt", lower: unaryKernel(kernel.Sqrt)},
	{op: "HardSwish", lower: unaryKernel(kernel.HardSwish)},
	{op: "Gelu", lower: lowerGelu},
	{op: "HardSigmoid", lower: lowerHardSigmoid},
	{op: "LeakyRelu", lower: lowerLeakyRelu},
	{op: "Neg", lower: affine(-1, 0)},
	{op: "Abs", lower: eachElement("abs", func(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) })},
	{op: "Reciprocal", lower: eachElement("reciprocal", func(x float32) float32 { return 1 / x })},
	{op: "Log", lower: each64("log", math.Log)},
	{op: "Sin", lower: each64("sin", math.Sin)},
	{op: "Cos", lower: each64("cos", math.Cos)},
	{op: "Floor", lower: each64("floor", math.Floor)},
	{op: "Ceil", lower: each64("ceil", math.Ceil)},
	{op: "Round", lower: each64("round", math.RoundToEven)},
	{op: "Softplus", lower: each64("softplus", func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) })},
	{op: "Softsign", lower: each64("softsign", func(x float64) float64 { return x / (1 + math.Abs(x)) })},
	{op: "Elu", lower: lowerElu},
	{op: "Selu", lower: lowerSelu},
}

// unary emits v = f(x) element by element. Where x lies with channels last, so
// does v.
func (b *builder) unary(n *ir.Node, name string, x, v *ir.Value, f func(dst, src []float32)) {
	shape := b.val(v).shape
	total := tensor.Len(shape)
	var from, to place
	row := total
	if len(shape) >= 3 && b.isLast(x) {
		from = b.last(x)
		if !from.dense(shape[1]) {
			row = shape[1]
		}
		to = place{b: newBuf(total)}
		b.val(v).last = to
	} else {
		from, to = b.plain(x), b.newPlain(v)
	}
	end := b.landingOf(v, to, b.val(v).last.b != nil, row%total)
	st := &step{node: n, kernel: end.name(name), flops: int64(total), reads: []*buf{from.b}, writes: []*buf{end.buf()}}
	if row == total {
		st.tasks, st.scratch = tasksFor(total), end.room
		if end.c == nil {
			st.reuse = reuse(from, total)
		}
		st.task = func(fr *frame, task int, scratch []float32) {
			i, j := span(task, total)
			to := end.flow(fr, scratch)
			end.parts(i, j, 1, func(i, j int) { f(to.at(i, j), fr.at(from)[i:j]) })
			to.end()
		}
	} else {
		rows, perTask := total/row, max(1, chunk/row)
		st.tasks, st.scratch = (rows+perTask-1)/perTask, end.room
		st.task = func(fr *frame, task int, scratch []float32) {
			to, s := end.flow(fr, scratch), fr.at(from)
			for r := task * perTask; r < min((task+1)*perTask, rows); r++ {
				f(to.at(r*row, (r+1)*row), s[r*from.stride:r*from.stride+row])
			}
			to.end()
		}
	}
	b.emit(st)
}

func unaryKernel(k kernel.Unary) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		if !b.real(n.In[0], n.Out[0]) {
			return false
		}
		b.unary(n, k.String(), n.In[0], n.Out[0], k.Run)
		return true
	}
}

// eachElement is a row for a function that has no kernel.
func eachElement(name string, f func(float32) float32) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		if !b.real(n.In[0], n.Out[0]) {
			return false
		}
		b.unary(n, name, n.In[0], n.Out[0], func(dst, src []float32) {
			for i, x := range src {
				dst[i] = f(x)
			}
		})
		return true
	}
}

func affine(scale, shift float32) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		if !b.real(n.In[0], n.Out[0]) {
			return false
		}
		b.unary(n, "affine", n.In[0], n.Out[0], func(dst, src []float32) { kernel.Affine(dst, src, scale, shift, -inf, inf) })
		return true
	}
}

func lowerClamp(b *builder, n *ir.Node) bool {
	lo, hi, ok := b.limits(n)
	if !ok {
		return false
	}
	b.unary(n, "clamp", n.In[0], n.Out[0], func(dst, src []float32) { kernel.Clamp(dst, src, lo, hi) })
	return true
}

// lowerSigmoid makes SiLU of x·Sigmoid(x).
func lowerSigmoid(b *builder, n *ir.Node) bool {
	if !b.real(n.In[0], n.Out[0]) {
		return false
	}
	a, _ := siluForm(b, n)
	b.absorb(a.nodes...)
	b.unary(n, a.op.String(), a.of, a.v, a.op.Run)
	return true
}

// other is the operand of a node of two that is not v, nil where both are.
func other(n *ir.Node, v *ir.Value) *ir.Value {
	switch {
	case len(n.In) != 2:
		return nil
	case n.In[0] == v && n.In[1] != v:
		return n.In[1]
	case n.In[1] == v && n.In[0] != v:
		return n.In[0]
	}
	return nil
}

func lowerGelu(b *builder, n *ir.Node) bool {
	if n.Str("approximate", "none") != "none" {
		return false
	}
	return unaryKernel(kernel.GELU)(b, n)
}

// lowerHardSigmoid makes HardSwish of x·HardSigmoid(x) with slope 1/6.
func lowerHardSigmoid(b *builder, n *ir.Node) bool {
	if !b.real(n.In[0], n.Out[0]) {
		return false
	}
	if a, ok := hardSwishOf(b, n); ok {
		b.absorb(a.nodes...)
		b.unary(n, a.op.String(), a.of, a.v, a.op.Run)
		return true
	}
	alpha, beta := n.Float("alpha", 0.2), n.Float("beta", 0.5)
	b.unary(n, "hardsigmoid", n.In[0], n.Out[0], func(dst, src []float32) { kernel.HardSigmoid(dst, src, alpha, beta) })
	return true
}

// sixth reports whether x is 1/6, as exporters round it.
func sixth(x float32) bool { return math.Abs(float64(x)*6-1) < 1e-6 }

func lowerLeakyRelu(b *builder, n *ir.Node) bool {
	if !b.real(n.In[0], n.Out[0]) {
		return false
	}
	alpha := n.Float("alpha", 0.01)
	b.unary(n, "leakyrelu", n.In[0], n.Out[0], func(dst, src []float32) {
		for i, x := range src {
			if x < 0 {
				x *= alpha
			}
			dst[i] = x
		}
	})
	return true
}

// each64 is a row for a function evaluated in float64 and rounded once.
func each64(name string, f func(float64) float64) func(*builder, *ir.Node) bool {
	return eachElement(name, func(x float32) float32 { return float32(f(float64(x))) })
}

func lowerElu(b *builder, n *ir.Node) bool {
	return exponential(n.Float("alpha", 1), 1)(b, n)
}

func lowerSelu(b *builder, n *ir.Node) bool {
	return exponential(n.Float("alpha", 1.67326319217681884765625), n.Float("gamma", 1.05070102214813232421875))(b, n)
}

// exponential is gamma·x where x is positive and gamma·alpha·(eˣ - 1) elsewhere.
func exponential(alpha, gamma float32) func(*builder, *ir.Node) bool {
	return each64("elu", func(x float64) float64 {
		if x > 0 {
			return float64(gamma) * x
		}
		return float64(gamma) * float64(alpha) * math.Expm1(x)
	})
}
