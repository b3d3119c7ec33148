package kernel

// The portable transforms of integers. The points for 4x4 outputs are 0, ±1, ±2
// and infinity, those for 2x2 outputs 0, ±1 and infinity. Divisors of the filter
// transform are left to the output: there results are multiplied by 9·2^(p+q) for
// row and column powers p and q, which a multiplication by the inverse of nine
// modulo 2³² and a shift undo, exactly where the result keeps its p+q upper bits
// for the sign.
const intNinth = 0x38e38e39

// intLine transforms a line of numbers in place.
type intLine int

const (
	intIn4 intLine = iota
	intOut4
	intIn2
	intOut2
)

func (l intLine) apply(v *[6]int32) {
	switch l {
	case intIn4:
		even, odd := v[4]-4*v[2], v[3]-4*v[1]
		even2, odd2 := v[4]-v[2], 2*(v[3]-v[1])
		*v = [6]int32{4*v[0] - 5*v[2] + v[4], even + odd, even - odd, even2 + odd2, even2 - odd2, 4*v[1] - 5*v[3] + v[5]}
	case intOut4:
		s, t, ds, dt := v[1]+v[2], v[3]+v[4], v[1]-v[2], v[3]-v[4]
		*v = [6]int32{v[0] + 4*s + t, 2*ds + dt, s + t, ds + 2*dt + v[5]}
	case intIn2:
		*v = [6]int32{v[2] - v[0], v[1] + v[2], v[2] - v[1], v[3] - v[1]}
	case intOut2:
		*v = [6]int32{v[0] + v[1] + v[2], v[1] - v[2] + v[3]}
	}
}

// filter is what weights are multiplied by to meet the line's transform: the
// filter (a, b, c) at the points, times what makes all results integers.
func intFilterLine(m int, a, b, c int32) [6]int32 {
	if m == 2 {
		return [6]int32{-2 * a, a + b + c, a - b + c, 2 * c}
	}
	return [6]int32{6 * a, -a - b - c, -a + b - c, a + 2*b + 4*c, a - 2*b + 4*c, 6 * c}
}

// intSquare transforms the columns and then the rows of in×in values, of which
// out×out result.
func intSquare(v *[6][6]int32, in, out int, line intLine) {
	var t [6]int32
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

func intWinogradInGo(m int, line intLine) intWinogradInLoop {
	edge := m + 2
	return func(dst []int16, src []uint8, tiles, pitch, c, row, pixel, tap int) {
		var v [6][6]int32
		for i := range tiles * c {
			to, from := i/c*pitch+i%c, i/c*m*pixel+i%c
			for y := range edge {
				for x := range edge {
					v[y][x] = int32(src[from+y*row+x*pixel])
				}
			}
			intSquare(&v, edge, edge, line)
			for y := range edge {
				for x := range edge {
					dst[to+(y*edge+x)*tap] = int16(v[y][x])
				}
			}
		}
	}
}

func intWinogradOutGo(m int, line intLine, inverse int32, power [4]int) intWinogradOutLoop {
	edge := m + 2
	return func(dst, src []int32, tiles, n, row, tap int) {
		var v [6][6]int32
		for i := range tiles * n {
			for y := range edge {
				for x := range edge {
					v[y][x] = src[i+(y*edge+x)*tap]
				}
			}
			intSquare(&v, edge, m, line)
			to := i/n*m*n + i%n
			for y := range m {
				for x := range m {
					dst[to+y*row+x*n] = v[y][x] * inverse >> (power[y] + power[x])
				}
			}
		}
	}
}
