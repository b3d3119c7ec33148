package decompose

import (
	"math"
	"slices"
)

// near is by how much entries of two kernels may differ, in parts of their largest,
// for the kernels to count as multiples of each other: a few units in the last
// place, as rounding a multiple leaves them.
const near = 1.0 / (1 << 21)

// kernels are the weights of a convolution whose output channels read all input
// channels: outs times ins kernels of taps numbers.
type kernels struct {
	outs, ins, taps int
	data            []float32
	exact           bool // multiples other than the negative count as distinct
}

// at is what output channel o makes of input channel i.
func (w *kernels) at(i, o int) []float32 { return w.data[(o*w.ins+i)*w.taps:][:w.taps] }

// classes tell the kernels of one input channel apart: those that are multiples of
// each other are one class.
type classes struct {
	// first is, by class, the output channel whose kernel stands for the class, the
	// first one that has it. Classes are in the order of these.
	first []int
	// of is the class by output channel, -1 for kernels of zeros.
	of []int
	// factor is what the kernel that stands for the class is multiplied by, 0 for
	// kernels of zeros.
	factor []float32
}

// reader goes through the input channels of weights one after the other. It is
// not for concurrent use.
type reader struct {
	classes
	w     *kernels
	top   []int // by class: the index of the largest magnitude
	table []int // of class+1, by hash
	shift uint
	mix   []float64
	keys  []float64
	order []int
	into  []int
}

func newReader(w *kernels) *reader {
	size, shift := 4, uint(30)
	for size < 2*w.outs {
		size, shift = size*2, shift-1
	}
	r := &reader{w: w, table: make([]int, size), shift: shift, mix: make([]float64, w.taps)}
	for t := range r.mix {
		_, f := math.Modf(float64(t+1) * math.Phi)
		r.mix[t] = 0.5 + f
	}
	return r
}

// read tells the kernels of an input channel apart. The result is valid until the
// next call.
func (r *reader) read(channel int) *classes {
	c := &r.classes
	c.first, c.of, c.factor, r.top = c.first[:0], c.of[:0], c.factor[:0], r.top[:0]
	clear(r.table)
	for o := range r.w.outs {
		k := r.w.at(channel, o)
		top := largest(k)
		if k[top] == 0 {
			c.of, c.factor = append(c.of, -1), append(c.factor, 0)
			continue
		}
		class, factor := r.find(channel, o, k, top)
		c.of, c.factor = append(c.of, class), append(c.factor, factor)
	}
	if len(c.first) > 1 && !r.w.exact {
		r.multiples(channel)
	}
	return c
}

// find returns the class of kernels that are the same as k save for the sign, a new
// one where there is none yet.
func (r *reader) find(channel, o int, k []float32, top int) (class int, factor float32) {
	c := &r.classes
	h := r.hash(k, k[top] < 0)
	for at := h; ; at++ {
		slot := &r.table[at&(len(r.table)-1)]
		if *slot == 0 {
			c.first, r.top = append(c.first, o), append(r.top, top)
			*slot = len(c.first)
			return len(c.first) - 1, 1
		}
		class := *slot - 1
		first := r.w.at(channel, c.first[class])
		factor := float32(1)
		if (first[top] < 0) != (k[top] < 0) {
			factor = -1
		}
		if same(first, k, factor) {
			return class, factor
		}
	}
}

func same(a, b []float32, factor float32) bool {
	for i, x := range a {
		if x*factor != b[i] {
			return false
		}
	}
	return true
}

// hash mixes the entries of k, their signs turned where negative is true.
func (r *reader) hash(k []float32, negative bool) int {
	h := uint32(2166136261)
	for _, x := range k {
		if negative {
			x = -x
		}
		h = (h ^ math.Float32bits(x+0)) * 0x9E3779B1
		h ^= h >> 15
	}
	return int(h * 0x85EBCA6B >> r.shift)
}

// largest is the index of the largest magnitude, the first one.
func largest(k []float32) (at int) {
	for i, x := range k {
		if abs(x) > abs(k[at]) {
			at = i
		}
	}
	return at
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// multiples joins classes whose kernels are multiples of each other. Kernels over
// their largest entries are put in the order of one weighted sum of theirs, in
// which only neighbours can be the same.
func (r *reader) multiples(channel int) {
	c := &r.classes
	n := len(c.first)
	r.keys, r.order, r.into = resize(r.keys, n), resize(r.order, n), resize(r.into, n)
	slack := 0.0
	for _, m := range r.mix {
		slack += m * near
	}
	for i, o := range c.first {
		k := r.w.at(channel, o)
		r.keys[i], r.order[i], r.into[i] = 0, i, i
		for t, x := range k {
			r.keys[i] += r.mix[t] * float64(x) / float64(k[r.top[i]])
		}
	}
	slices.SortFunc(r.order, func(a, b int) int {
		if d := r.keys[a] - r.keys[b]; d != 0 {
			return int(math.Copysign(1, d))
		}
		return a - b
	})
	joined := false
	for at, i := range r.order {
		for q := at - 1; q >= 0 && r.keys[i]-r.keys[r.order[q]] <= slack; q-- {
			if j := r.order[q]; r.into[j] == j && r.multiple(channel, i, j) {
				r.into[i], joined = j, true
				break
			}
		}
	}
	if joined {
		r.rename(channel)
	}
}

// multiple reports whether the kernels of two classes are multiples of each other.
func (r *reader) multiple(channel, i, j int) bool {
	a, b := r.w.at(channel, r.classes.first[i]), r.w.at(channel, r.classes.first[j])
	p, q := float64(a[r.top[i]]), float64(b[r.top[j]])
	for t := range a {
		if math.Abs(float64(a[t])/p-float64(b[t])/q) > near {
			return false
		}
	}
	return true
}

// rename numbers what is left of the classes by their first kernels.
func (r *reader) rename(channel int) {
	c := &r.classes
	head := resize(r.order, len(c.first)) // the first class of each joined set
	for i := range head {
		head[i] = len(head)
	}
	for i := range c.first {
		head[r.into[i]] = min(head[r.into[i]], i)
	}
	scale, number := make([]float32, len(c.first)), make([]int, len(c.first))
	first := c.first[:0:0]
	for i, o := range c.first {
		h := head[r.into[i]]
		if h == i {
			number[i], scale[i] = len(first), 1
			first = append(first, o)
			continue
		}
		t := r.top[h]
		number[i] = number[h]
		scale[i] = r.w.at(channel, o)[t] / r.w.at(channel, c.first[h])[t]
	}
	for o, k := range c.of {
		if k >= 0 {
			c.of[o], c.factor[o] = number[k], c.factor[o]*scale[k]
		}
	}
	c.first = first
}

func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
