package kernel

// The portable transforms. The points of Winograd's form for 4x4 outputs are 0,
// ±p, ±q and infinity: of all pairs tried these left the least error, half that
// of the usual 1 and 2, and all powers in use are exact.
const winoP, winoQ = 0.625, 1.5

// winogradLine names a transform of a line of numbers.
type winogradLine int

const (
	lineIn4 winogradLine = iota
	lineOut4
	lineIn2
	lineOut2
	lineSpread4
	lineGather4
	lineSpread2
	lineGather2
)

// apply works in place. Calls by name, unlike those of function values, let the
// line stay on the stack.
func (l winogradLine) apply(v *[6]float32) {
	switch l {
	case lineIn4:
		winogradIn4(v)
	case lineOut4:
		winogradOut4(v)
	case lineIn2:
		winogradIn2(v)
	case lineOut2:
		winogradOut2(v)
	case lineSpread4:
		winogradSpread4(v)
	case lineGather4:
		winogradGather4(v)
	case lineSpread2:
		*v = [6]float32{v[0], v[0] + v[1], v[0] - v[1], v[1]}
	case lineGather2:
		*v = [6]float32{(v[1]+v[2])*0.5 - v[0], (v[1] - v[2]) * 0.5, (v[1]+v[2])*0.5 + v[3]}
	}
}

// winogradIn4 multiplies the line, as a polynomial, by Π(x-pⱼ) over all points
// but the result's own.
func winogradIn4(v *[6]float32) {
	const p, q = winoP, winoQ
	evenP, oddP := v[4]-q*q*v[2], v[3]-q*q*v[1]
	evenQ, oddQ := v[4]-p*p*v[2], v[3]-p*p*v[1]
	first := v[4] - (p*p+q*q)*v[2] + p*p*q*q*v[0]
	last := v[5] - (p*p+q*q)*v[3] + p*p*q*q*v[1]
	*v = [6]float32{first, evenP + p*oddP, evenP - p*oddP, evenQ + q*oddQ, evenQ - q*oddQ, last}
}

// winogradOut4 evaluates powers 0 to 3 at the points.
func winogradOut4(v *[6]float32) {
	const p, q = winoP, winoQ
	sumP, sumQ, difP, difQ := v[1]+v[2], v[3]+v[4], v[1]-v[2], v[3]-v[4]
	*v = [6]float32{v[0] + sumP + sumQ, p*difP + q*difQ, p*p*sumP + q*q*sumQ, v[5] + p*p*p*difP + q*q*q*difQ}
}

// winogradSpread4 evaluates a line of the gradient of the result, as a polynomial, at the
// points: the transpose of winogradOut4.
func winogradSpread4(v *[6]float32) {
	const p, q = winoP, winoQ
	evenP, oddP := v[0]+p*p*v[2], p*v[1]+p*p*p*v[3]
	evenQ, oddQ := v[0]+q*q*v[2], q*v[1]+q*q*q*v[3]
	*v = [6]float32{v[0], evenP + oddP, evenP - oddP, evenQ + oddQ, evenQ - oddQ, v[3]}
}

// winogradGather4 is the transpose of the transform of filters.
func winogradGather4(v *[6]float32) {
	const p, q = winoP, winoQ
	const zero, atP, atQ = 1 / (p * p * q * q), 1 / (2 * p * p * (p*p - q*q)), 1 / (2 * q * q * (q*q - p*p))
	sumP, sumQ, difP, difQ := v[1]+v[2], v[3]+v[4], v[1]-v[2], v[3]-v[4]
	*v = [6]float32{zero*v[0] + atP*sumP + atQ*sumQ, atP*p*difP + atQ*q*difQ, atP*p*p*sumP + atQ*q*q*sumQ + v[5]}
}

// winogradIn2 and winogradOut2 have the points 0, ±1 and infinity.
func winogradIn2(v *[6]float32) {
	*v = [6]float32{v[2] - v[0], v[1] + v[2], v[2] - v[1], v[3] - v[1]}
}

func winogradOut2(v *[6]float32) {
	*v = [6]float32{v[0] + v[1] + v[2], v[3] + v[1] - v[2]}
}

// square transforms the columns and then the rows of in×in values, of which
// out×out result.
func square(v *[6][6]float32, in, out int, line winogradLine) {
	var t [6]float32
	for x := range in {
		for y := range in {
			t[y] = v[y][x]
		}
		line.apply(&t)
		for y := range out {
			v[y][x] = t[y]
		}
	}
	for y := range out {
		line.apply(&v[y])
	}
}

// winogradInGo transforms in×in values to out×out.
func winogradInGo(in, out int, line winogradLine) winogradInLoop {
	return func(dst, src []float32, c, row, pixel, tap int) {
		var v [6][6]float32
		for k := range c {
			for y := range in {
				for x := range in {
					v[y][x] = src[y*row+x*pixel+k]
				}
			}
			square(&v, in, out, line)
			for y := range out {
				for x := range out {
					dst[(y*out+x)*tap+k] = v[y][x]
				}
			}
		}
	}
}

func winogradOutGo(m int, line winogradLine) winogradOutLoop {
	return func(a *winogradOut) {
		var v [6][6]float32
		edge := m + 2
		for k := range a.n {
			for y := range edge {
				for x := range edge {
					v[y][x] = a.src[(y*edge+x)*a.tap+k]
				}
			}
			square(&v, edge, m, line)
			a.finish(k, &v)
		}
	}
}

// finish adds bias and residual to channel k of a tile, clamps and stores it.
func (a *winogradOut) finish(k int, v *[6][6]float32) {
	for y := range a.h {
		for x := range a.w {
			s := v[y][x]
			if a.bias != nil {
				s += a.bias[k]
			}
			if a.res != nil {
				s += a.res[y*a.resRow+x*a.resPixel+k]
			}
			a.dst[y*a.row+x*a.pixel+k] = clampTo(s, a.lo, a.hi)
		}
	}
}
