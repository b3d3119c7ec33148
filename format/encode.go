package format

import (
	"fmt"
	"math"
	"slices"

	"pare/kernel"
	"pare/tensor"
)

// Range says how the largest representable magnitude of a group is chosen.
type Range uint8

// MaxRange represents the largest magnitude exactly. MSERange clips where the
// mean squared error is least. PercentileRange clips at a percentile of the
// magnitudes.
const (
	MaxRange Range = iota
	MSERange
	PercentileRange
)

// Options steer Encode.
type Options struct {
	Range      Range
	Percentile float64 // of PercentileRange, 99.9 when 0
	Rounding   Rounding
	// Importance weighs the elements' squared errors against each other when a
	// codebook is made, in the order of the tensor; nil weighs all alike.
	Importance []float32
	// MinScale holds a lower bound for the scale of each group, or is nil.
	MinScale []float32
	Threads  int
}

// Encoded is a tensor in a number format.
type Encoded struct {
	Spec  Spec
	Codes *tensor.Tensor // integers of Spec.Row().Type, in the tensor's shape
	Scale *tensor.Tensor // Float32: [], [channels], or the blocked shape
	Zero  *tensor.Tensor // zero points, of the type and shape of codes and scale; nil means 0
	// Levels are the ascending levels of a power grid or a codebook: code q
	// stands for Levels[q] times the scale. They are integers, save for
	// codebooks without a largest level.
	Levels []float32
	// Orders are the terms whose sum a residual expansion is, the first one
	// included, whose codes and scale are repeated above; nil otherwise.
	Orders []Order
}

// NotFiniteError reports a weight that is NaN or infinite.
type NotFiniteError struct {
	Index int
	Value float32
}

// Error implements error.
func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("element %d is %v: weights must be finite", e.Index, e.Value)
}

// dead is the largest magnitude of a group that counts as zero: scales below it
// would be denormal numbers, which some processors flush.
const dead = 1e-30

// Encode stores the Float32 tensor w as s says and returns what that cost. The
// result does not depend on Options.Threads. It reports non-finite elements as
// *NotFiniteError.
func Encode(w *tensor.Tensor, s Spec, o Options) (*Encoded, Error, error) {
	if s.Kind == Codebook {
		return encodeCodebook(w, s, o)
	}
	g := newGrid(s, o.Rounding)
	zeros := make([]byte, s.layout(w.Shape).groups)
	e, cost, err := encodeEach(w, s, o.Threads, func(k int, x []float32, codes []byte) (float32, Error) {
		least := float32(0)
		if o.MinScale != nil {
			least = o.MinScale[k]
		}
		scale, zero := g.scale(x, least, o)
		zeros[k] = byte(zero)
		return scale, g.quantise(x, scale, zero, codes)
	})
	if err != nil {
		return nil, cost, err
	}
	if s.Kind == Power {
		e.Levels = mirror(g.mags)
	} else {
		e.Zero = tensor.FromCodes(e.Codes.Type, e.Scale.Shape, zeros)
	}
	return e, cost, nil
}

// encodeEach encodes group by group: f stores the codes of a group's elements
// and returns its scale and error.
func encodeEach(w *tensor.Tensor, s Spec, threads int, f func(group int, x []float32, codes []byte) (float32, Error)) (*Encoded, Error, error) {
	return encodeRanges(w, s, threads, func(int, int) func(int, []float32, []byte) (float32, Error) { return f })
}

// encodeRanges is encodeEach with an f of its own for each of the ranges of
// groups that are worked on at a time.
func encodeRanges(w *tensor.Tensor, s Spec, threads int, with func(from, to int) func(int, []float32, []byte) (float32, Error)) (*Encoded, Error, error) {
	if err := s.Validate(w.Shape); err != nil {
		return nil, Error{}, err
	}
	data, err := finite(w)
	if err != nil {
		return nil, Error{}, err
	}
	l := s.layout(w.Shape)
	scales, errs := make([]float32, l.groups), make([]Error, l.groups)
	codes := make([]byte, len(data))
	l.each(threads, func(from, to int) {
		f, x, out := with(from, to), gather(l, from, to, data), blank(l, from, to, codes)
		for k := from; k < to; k++ {
			scales[k], errs[k] = f(k, x.of(k), out.of(k))
		}
		out.store()
	})
	var total Error
	for _, e := range errs {
		total.Add(e)
	}
	e := &Encoded{Spec: s, Codes: tensor.FromCodes(s.Row().Type, w.Shape, codes), Scale: tensor.Of(s.scaleShape(w.Shape), scales)}
	return e, total, nil
}

// finite returns the elements of a Float32 tensor without NaN and infinities.
func finite(w *tensor.Tensor) ([]float32, error) {
	if w.Type != tensor.Float32 {
		return nil, fmt.Errorf("%v weights: only f32 can be encoded", w.Type)
	}
	data := tensor.Data[float32](w)
	if absMax(data) <= math.MaxFloat32 {
		return data, nil
	}
	for i, v := range data {
		if v-v != 0 {
			return nil, &NotFiniteError{i, v}
		}
	}
	return data, nil
}

// absMax is the largest magnitude in x, infinite where one is NaN.
func absMax(x []float32) float32 {
	if m := kernel.RowSize(x); m == m {
		return m
	}
	return float32(math.Inf(1))
}

// mirror returns -mags[n], ..., -mags[1], 0, mags[1], ..., mags[n].
func mirror(mags []float32) []float32 {
	n := len(mags) - 1
	out := make([]float32, 2*n+1)
	for j := 1; j <= n; j++ {
		out[n-j], out[n+j] = -mags[j], mags[j]
	}
	return out
}

// scale chooses the scale and zero point of a group.
func (g *grid) scale(x []float32, least float32, o Options) (scale, zero float32) {
	if g.Asymmetric {
		return g.affine(x, least)
	}
	m := absMax(x)
	steps := g.n
	if g.Kind == Power {
		steps = g.top
	}
	if m < dead {
		return max(1, least), 0
	}
	switch o.Range {
	case MSERange:
		m = g.clip(x, m, steps)
	case PercentileRange:
		m = percentile(x, o.Percentile)
	}
	return max(m/steps, least), 0
}

func (g *grid) affine(x []float32, least float32) (scale, zero float32) {
	lo, hi := float32(0), float32(0)
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	scale = max(hi/g.n-lo/g.n, least)
	if scale < dead {
		return 1, 0
	}
	return scale, roundEven(-lo / scale)
}

// clip returns the magnitude, at most m, whose grid has the least squared error.
func (g *grid) clip(x []float32, m, steps float32) float32 {
	best, at := g.measure(x, m/steps), m
	for c := float32(0.95); c > 0.2; c -= 0.05 {
		if e := g.measure(x, m*c/steps); e < best {
			best, at = e, m*c
		}
	}
	for _, d := range []float32{-0.025, 0.025} {
		if c := at + d*m; c <= m {
			if e := g.measure(x, c/steps); e < best {
				best, at = e, c
			}
		}
	}
	return at
}

func percentile(x []float32, p float64) float32 {
	if p == 0 {
		p = 99.9
	}
	a := make([]float32, len(x))
	for i, v := range x {
		a[i] = max(v, -v)
	}
	slices.Sort(a)
	m := a[min(len(a)-1, int(math.Ceil(p/100*float64(len(a))))-1)]
	if m < dead {
		return a[len(a)-1]
	}
	return m
}

// Bytes is what the encoding takes in a file, names and headers aside.
func (e *Encoded) Bytes() int {
	if e.Orders != nil {
		return orderBytes(e.Orders)
	}
	n := len(e.Codes.Bytes()) + len(e.Scale.Bytes()) + 4*len(e.Levels)
	if e.Zero != nil {
		n += len(e.Zero.Bytes())
	}
	return n
}

// Decode returns the tensor that the encoding stands for, computed with the
// operations of the ONNX form: (code - zero point) times scale, or level times
// scale, each rounded to float32.
func (e *Encoded) Decode(threads int) (*tensor.Tensor, error) {
	if e.Orders != nil {
		return decodeOrders(e.Orders, threads)
	}
	codes, shift, err := bytesOf(e.Codes)
	if err != nil {
		return nil, err
	}
	l := e.Spec.layout(e.Codes.Shape)
	scales := tensor.Data[float32](e.Scale)
	zeros := make([]int16, l.groups)
	if e.Zero != nil {
		if zeros, err = codesOf(e.Zero); err != nil {
			return nil, err
		}
	}
	if len(scales) != l.groups || len(zeros) != l.groups {
		return nil, fmt.Errorf("%d scales and %d zero points for %d groups", len(scales), len(zeros), l.groups)
	}
	out := tensor.New(tensor.Float32, e.Codes.Shape...)
	y := tensor.Data[float32](out)
	l.each(threads, func(from, to int) {
		q, vals := gather(l, from, to, codes), blank(l, from, to, y)
		for k := from; k < to; k++ {
			v, scale, zero := vals.of(k), scales[k], zeros[k]
			if e.Levels != nil {
				for i, c := range q.of(k) {
					v[i] = e.Levels[c] * scale
				}
				continue
			}
			for i, c := range q.of(k) {
				v[i] = float32(int16(c)<<(shift&15)>>(shift&15)-zero) * scale
			}
		}
		vals.store()
	})
	return out, nil
}
