package cost

import (
	"math"

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
	// Kernels is the number of distinct kernels other than 0, up to their sign,
	// summed over input channels: r_i of RED. Multiples is the number up to a
	// factor, to within 2^-12 of the largest weight of a kernel.
	Kernels   int64 `json:"kernels"`
	Multiples int64 `json:"multiples"`
}

// add adds o to r.
func (r *Reuse) add(o Reuse) {
	r.NonZero += o.NonZero
	r.Products += o.Products
	r.Ones += o.Ones
	r.Kernels += o.Kernels
	r.Multiples += o.Multiples
}

// chunk is the number of inputs that are counted together: their weights lie
// side by side in convolutions of one tap.
const chunk = 16

// Count counts shared products; the result does not depend on threads.
func (w *Weights) Count(threads int) Reuse {
	if w.Out*w.Taps == 0 || w.In*w.Groups == 0 {
		return Reuse{}
	}
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
	var sum Reuse
	for _, p := range parts {
		sum.add(p)
	}
	return sum
}

// counter counts inputs one after the other; it keeps its memory between them.
type counter struct {
	w       *Weights
	columns []float32 // of a chunk
	seen    set
	kernels kernelSet
	phases  [][]int // taps that meet the same numbers
}

func newCounter(w *Weights) *counter {
	n := w.Out * w.Taps
	c := &counter{w: w, columns: make([]float32, min(chunk, w.In)*n), seen: newSet(n)}
	if w.Taps > 1 {
		c.kernels = newKernelSet(w.Out, w.Taps)
	}
	at := map[int]int{}
	for t := range w.Taps {
		meets := 0
		if w.Meets != nil {
			meets = w.Meets[t]
		}
		k, ok := at[meets]
		if !ok {
			k = len(c.phases)
			at[meets] = k
			c.phases = append(c.phases, nil)
		}
		c.phases[k] = append(c.phases[k], t)
	}
	return c
}

// inputs counts the weights of inputs from..to-1 of a group.
func (c *counter) inputs(group, from, to int) (out Reuse) {
	n := c.w.Out * c.w.Taps
	c.fill(group, from, to)
	for i := range to - from {
		out.add(c.column(c.columns[i*n:][:n]))
	}
	return out
}

// column counts the weights of one input.
func (c *counter) column(w []float32) (out Reuse) {
	for _, taps := range c.phases {
		out.add(c.products(w, taps))
	}
	switch {
	case c.w.Taps > 1:
		out.Kernels, out.Multiples = c.kernels.count(w, signed), c.kernels.count(w, scaled)
	case out.NonZero > 0:
		out.Kernels, out.Multiples = out.Products, 1
	}
	return out
}

// fill copies the columns of inputs from..to-1, output by output, as their
// weights are neighbours there.
func (c *counter) fill(group, from, to int) {
	s, taps, n := c.w.Steps, c.w.Taps, c.w.Out*c.w.Taps
	for o := range c.w.Out {
		at := group*s.Group + o*s.Out + from*s.In
		for i := range to - from {
			for t := range taps {
				c.columns[i*n+o*taps+t] = c.w.Values[at+i*s.In+t*s.Tap]
			}
		}
	}
}

// products counts the distinct magnitudes of a column at some taps.
func (c *counter) products(column []float32, taps []int) (out Reuse) {
	c.seen.clear()
	one := math.Float32bits(1)
	for o := 0; o < len(column); o += c.w.Taps {
		for _, t := range taps {
			magnitude := math.Float32bits(column[o+t]) &^ (1 << 31)
			if magnitude == 0 {
				continue
			}
			out.NonZero++
			if c.seen.add(magnitude) {
				out.Products++
				if magnitude == one {
					out.Ones++
				}
			}
		}
	}
	return out
}
