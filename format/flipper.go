package format

import (
	"cmp"
	"math"
	"slices"
)

// flipper works on one output channel at a time. Codes are counted from the
// least one.
type flipper struct {
	e    *Encoded
	zero int16 // that the tables are for
	taps int
	q    []int16   // room for the codes of a channel
	err  []float32 // level less number, in units of the scale
	// Per kernel, what is left of its error and the weight that would be flipped
	// next in its direction, -1 for none.
	left []float32
	next []int

	levels []float32 // in units of the scale
	least  int16     // code of the first level
	// By code, the distance to the next level below and above, infinite where
	// there is none, and the least of all.
	below, above []float32
	closest      float32

	list []candidate
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

func newFlipper(e *Encoded, size, taps int) *flipper {
	kernels := (size + taps - 1) / taps
	return &flipper{e: e, taps: taps, q: make([]int16, size), err: make([]float32, size), left: make([]float32, kernels), next: make([]int, kernels)}
}

// use makes the tables for codes with the given zero point.
func (f *flipper) use(zero int16) {
	if f.levels != nil && (f.zero == zero || f.e.Levels != nil) {
		return
	}
	f.zero, f.levels, f.least = zero, f.e.Levels, 0
	if f.levels == nil {
		f.levels, f.least = f.e.Spec.steps(zero)
	}
	n, far := len(f.levels), float32(math.Inf(1))
	f.below, f.above, f.closest = make([]float32, n), make([]float32, n), far
	f.below[0], f.above[n-1] = far, far
	for i, l := range f.levels[1:] {
		gap := l - f.levels[i]
		if gap == 0 {
			gap = far
		}
		f.above[i], f.below[i+1], f.closest = gap, gap, min(f.closest, gap)
	}
}

// run flips codes q of x and returns how many times it did.
func (f *flipper) run(x []float32, q []int16, scale float32) int {
	for i, v := range x {
		f.err[i] = f.levels[q[i]] - v/scale
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

// store writes the codes of x and returns their error.
func (f *flipper) store(x []float32, q []int16, scale float32, codes []byte) Error {
	var t tally
	for i, c := range q {
		codes[i] = byte(c + f.least)
		t = t.with(x[i], float32(f.levels[c]*scale))
	}
	return t.error(len(q))
}

// gaps are the distances to the next level against errors with the sign of e.
func (f *flipper) gaps(e float32) []float32 {
	if e > 0 {
		return f.below
	}
	return f.above
}

// kernel flips weights of one kernel and notes its rest and next weight: the
// cheapest in the direction of the rest. Where the sum has passed zero, that is
// the last one flipped, which may go back.
func (f *flipper) kernel(q []int16, k, from, to int) int {
	n := f.settle(q[from:to], f.err[from:to], nil)
	rest := sum(f.err[from:to])
	f.left[k], f.next[k] = rest, -1
	best, gaps, sign := float32(math.Inf(1)), f.gaps(rest), signOf(rest)
	for i, e := range f.err[from:to] {
		gap, u := gaps[q[from+i]], e*sign
		if cost := gap - 2*u; cost < best && u > 0 && u <= gap {
			best, f.next[k] = cost, from+i
		}
	}
	return n
}

// settle flips elements until none brings the sum of the errors closer to 0 that
// errs in its direction, the cheapest first. Element i stands for code at[i], for
// itself without at.
func (f *flipper) settle(q []int16, errs []float32, at []int) int {
	total := sum(errs)
	s := settling{flipper: f, q: q, errs: errs, at: at, sign: signOf(total), gaps: f.gaps(total)}
	s.rest = total * s.sign
	if 2*s.rest <= f.closest {
		return 0
	}
	s.cheapest(min(len(errs), 2+int(min(s.rest/f.closest, mostCheapest))))
	s.take()
	if s.dropped && 2*s.rest > f.closest {
		s.others()
		s.take()
	}
	return s.flips
}

// mostCheapest is how many candidates are kept in order while they are looked for;
// more are rarely needed.
const mostCheapest = 48

// settling is one run of settle.
type settling struct {
	*flipper
	q       []int16
	errs    []float32
	at      []int
	gaps    []float32
	sign    float32
	rest    float32 // of the sum, positive
	flips   int
	dropped bool // there are candidates behind those in the list
}

// fits reports whether an element with error u in the direction of the sum may be
// flipped: not where it lies beyond the grid.
func (s *settling) fits(u, gap float32) bool {
	return u > 0 && (s.at != nil || !(u > 0.501*gap))
}

// gap is the distance to the next level of element i.
func (s *settling) gap(i int) float32 {
	if s.at == nil {
		return s.gaps[s.q[i]]
	}
	if s.at[i] < 0 {
		return float32(math.Inf(1))
	}
	return s.gaps[s.q[s.at[i]]]
}

// cheapest lists the first candidates in their order.
func (s *settling) cheapest(most int) {
	list, worst := s.list[:0], float32(math.Inf(1))
	for i, e := range s.errs {
		gap, u := s.gap(i), e*s.sign
		cost := gap - 2*u
		if !(cost < worst) || !s.fits(u, gap) {
			s.dropped = s.dropped || !(cost < worst) && len(list) == most
			continue
		}
		if len(list) < most {
			list = append(list, candidate{})
		} else {
			s.dropped = true
		}
		k := len(list) - 1
		for ; k > 0 && cost < list[k-1].cost; k-- {
			list[k] = list[k-1]
		}
		list[k] = candidate{cost, gap, i}
		if len(list) == most {
			worst = list[most-1].cost
		}
	}
	s.list = list
}

// others lists the candidates behind the last of the list that are still small
// enough, in their order.
func (s *settling) others() {
	last := s.list[len(s.list)-1]
	list := s.list[:0]
	for i, e := range s.errs {
		gap, u := s.gap(i), e*s.sign
		if c := (candidate{gap - 2*u, gap, i}); gap < 2*s.rest && last.before(c) && s.fits(u, gap) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.at, b.at))
	})
	s.list = list
}

// take flips the listed candidates in their order.
func (s *settling) take() {
	step := int16(-s.sign)
	for _, c := range s.list {
		if 2*s.rest <= s.closest {
			return
		}
		if c.gap >= 2*s.rest {
			continue
		}
		at := c.at
		if s.at != nil {
			at, s.at[c.at] = s.at[c.at], -1 // no weight is flipped twice
		}
		s.q[at] += step
		s.errs[c.at] -= s.sign * c.gap
		s.rest -= c.gap
		s.flips++
	}
}

// signOf is the sign of x, 1 for 0.
func signOf(x float32) float32 {
	if x < 0 {
		return -1
	}
	return 1
}

func sum(x []float32) float32 {
	s := 0.0
	for _, v := range x {
		s += float64(v)
	}
	return float32(s)
}
