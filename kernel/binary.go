package kernel

// Binary is an element-wise function of two operands.
type Binary int

// The element-wise functions of two operands. Min and Max give the second
// operand where either is NaN.
const (
	Add Binary = iota
	Sub
	Mul
	Div
	Min
	Max
	binaryCount
)

var binaryNames = [binaryCount]string{"add", "sub", "mul", "div", "min", "max"}

// String is the function's name.
func (op Binary) String() string { return binaryNames[op] }

// binaryLoop computes dst[i] = clamp(op(a[i], b[i])); where aOne or bOne is
// set the operand is a[0] or b[0] throughout; both are never set at once.
type binaryLoop func(dst, a, b []float32, aOne, bOne bool, lo, hi float32)

var binaryLoops = func() (t [binaryCount][]impl[binaryLoop]) {
	for op := range binaryCount {
		t[op] = append(archBinary[op], impl[binaryLoop]{"f32_1_go", 0, binaryGo(op)})
	}
	return t
}()

// Run computes dst = op(a, b) for slices of one length; dst may be a or b.
func (op Binary) Run(dst, a, b []float32) {
	op.RunClamp(dst, a, b, -inf, inf)
}

// RunClamp computes dst = min(max(op(a, b), lo), hi).
func (op Binary) RunClamp(dst, a, b []float32, lo, hi float32) {
	if n := len(dst); n > 0 {
		pick(binaryLoops[op])(dst, a[:n], b[:n], false, false, lo, hi)
	}
}

// RunScalar computes dst = op(a, b) with one b.
func (op Binary) RunScalar(dst, a []float32, b float32) {
	if n := len(dst); n > 0 {
		one := onePool.Get().(*[1]float32)
		one[0] = b
		pick(binaryLoops[op])(dst, a[:n], one[:], false, true, -inf, inf)
		onePool.Put(one)
	}
}

// RunScalarLeft computes dst = op(a, b) with one a.
func (op Binary) RunScalarLeft(dst []float32, a float32, b []float32) {
	if n := len(dst); n > 0 {
		one := onePool.Get().(*[1]float32)
		one[0] = a
		pick(binaryLoops[op])(dst, one[:], b[:n], true, false, -inf, inf)
		onePool.Put(one)
	}
}

// RunRows computes dst = op(a, b) where b is one row that every row of a
// meets: per-channel broadcast over the last axis. len(dst) must be a multiple
// of len(b).
func (op Binary) RunRows(dst, a, b []float32) {
	loop := pick(binaryLoops[op])
	for c := len(b); len(dst) > 0; dst, a = dst[c:], a[c:] {
		loop(dst[:c], a[:c], b, false, false, -inf, inf)
	}
}

// RunRowsLeft computes dst = op(a, b) where a is the row that is repeated.
func (op Binary) RunRowsLeft(dst, a, b []float32) {
	loop := pick(binaryLoops[op])
	for c := len(a); len(dst) > 0; dst, b = dst[c:], b[c:] {
		loop(dst[:c], a, b[:c], false, false, -inf, inf)
	}
}

func binaryGo(op Binary) binaryLoop {
	f := [...]func(a, b float32) float32{
		func(a, b float32) float32 { return a + b },
		func(a, b float32) float32 { return a - b },
		func(a, b float32) float32 { return a * b },
		func(a, b float32) float32 { return a / b },
		func(a, b float32) float32 {
			if a < b {
				return a
			}
			return b
		},
		func(a, b float32) float32 {
			if a > b {
				return a
			}
			return b
		},
	}[op]
	return func(dst, a, b []float32, aOne, bOne bool, lo, hi float32) {
		for i := range dst {
			x, y := a[0], b[0]
			if !aOne {
				x = a[i]
			}
			if !bOne {
				y = b[i]
			}
			dst[i] = clampTo(f(x, y), lo, hi)
		}
	}
}
