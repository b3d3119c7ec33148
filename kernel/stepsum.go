package kernel

import "sync"

// sumPart is how many elements of a sum are computed before they become codes.
const sumPart = 512

// sumLoan holds both terms of a part, and the scale that one is read with.
type sumLoan struct {
	x, y  [sumPart]float32
	scale *Scales
}

var sumLoanPool = sync.Pool{New: func() any { return &sumLoan{scale: NewScales([]Scale{{}})} }}

func (l *sumLoan) read(dst []float32, t Term, i int) {
	l.scale.step[0] = t.Mul
	DequantizeU8(dst, t.Codes[i:][:len(dst)], l.scale)
}

// addSteps is AddCodes for sums with steps.
func addSteps(dst []uint8, x, y Term, s Sum) {
	l := sumLoanPool.Get().(*sumLoan)
	lo, hi := -inf, inf
	if s.Lo < s.Hi {
		lo, hi = s.Lo, s.Hi
	}
	for i := 0; i < len(dst); i += sumPart {
		d := dst[i:min(i+sumPart, len(dst))]
		u, v := l.x[:len(d)], l.y[:len(d)]
		l.read(u, x, i)
		l.read(v, y, i)
		Add.Run(u, u, v)
		Affine(u, u, 1, s.Shift, lo, hi)
		s.Steps.Run(d, u, 1, 0)
	}
	sumLoanPool.Put(l)
}
