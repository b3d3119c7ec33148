package op

import (
	"fmt"
	"math"
	"math/cmplx"

	"pare/ir"
	"pare/tensor"
)

// dftDef is the discrete Fourier transform along an axis. Complex numbers are
// pairs along the last axis. https://onnx.ai/onnx/operators/onnx__DFT.html
var dftDef = Def{
	Name: "DFT", Versions: []int{17, 20}, In: Arity{1, 3}, Out: Arity{1, 1},
	Infer: inferDFT,
	Eval:  evalDFT,
	Raise: map[int]func(*Raising) error{
		20: func(r *Raising) error {
			r.ConstInput(2, "axis", tensor.Scalar(int64(r.Node.Int("axis", 1))))
			r.DropAttrs("axis")
			return nil
		},
	},
}

func evalDFT(c *Eval) error {
	t := c.needRank(0, 2)
	parts := t.Shape[t.Rank()-1]
	if parts != 1 && parts != 2 {
		return fmt.Errorf("the input is %v; its last dimension must be 1 (real) or 2 (complex)", t)
	}
	list := []int{c.Node.Int("axis", 1)}
	if c.Version >= 20 {
		list[0] = -2
		if c.Has(2) {
			c.needLen(2, 1)
			list = c.Ints(2)
		}
	}
	axis, err := signalAxis(list[0], t.Rank())
	if err != nil {
		return err
	}
	inverse, oneSided := c.Node.Int("inverse", 0) != 0, c.Node.Int("onesided", 0) != 0
	length := t.Shape[axis]
	if inverse && oneSided {
		length = 2 * (length - 1)
	}
	if c.Has(1) {
		c.needLen(1, 1)
		length = c.Ints(1)[0]
	}
	if length < 1 || length > maxExtent {
		return fmt.Errorf("a transform of length %d is not possible", length)
	}
	bins, outParts := spectrumSize(length, inverse, oneSided)
	shape := append([]int(nil), t.Shape...)
	shape[axis], shape[len(shape)-1] = bins, outParts
	y := c.zeros(shape...)
	outer, n, inner := split3(t.Shape[:t.Rank()-1], axis)
	x := c.reals(0)
	c.fits(tensor.Complex128, []int{length})
	line := make([]complex128, length)
	for o := range outer {
		for in := range inner {
			if err := c.Ctx.Err(); err != nil {
				return err
			}
			clear(line)
			for k := range min(n, length) {
				at := ((o*n+k)*inner + in) * parts
				line[k] = complex(x[at], 0)
				if parts == 2 {
					line[k] = complex(x[at], x[at+1])
				}
			}
			if inverse && oneSided {
				mirror(line)
			}
			for k, v := range fourier(line, inverse)[:bins] {
				at := ((o*bins+k)*inner + in) * outParts
				y[at] = real(v)
				if outParts == 2 {
					y[at+1] = imag(v)
				}
			}
		}
	}
	c.rounded(0, t.Type, shape, y)
	return nil
}

// spectrumSize is the number of results of a transform, and how many numbers
// each has.
func spectrumSize(length int, inverse, oneSided bool) (bins, parts int) {
	switch {
	case !oneSided:
		return length, 2
	case inverse:
		return length, 1
	}
	return length/2 + 1, 2
}

// signalAxis resolves the axis of a signal; the last axis holds the parts of
// complex numbers.
func signalAxis(axis, rank int) (int, error) {
	a, err := normAxis(axis, rank)
	if err == nil && a == rank-1 {
		err = fmt.Errorf("axis %d holds the parts of complex numbers", axis)
	}
	return a, err
}

// mirror completes the spectrum of a real signal from its first half.
func mirror(x []complex128) {
	n := len(x)
	x[0] = complex(real(x[0]), 0)
	for k := 1; k <= n/2; k++ {
		if 2*k == n {
			x[k] = complex(real(x[k]), 0)
		}
		x[n-k] = cmplx.Conj(x[k])
	}
}

// fourier is the transform of x; the inverse one is divided by the length.
func fourier(x []complex128, inverse bool) []complex128 {
	turn := -2 * math.Pi / float64(len(x))
	if inverse {
		turn = -turn
	}
	roots := make([]complex128, len(x))
	for i := range roots {
		roots[i] = cmplx.Rect(1, turn*float64(i))
	}
	y := make([]complex128, len(x))
	splitTransform(y, x, 1, roots)
	if inverse {
		for i := range y {
			y[i] /= complex(float64(len(y)), 0)
		}
	}
	return y
}

// splitTransform splits the elements of x that lie step apart by the smallest prime
// factor of their number, as Cooley and Tukey do.
func splitTransform(y, x []complex128, step int, roots []complex128) {
	n := len(y)
	if n <= 1 {
		copy(y, x[:n])
		return
	}
	p := smallestFactor(n)
	m := n / p
	for k := range p {
		splitTransform(y[k*m:(k+1)*m], x[k*step:], step*p, roots)
	}
	part := make([]complex128, p)
	for i := range m {
		for k := range part {
			part[k] = y[k*m+i]
		}
		for q := range p {
			var sum complex128
			for k, v := range part {
				sum += v * roots[(i+q*m)*k%n*step]
			}
			y[q*m+i] = sum
		}
	}
}

func smallestFactor(n int) int {
	for p := 2; p*p <= n; p++ {
		if n%p == 0 {
			return p
		}
	}
	return n
}

func inferDFT(c *Shape) error {
	x := c.In[0]
	c.Set(0, ir.UnrankedType(x.DType))
	if ok, err := c.inferRank(0, 2); !ok {
		return err
	}
	out := append([]ir.Dim(nil), x.Shape...)
	list, ok := []int{c.Node.Int("axis", 1)}, true
	if c.Version >= 20 {
		list = []int{-2}
		if c.Has(2) {
			list, ok = c.Ints(2)
		}
	}
	if !ok || len(list) != 1 {
		c.Set(0, ir.TensorType(x.DType, unknownDims(len(out))...))
		return nil
	}
	axis, err := signalAxis(list[0], len(out))
	if err != nil {
		return err
	}
	inverse, oneSided := c.Node.Int("inverse", 0) != 0, c.Node.Int("onesided", 0) != 0
	length := out[axis]
	if inverse && oneSided {
		length = ir.Unknown
		if out[axis].IsKnown() {
			length = ir.Known(max(0, 2*(out[axis].N-1)))
		}
	}
	if c.Has(1) {
		length = ir.Unknown
		if v, ok := c.Ints(1); ok && len(v) == 1 && v[0] > 0 {
			length = ir.Known(v[0])
		}
	}
	bins, parts := spectrumSize(max(0, length.N), inverse, oneSided)
	out[axis], out[len(out)-1] = ir.Known(bins), ir.Known(parts)
	if !length.IsKnown() {
		out[axis] = ir.Unknown
		if !oneSided || inverse {
			out[axis] = length
		}
	}
	c.Set(0, ir.TensorType(x.DType, out...))
	return nil
}
