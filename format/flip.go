package format

import (
	"fmt"
	"math"

	"pare/tensor"
)

// Flip rounds some weights the other way, so that errors add up to less (SQuant,
// arXiv:2202.07471): over the taps of each kernel, and then, moving at most one
// more weight per kernel, over each output channel; to at most half a step where
// steps are equal. A sum of a layer errs by the sum of the errors of its weights
// where neighbouring data are alike, whatever the data are.
//
// w is what was encoded, out the axis of its output channels, and taps how many
// neighbours in memory form a kernel; 1 for dense layers. Blocks count as
// channels. It returns the new error and the number of flipped weights. The
// result does not depend on threads.
func (e *Encoded) Flip(w *tensor.Tensor, out, taps, threads int) (Error, int, error) {
	s := e.Spec
	codes, err := codesOf(e.Codes)
	if err != nil || w.Type != tensor.Float32 || taps < 1 {
		return Error{}, 0, fmt.Errorf("%v of %v weights, kernels of %d: cannot be flipped", s, w.Type, taps)
	}
	channels := Spec{Grain: PerChannel, Axis: out}
	if s.Grain == PerBlock {
		channels, taps = s, 1
	}
	l, data := channels.layout(w.Shape), tensor.Data[float32](w)
	scaleOf, levelsOf, err := e.perGroup(l, channels)
	if err != nil {
		return Error{}, 0, err
	}
	errs, flips, packed := make([]Error, l.groups), make([]int, l.groups), make([]byte, len(codes))
	l.each(threads, func(from, to int) {
		f := newFlipper(l.size(), taps)
		x, q, bytes := make([]float32, l.size()), make([]int16, l.size()), make([]byte, l.size())
		for g := from; g < to; g++ {
			group := append(q[:0], gather(l, g, codes, q)...)
			values := gather(l, g, data, x)
			f.levels, f.least = levelsOf(g)
			flips[g] = f.run(values, group, scaleOf(g))
			var t tally
			for i, c := range group {
				bytes[i] = byte(c)
				t = t.with(values[i], float32(f.levels[c-f.least]*scaleOf(g)))
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

// perGroup gives the scale of the groups of a layout, and the levels in units of
// it, with the code of the first.
func (e *Encoded) perGroup(l layout, channels Spec) (scale func(g int) float32, levels func(g int) ([]float32, int16), err error) {
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
	return func(g int) float32 { return scales[at(g)] }, func(g int) ([]float32, int16) {
		if e.Levels != nil {
			return e.Levels, 0
		}
		return e.Spec.steps(zeros[at(g)])
	}, nil
}

// steps are the levels of an evenly spaced grid in units of its scale, and the
// least code.
func (s Spec) steps(zero int16) (levels []float32, least int16) {
	if !s.Asymmetric {
		least = -int16(s.Levels())
	}
	for q := least; q <= int16(s.Levels()); q++ {
		levels = append(levels, float32(q-zero))
	}
	return levels, least
}

// flipper works on one output channel at a time.
type flipper struct {
	levels []float32 // in units of the scale, of codes from least on
	least  int16
	taps   int
	err    []float32 // level less number, in units of the scale
	// Per kernel, what is left of its error and the weight that would be flipped
	// next in its direction, -1 for none.
	left []float32
	next []int
	heap []candidate
}

// candidate is a weight that may be flipped: by how much that moves the sum of
// errors, and what it costs, the growth of the squared error, for each unit of
// that.
type candidate struct {
	cost, gap float32
	at        int // of the error
}

func (c candidate) before(d candidate) bool {
	return c.cost < d.cost || c.cost == d.cost && c.at < d.at
}

func newFlipper(size, taps int) *flipper {
	kernels := (size + taps - 1) / taps
	return &flipper{taps: taps, err: make([]float32, size), left: make([]float32, kernels), next: make([]int, kernels)}
}

// run flips codes q of x and returns how many times it did.
func (f *flipper) run(x []float32, q []int16, scale float32) int {
	for i, v := range x {
		f.err[i] = f.levels[q[i]-f.least] - v/scale
	}
	n, kernels := 0, (len(x)+f.taps-1)/f.taps
	if f.taps == 1 || kernels == 1 {
		return f.settle(q, f.err[:len(x)], nil)
	}
	for k := range kernels {
		n += f.kernel(q, k, k*f.taps, min((k+1)*f.taps, len(x)))
	}
	return n + f.settle(q, f.left[:kernels], f.next[:kernels])
}

// kernel flips weights of one kernel and notes its rest and next weight: the
// cheapest in the direction of the rest. Where the sum has passed zero, that is
// the last one flipped, which may go back.
func (f *flipper) kernel(q []int16, k, from, to int) int {
	n := f.settle(q[from:to], f.err[from:to], nil)
	rest := sum(f.err[from:to])
	f.left[k], f.next[k] = rest, -1
	best := candidate{cost: float32(math.Inf(1))}
	for i := from; i < to; i++ {
		u, gap := along(f.err[i], rest), f.gap(q[i], rest)
		if c := (candidate{gap - 2*u, gap, i}); u > 0 && u <= gap && c.before(best) {
			best, f.next[k] = c, i
		}
	}
	return n
}

// gap is the distance to the next level against an error, 0 where there is none.
func (f *flipper) gap(q int16, err float32) float32 {
	i := int(q - f.least)
	switch {
	case err > 0 && i > 0:
		return f.levels[i] - f.levels[i-1]
	case err < 0 && i+1 < len(f.levels):
		return f.levels[i+1] - f.levels[i]
	}
	return 0
}

// settle flips elements until none brings the sum of the errors closer to 0 that
// errs in its direction, the cheapest first. Element i stands for code at[i], for
// itself without at.
func (f *flipper) settle(q []int16, errs []float32, at []int) int {
	total := sum(errs)
	step := int16(1)
	if total > 0 {
		step = -1
	}
	code := func(i int) int {
		if at != nil {
			return at[i]
		}
		return i
	}
	f.heap = f.heap[:0]
	for i, e := range errs {
		u := along(e, total)
		if u <= 0 || code(i) < 0 {
			continue
		}
		gap := f.gap(q[code(i)], total)
		if gap == 0 || at == nil && u > 0.501*gap { // beyond the grid
			continue
		}
		f.heap = append(f.heap, candidate{gap - 2*u, gap, i})
	}
	n := 0
	for f.order(); len(f.heap) > 0 && along(total, float32(-step)) > 0; f.pop() {
		c := f.heap[0]
		if c.gap >= 2*along(total, float32(-step)) {
			continue
		}
		q[code(c.at)] += step
		errs[c.at] += float32(step) * c.gap
		total += float32(step) * c.gap
		n++
	}
	return n
}

// order makes a heap of the candidates, the cheapest first.
func (f *flipper) order() {
	for i := len(f.heap)/2 - 1; i >= 0; i-- {
		f.sink(i)
	}
}

func (f *flipper) pop() {
	last := len(f.heap) - 1
	f.heap[0] = f.heap[last]
	f.heap = f.heap[:last]
	f.sink(0)
}

func (f *flipper) sink(i int) {
	h := f.heap
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && h[c+1].before(h[c]) {
			c++
		}
		if !h[c].before(h[i]) {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
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
