package cost

import (
	"math"
	"slices"

	"pare/internal/par"
)

// Reuse says what is left of a layer's multiplications, for one output position,
// when products are shared.
type Reuse struct {
	// NonZero is the number of weights that are not 0: an addition each.
	NonZero int64 `json:"non_zero"`
	// Products is the number of distinct magnitudes other than 0, summed over
	// input channels: r_i of RED++ for dense layers.
	Products int64 `json:"products"`
	// Ones are those of the products that are no multiplications: by 1 or -1.
	Ones int64 `json:"ones"`
	// Kernels is the number of kernels of more than one tap other than 0, Distinct
	// that of those of an input channel that differ in more than their sign: r_i of
	// RED.
	Kernels  int64 `json:"kernels"`
	Distinct int64 `json:"distinct_kernels"`
	// Unread is the number of input channels whose weights are all 0, Constant that
	// of output channels; of a sum of terms they are those of the first.
	Unread   int64 `json:"unread"`
	Constant int64 `json:"constant"`
}

// Add adds o to r.
func (r *Reuse) Add(o Reuse) {
	r.NonZero += o.NonZero
	r.Products += o.Products
	r.Ones += o.Ones
	r.Kernels += o.Kernels
	r.Distinct += o.Distinct
	r.Unread += o.Unread
	r.Constant += o.Constant
}

// chunk is the number of inputs that are counted together, as their weights lie
// side by side: what fits in the cache beside the processor.
func (w *Weights) chunk() int {
	const room = 1 << 16
	return min(w.In, 64, max(1, room/(w.Out*w.Taps)))
}

// Count counts shared products; the result does not depend on threads.
func (w *Weights) Count(threads int) Reuse {
	whole := w
	if w = w.gathered(); w.Out*w.Taps == 0 || w.In*w.Groups == 0 {
		return Reuse{}
	}
	chunk := w.chunk()
	chunks := (w.In + chunk - 1) / chunk
	parts := make([]Reuse, w.Groups*chunks)
	workers := min(max(1, threads), len(parts))
	par.Each(workers, workers, func(k int) {
		c := newCounter(w)
		for i := k; i < len(parts); i += workers {
			first := i % chunks * chunk
			parts[i] = c.inputs(i/chunks, first, min(first+chunk, w.In))
		}
	})
	sum := Reuse{Constant: whole.constant()}
	for _, p := range parts {
		sum.Add(p)
	}
	return sum
}

// counter counts inputs one after the other; it keeps its memory between them.
type counter struct {
	w       *Weights
	columns []uint32 // of a chunk: signs and magnitudes
	stride  int      // between columns
	signed  [256]uint32
	one     uint32 // the magnitude of 1
	seen    set
	kernels kernelSet
	phases  [][]int // taps that meet the same numbers
}

func newCounter(w *Weights) *counter {
	n := w.Out * w.Taps
	const line = 16 // columns a power of two apart would share one part of the cache
	c := &counter{w: w, stride: n + line, columns: make([]uint32, w.chunk()*(n+line)), one: math.Float32bits(1), phases: w.phases()}
	if w.Codes != nil {
		c.number()
	} else {
		c.seen = newSet(n)
	}
	if w.Taps > 1 {
		c.kernels = newKernelSet(w.Out, w.Taps)
	}
	return c
}

// sign is the bit of negative numbers, in floats and among the numbers of codes.
const sign = 1 << 31

// number gives the magnitudes of levels small numbers in place of their bits, 0
// that of 0.
func (c *counter) number() {
	numbers := map[float32]uint32{0: 0}
	c.one = 0
	for b, x := range c.w.Levels {
		n, ok := numbers[max(x, -x)]
		if !ok {
			n = uint32(len(numbers))
			numbers[max(x, -x)] = n
		}
		if max(x, -x) == 1 {
			c.one = n
		}
		if x < 0 {
			n |= sign
		}
		c.signed[b] = n
	}
}

// inputs counts the weights of inputs from..to-1 of a group.
func (c *counter) inputs(group, from, to int) (out Reuse) {
	c.fill(group, from, to)
	for i := range to - from {
		out.Add(c.column(c.columns[i*c.stride:][:c.w.Out*c.w.Taps]))
	}
	return out
}

// fill copies the columns of inputs from..to-1, output by output, as their
// weights are neighbours there.
func (c *counter) fill(group, from, to int) {
	w := c.w
	for o := range w.Out {
		at := group*w.Steps.Group + o*w.Steps.Out + from*w.Steps.In
		for t := range w.Taps {
			dst := c.columns[o*w.Taps+t:]
			if w.Codes != nil {
				for i := range to - from {
					dst[i*c.stride] = c.signed[w.Codes[at+i*w.Steps.In]]
				}
			} else {
				for i := range to - from {
					dst[i*c.stride] = math.Float32bits(w.Values[at+i*w.Steps.In])
				}
			}
			at += w.Steps.Tap
		}
	}
}

// column counts the weights of one input.
func (c *counter) column(w []uint32) (out Reuse) {
	if len(c.phases) == 1 {
		out = c.products(w)
	} else {
		own := make([]uint32, 0, len(w))
		for _, taps := range c.phases {
			own = own[:0]
			for o := 0; o < len(w); o += c.w.Taps {
				for _, t := range taps {
					own = append(own, w[o+t])
				}
			}
			out.Add(c.products(own))
		}
	}
	if out.NonZero == 0 {
		out.Unread = 1
	}
	if c.w.Taps > 1 {
		out.Kernels = c.kernels.nonZero(w)
		out.Distinct = out.Kernels
	}
	if out.Distinct > 0 && out.Products < out.NonZero { // kernels may have weights in common
		out.Distinct = c.kernels.count(w)
	}
	return out
}

// products counts the distinct magnitudes of weights.
func (c *counter) products(w []uint32) (out Reuse) {
	if c.w.Codes != nil {
		out.NonZero, out.Products = few(w)
	} else {
		out.NonZero, out.Products = c.seen.count(w)
	}
	if c.one != 0 && slices.ContainsFunc(w, func(b uint32) bool { return b&^sign == c.one }) {
		out.Ones = 1
	}
	return out
}
