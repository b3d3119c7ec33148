package grad

import (
	"math"

	"pare/kernel"
)

// lines works on every row of n elements: fwd sets y from x, bwd sets dx from dy, x
// and y, with t, of n elements, free to use.
type lines struct {
	fwd func(y, x []float32)
	bwd func(dx, dy, x, y, t []float32)
	// What bwd reads.
	readsX, readsY bool
}

// lowerLines lowers what is done to every line along the attribute axis.
func lowerLines(l lines) func(b *builder) error {
	return func(b *builder) error {
		if len(b.shape(0)) == 0 {
			return lowerReference(b)
		}
		b.alongLast(b.node.Int("axis", -1), func(x, y *slot) { b.lines(x, y, l) })
		return nil
	}
}

// lines makes y by l from rows of x along the axis that lies last.
func (b *builder) lines(x, y *slot, l lines) {
	dims := x.dims()
	n := dims[len(dims)-1]
	rows := x.size() / max(1, n)
	each := max(1, grain/max(1, n))
	st := b.step([]*slot{x}, []*slot{y})
	st.then(spanBy(rows, each, func(lo, hi int) {
		for i := lo * n; i < hi*n; i += n {
			l.fwd(y.data[i:i+n], x.data[i:i+n])
		}
	}))
	if !st.wants(0) {
		return
	}
	if l.readsX {
		st.uses(x)
	}
	if l.readsY {
		st.uses(y)
	}
	w := spanBy(rows, each, nil)
	w.scratch = n
	w.run = func(task int, t []float32) {
		for i := task * each * n; i < min(rows, (task+1)*each)*n; i += n {
			l.bwd(st.dx[0][i:i+n], y.grad[i:i+n], x.data[i:i+n], y.data[i:i+n], t[:n])
		}
	}
	st.back(w)
}

// softmaxLines is e^x/Σe^x: dx = y·(dy - Σy·dy).
var softmaxLines = lines{
	readsY: true,
	fwd:    func(y, x []float32) { kernel.Softmax(y, x, len(x)) },
	bwd: func(dx, dy, _, y, t []float32) {
		kernel.Mul.Run(t, y, dy)
		sum := kernel.RowSum(t)
		kernel.Sub.RunScalar(dx, dy, sum)
		kernel.Mul.Run(dx, dx, y)
	},
}

// logSoftmaxLines is the logarithm of softmax: dx = dy - e^y·Σdy.
var logSoftmaxLines = lines{
	readsY: true,
	fwd: func(y, x []float32) {
		kernel.Softmax(y, x, len(x))
		kernel.Sub.RunScalar(y, x, float32(logSum(x, y)))
	},
	bwd: func(dx, dy, _, y, t []float32) {
		kernel.Exp.Run(t, y)
		kernel.Mul.RunScalar(t, t, kernel.RowSum(dy))
		kernel.Sub.Run(dx, dy, t)
	},
}

// lowerLpNorm divides lines by their norm: dx = (dy - g·Σy·dy)/norm, where g is the
// norm's gradient by x. Lines of zeros stay zeros.
func lowerLpNorm(b *builder) error {
	p := b.node.Int("p", 2)
	norm := func(x []float32) float64 {
		s := 0.0
		for _, v := range x {
			s += math.Pow(math.Abs(float64(v)), float64(p))
		}
		return math.Pow(s, 1/float64(p))
	}
	l := lines{readsX: true, readsY: true, fwd: func(y, x []float32) {
		clear(y)
		if n := norm(x); n > 0 {
			kernel.Mul.RunScalar(y, x, float32(1/n))
		}
	}, bwd: func(dx, dy, x, y, t []float32) {
		n := norm(x)
		clear(dx)
		if n == 0 {
			return
		}
		kernel.Mul.Run(t, y, dy)
		sum := kernel.RowSum(t)
		for i, v := range x {
			g := y[i]
			if p == 1 {
				g = sign(v)
			}
			dx[i] = (dy[i] - g*sum) / float32(n)
		}
	}}
	return lowerLines(l)(b)
}
