package kernel

import "unsafe"

// Steps is a function of one number, in bytes, that is constant on equal steps:
// its value at y is that of step trunc(clamp(y)). A number that is none counts
// as the least. Build it once with NewSteps.
type Steps struct {
	values []uint8
	floats *stepTree[uint32] // of 8 lanes
	words  *stepTree[uint16] // of 32 lanes
}

// NewSteps takes the values by step, at least one; they must stay as they are.
func NewSteps(values []uint8) *Steps {
	s := &Steps{values: values}
	if starts := runStarts(values); starts != nil {
		s.floats = newStepTree(values, starts, 8, floatStep)
		s.words = newStepTree(values, starts, 32, wordStep)
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
	a := stepPool.Get().(*stepArgs)
	*a = stepArgs{dst: dst, src: src[:len(dst)], rows: 1, cols: len(dst), factor: factor, offset: offset}
	s.matrix(a)
	*a = stepArgs{}
	stepPool.Put(a)
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
	tree           unsafe.Pointer
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
