package format

import (
	"fmt"
	"math"

	"pare/tensor"
)

// Flip rounds some weights of an evenly spaced encoding the other way, so that
// errors add up to less (SQuant, arXiv:2202.07471): by at most half a step over
// the taps of each kernel, and then, moving at most one more weight per kernel,
// over each output channel. A sum of a layer errs by the sum of the errors of its
// weights where neighbouring data are alike, whatever the data are.
//
// w is what was encoded, out the axis of its output channels, and taps how many
// neighbours in memory form a kernel; 1 for dense layers. Blocks count as
// channels. It returns the new error and the number of flipped weights. The
// result does not depend on threads.
func (e *Encoded) Flip(w *tensor.Tensor, out, taps, threads int) (Error, int, error) {
	s := e.Spec
	if s.Kind != Uniform || w.Type != tensor.Float32 || taps < 1 {
		return Error{}, 0, fmt.Errorf("%v of %v weights: only evenly spaced codes can be flipped", s, w.Type)
	}
	codes, err := codesOf(e.Codes)
	if err != nil {
		return Error{}, 0, err
	}
	channels := Spec{Grain: PerChannel, Axis: out}
	if s.Grain == PerBlock {
		channels, taps = s, 1
	}
	l, data := channels.layout(w.Shape), tensor.Data[float32](w)
	scaleOf, zeroOf, err := e.perGroup(l, channels)
	if err != nil {
		return Error{}, 0, err
	}
	lo, hi := int16(-s.Levels()), int16(s.Levels())
	if s.Asymmetric {
		lo = 0
	}
	errs, flips, packed := make([]Error, l.groups), make([]int, l.groups), make([]byte, len(codes))
	l.each(threads, func(from, to int) {
		f := newFlipper(l.size(), taps, lo, hi)
		x, q, bytes := make([]float32, l.size()), make([]int16, l.size()), make([]byte, l.size())
		for g := from; g < to; g++ {
			group := append(q[:0], gather(l, g, codes, q)...)
			values := gather(l, g, data, x)
			flips[g] = f.run(values, group, scaleOf(g), zeroOf(g))
			var t tally
			for i, c := range group {
				bytes[i] = byte(c)
				t.add(values[i], float32(c-zeroOf(g))*scaleOf(g))
			}
			errs[g] = t.error(len(group))
			scatter(l, g, packed, bytes[:len(group)])
		}
	})
	e.Codes = tensor.FromCodes(e.Codes.Type, e.Codes.Shape, packed)
	var total Error
	n := 0
	for g := range errs {
		total.Add(errs[g])
		n += flips[g]
	}
	return total, n, nil
}

// perGroup gives the scale and zero point of the groups of a layout: those of the
// encoding itself, or one for all.
func (e *Encoded) perGroup(l layout, channels Spec) (scale func(g int) float32, zero func(g int) int16, err error) {
	scales := tensor.Data[float32](e.Scale)
	zeros := make([]int16, len(scales))
	if e.Zero != nil {
		if zeros, err = codesOf(e.Zero); err != nil {
			return nil, nil, err
		}
	}
	own := e.Spec.Grain == channels.Grain && e.Spec.Axis == channels.Axis
	if !own && len(scales) != 1 || own && len(scales) != l.groups {
		return nil, nil, fmt.Errorf("%v: scales do not go with output channels", e.Spec)
	}
	at := func(g int) int {
		if own {
			return g
		}
		return 0
	}
	return func(g int) float32 { return scales[at(g)] }, func(g int) int16 { return zeros[at(g)] }, nil
}

// flipper works on one output channel at a time.
type flipper struct {
	taps   int
	lo, hi int16
	err    []float32 // code less number, in steps
	// Per kernel, what is left of its error and the weight that would be flipped
	// next in its direction.
	left []float32
	next []int
	best []int // of the largest errors
}

func newFlipper(size, taps int, lo, hi int16) *flipper {
	kernels := (size + taps - 1) / taps
	return &flipper{taps: taps, lo: lo, hi: hi, err: make([]float32, size), left: make([]float32, kernels), next: make([]int, kernels)}
}

// run flips codes q of x and returns how many.
func (f *flipper) run(x []float32, q []int16, scale float32, zero int16) int {
	for i, v := range x {
		f.err[i] = float32(q[i]-zero) - v/scale
	}
	n, kernels := 0, (len(x)+f.taps-1)/f.taps
	if f.taps == 1 || kernels == 1 {
		return f.settle(q, f.err[:len(x)], nil)
	}
	for k := range kernels {
		from, to := k*f.taps, min((k+1)*f.taps, len(x))
		n += f.kernel(q, k, from, to)
	}
	return n + f.settle(q, f.left[:kernels], f.next[:kernels])
}

// kernel flips weights of one kernel and notes its rest and next weight.
func (f *flipper) kernel(q []int16, k, from, to int) int {
	n := f.settle(q[from:to], f.err[from:to], nil)
	rest := sum(f.err[from:to])
	f.left[k], f.next[k] = rest, -1
	// The next weight is the one with the largest error in the direction of the
	// rest; the last one flipped, when the sum has passed zero, is just that: it
	// may go back.
	largest := float32(-1)
	for i := from; i < to; i++ {
		if e := along(f.err[i], rest); e > largest && f.may(q[i], rest) && e <= 1 {
			largest, f.next[k] = e, i
		}
	}
	return n
}

// settle flips as many of the elements with errors as bring the sum of the errors
// within half a step of 0: those with the largest errors in the direction of the
// sum. Element i stands for code at[i], for itself without at.
func (f *flipper) settle(q []int16, errs []float32, at []int) int {
	total := sum(errs)
	want := int(math.RoundToEven(math.Abs(float64(total))))
	if want == 0 {
		return 0
	}
	code := func(i int) int {
		if at != nil {
			return at[i]
		}
		return i
	}
	f.best = f.best[:0]
	for i, e := range errs {
		u := along(e, total)
		if u <= 0 || u > 0.5 && at == nil || code(i) < 0 || !f.may(q[code(i)], total) {
			continue
		}
		f.insert(errs, i, want, total)
	}
	step := int16(1)
	if total > 0 {
		step = -1
	}
	for _, i := range f.best {
		q[code(i)] += step
		errs[i] += float32(step)
	}
	return len(f.best)
}

// insert keeps the elements with the largest errors in order, at most n; of equal
// ones the first.
func (f *flipper) insert(errs []float32, i, n int, total float32) {
	u := along(errs[i], total)
	if len(f.best) == n {
		if u <= along(errs[f.best[n-1]], total) {
			return
		}
		f.best = f.best[:n-1]
	}
	at := len(f.best)
	f.best = append(f.best, i)
	for ; at > 0 && along(errs[f.best[at-1]], total) < u; at-- {
		f.best[at] = f.best[at-1]
	}
	f.best[at] = i
}

// may reports whether a code can be moved against an error.
func (f *flipper) may(q int16, err float32) bool {
	if err > 0 {
		return q > f.lo
	}
	return q < f.hi
}

// along is the part of e in the direction of total.
func along(e, total float32) float32 {
	if total < 0 {
		return -e
	}
	return e
}

func sum(x []float32) float32 {
	s := 0.0
	for _, v := range x {
		s += float64(v)
	}
	return float32(s)
}
