package format

import (
	"fmt"
	"slices"

	"pare/internal/par"
	"pare/tensor"
)

// Compensation steers Encoded.Compensate.
type Compensation struct {
	// Products are sums of products of every two of the K numbers that a row of weights
	// meets, K·K of them row by row, over samples: one matrix for all rows, or one for
	// each group of a convolution with groups. The order of the K numbers is that of the
	// weights in memory.
	Products [][]float64
	// Damp is added to the diagonal, relative to its mean. It grows tenfold, at most four
	// times, where products are too near to singular.
	Damp float64
	// Ordered rounds weights of large data first.
	Ordered bool
	// Refit chooses the scale of each block of weights anew when its turn comes, by Range,
	// where the block is a run of neighbours and Ordered is false.
	Refit   bool
	Range   Range
	Threads int
}

// Compensated says what Encoded.Compensate did. Errors are squared errors of the
// results over the samples that Products come from.
type Compensated struct {
	Rows, Moved   int     // output channels, and those that have new codes
	Before, After float64 // error with the codes as they were, and as they are
	Damp          float64 // as it was needed; 0 when all products are singular all the same
}

// Compensate rounds the weights of every output channel one after the other, each
// rounded so that it makes up for the errors of those before it as far as data are
// alike (OPTQ, arXiv:2210.17323). Where that makes the error of an output channel's
// results larger, or its products are singular, its codes stay. w is what was encoded, out the axis of its output
// channels. Grids stay what they are, but for scales of blocks with Refit. The result
// does not depend on threads.
//
// With products H = R·Rᵀ, R upper triangular, the error of a row is |(w-q)·R|²: weight i
// is the last that the i-th term depends on, and makes it as small as it can. The
// published form, by the inverse of H, chooses the same codes.
func (e *Encoded) Compensate(w *tensor.Tensor, out int, o Compensation) (Error, Compensated, error) {
	c, err := e.compensator(w, out, o)
	if err != nil {
		return Error{}, Compensated{}, err
	}
	sum := Compensated{Rows: c.rows}
	factors := c.factors()
	chunks := (c.rows + rowsAtATime - 1) / rowsAtATime
	perGroup := c.rows / len(factors)
	if len(factors) > 1 {
		chunks = len(factors)
	}
	parts := make([]Compensated, chunks)
	par.Each(chunks, o.Threads, func(i int) {
		from, to, f := i*rowsAtATime, min((i+1)*rowsAtATime, c.rows), factors[0]
		if len(factors) > 1 {
			from, to, f = i*perGroup, (i+1)*perGroup, factors[i]
		}
		if f != nil {
			parts[i] = c.run(f, from, to)
		}
	})
	for _, p := range parts {
		sum.Moved, sum.Before, sum.After = sum.Moved+p.Moved, sum.Before+p.Before, sum.After+p.After
	}
	for _, f := range factors {
		if f != nil {
			sum.Damp = max(sum.Damp, f.damp)
		}
	}
	c.store()
	d, err := e.difference(w, o.Threads)
	return d, sum, err
}

// rowsAtATime is how many output channels of a group are worked on together.
const rowsAtATime = 32

// difference is the error of the weights themselves.
func (e *Encoded) difference(w *tensor.Tensor, threads int) (Error, error) {
	now, err := e.Decode(threads)
	if err != nil {
		return Error{}, err
	}
	return Difference(tensor.Data[float32](w), tensor.Data[float32](now)), nil
}

// compensator is what all rows share.
type compensator struct {
	Compensation
	e          *Encoded
	w          []float32
	codes      []byte // as they were, then as they are
	shift      uint
	scales     []float32
	zeros      []int16
	grid       *grid
	mids       []float32 // between levels, of grids with levels
	own        layout    // of the encoding
	rows, k    int
	dim, inner int // of the axis of output channels
}

func (e *Encoded) compensator(w *tensor.Tensor, out int, o Compensation) (*compensator, error) {
	if e.Orders != nil || w.Type != tensor.Float32 || out < 0 || out >= w.Rank() {
		return nil, fmt.Errorf("%v of %v weights: cannot be compensated", e.Spec, w.Type)
	}
	c := &compensator{Compensation: o, e: e, w: tensor.Data[float32](w), own: e.Spec.layout(w.Shape), rows: w.Shape[out], dim: w.Shape[out], inner: tensor.Len(w.Shape[out+1:])}
	c.k = len(c.w) / max(1, c.rows)
	for _, p := range o.Products {
		if len(p) != c.k*c.k || c.rows%len(o.Products) != 0 {
			return nil, fmt.Errorf("%d products of data for %d weights in a row", len(p), c.k)
		}
	}
	var err error
	if c.codes, c.shift, err = bytesOf(e.Codes); err != nil {
		return nil, err
	}
	c.codes = slices.Clone(c.codes)
	c.scales, c.zeros = slices.Clone(tensor.Data[float32](e.Scale)), make([]int16, c.own.groups)
	if e.Zero != nil {
		if c.zeros, err = codesOf(e.Zero); err != nil {
			return nil, err
		}
		c.zeros = slices.Clone(c.zeros)
	}
	if len(c.scales) != c.own.groups || len(c.zeros) != c.own.groups {
		return nil, fmt.Errorf("%d scales for %d groups", len(c.scales), c.own.groups)
	}
	for i := 1; i < len(e.Levels); i++ {
		c.mids = append(c.mids, (e.Levels[i-1]+e.Levels[i])/2)
	}
	c.Refit = o.Refit && !o.Ordered && e.Spec.Grain == PerBlock && c.own.inner == 1 && e.Spec.Axis != out
	if c.Refit {
		c.grid = newGrid(e.Spec, NearestLevel)
	}
	return c, nil
}

// store puts the codes, and scales that were chosen anew, into the encoding.
func (c *compensator) store() {
	e := c.e
	e.Codes = tensor.FromCodes(e.Codes.Type, e.Codes.Shape, c.codes)
	if !c.Refit {
		return
	}
	e.Scale = tensor.Of(e.Scale.Shape, c.scales)
	if e.Zero != nil {
		zeros := make([]byte, len(c.zeros))
		for i, z := range c.zeros {
			zeros[i] = byte(z)
		}
		e.Zero = tensor.FromCodes(e.Zero.Type, e.Zero.Shape, zeros)
	}
}

// at is the index of weight k of a row in memory.
func (c *compensator) at(row, k int) int { return (k/c.inner*c.dim+row)*c.inner + k%c.inner }

// group is the group of scales of the weight at an index in memory.
func (c *compensator) group(i int) int {
	l := c.own
	switch l.grain {
	case PerTensor:
		return 0
	case PerChannel:
		return i / l.inner % l.dim
	}
	o, d := i/(l.inner*l.dim), i/l.inner%l.dim
	return (o*l.blocks+d/l.block)*l.inner + i%l.inner
}

// code is the number that a stored byte stands for.
func (c *compensator) code(b byte) int16 { return int16(b) << (c.shift & 15) >> (c.shift & 15) }

// value is what a stored byte stands for on a grid.
func (c *compensator) value(b byte, scale float32, zero int16) float32 {
	if c.e.Levels != nil {
		return float32(c.e.Levels[b] * scale)
	}
	return float32(float32(c.code(b)-zero) * scale)
}
