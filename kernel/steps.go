package kernel

import (
	"math"
	"sync"
	"unsafe"
)

// Steps is a function of one number, in bytes, that is constant on equal steps:
// its value at y is that of step trunc(clamp(y)). A number that is none counts
// as the least. Build it once with NewSteps.
type Steps struct {
	values []uint8
	trees  map[int]*stepTree // by lanes of a vector
}

// NewSteps takes the values by step, at least one; they must stay as they are.
func NewSteps(values []uint8) *Steps {
	s := &Steps{values: values, trees: map[int]*stepTree{}}
	for _, lanes := range []int{8, 16} {
		if t := newStepTree(values, lanes); t != nil {
			s.trees[lanes] = t
		}
	}
	return s
}

// at is the value at y.
func (s *Steps) at(y float32) uint8 {
	if !(y > 0) {
		return s.values[0]
	}
	return s.values[int(min(y, float32(len(s.values)-1)))]
}

// Run writes the values at x·factor + offset, product and sum each rounded.
func (s *Steps) Run(dst []uint8, src []float32, factor, offset float32) {
	if len(dst) == 0 {
		return
	}
	s.matrix(&stepArgs{dst: dst, src: src[:len(dst)], rows: 1, cols: len(dst), factor: factor, offset: offset})
}

// matrix is Run for rows that lie apart.
func (s *Steps) matrix(a *stepArgs) {
	if a.ldd == a.cols && a.lds == a.cols {
		a.rows, a.cols = 1, a.rows*a.cols
	}
	pick(stepLoops)(s, a)
}

// stepArgs is one call of a stepLoop. Assembly reads it by offset
// (TestArgsLayout).
type stepArgs struct {
	dst            []uint8
	src            []float32
	tree           *uint32
	more           int // groups behind the first
	rows, cols     int
	ldd, lds       int // elements from one row to the next
	factor, offset float32
}

// stepLoop writes the values of a matrix. All rows of the table give the same
// bytes.
type stepLoop func(s *Steps, a *stepArgs)

var stepLoops = append(archSteps, impl[stepLoop]{"f32u8_1_go", 0, func(s *Steps, a *stepArgs) { s.from(0, a) }})

// from starts at column i of every row.
func (s *Steps) from(i int, a *stepArgs) {
	for r := range a.rows {
		d, x := a.dst[r*a.ldd:][:a.cols], a.src[r*a.lds:][:a.cols]
		for j := i; j < a.cols; j++ {
			d[j] = s.at(float32(x[j]*a.factor) + a.offset)
		}
	}
}

// stepTree finds the run of equal values that a number lies in by comparison
// with the first steps of the runs, which are numbered: a vector holds those of
// every more+1st run, to be searched by bisection, and one vector for each of the
// runs between tells whether they are reached.
//
// Words are in the order of use: the first vector and as many of padding; the
// values of the runs in it; and first steps and values of the runs between.
type stepTree struct {
	words []uint32
	more  int
}

// maxRuns bounds the runs that a tree is made for.
const maxRuns = 256

func newStepTree(values []uint8, lanes int) *stepTree {
	firsts := []float32{-inf}
	for i := 1; i < len(values); i++ {
		if values[i] != values[i-1] {
			firsts = append(firsts, float32(i))
		}
	}
	if len(firsts) > maxRuns {
		return nil
	}
	groups := (len(firsts) + lanes - 1) / lanes
	t := &stepTree{words: make([]uint32, 0, 2*lanes*(groups+1)), more: groups - 1}
	first := func(run int) uint32 {
		if run >= len(firsts) {
			return math.Float32bits(inf)
		}
		return math.Float32bits(firsts[run])
	}
	value := func(run int) uint32 { return uint32(values[int(max(0, firsts[min(run, len(firsts)-1)]))]) }
	add := func(f func(run int) uint32, n, group int) {
		for i := range n {
			t.words = append(t.words, f(i*groups+group))
		}
	}
	add(first, 2*lanes, 0)
	add(value, lanes, 0)
	for g := 1; g < groups; g++ {
		add(first, lanes, g)
		add(value, lanes, g)
	}
	return t
}

// call runs a routine for vectors of so many lanes, or reports that the table
// has no tree.
func (s *Steps) call(lanes int, f func(*byte), a *stepArgs) bool {
	t := s.trees[lanes]
	if t == nil {
		return false
	}
	a.tree, a.more = unsafe.SliceData(t.words), t.more
	f((*byte)(unsafe.Pointer(a)))
	return true
}

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
