package kernel

import "sync"

// depthGradArgs is one call of a loop that sums products of a block of taps for n
// channels: for tap (r, k) and channel j,
//
//	c[r·tapRow + k·tapCol + j] = Σ_l Σ_p x[lines[l].a + p·xStep + r·xRow + k·xCol + j] · dy[lines[l].b + p·dyStep + j]
//
// over p < px, plus what c holds if add. Assembly reads this struct by offset
// (TestArgsLayout).
type depthGradArgs struct {
	x, dy, c       []float32
	lines          []outerLine
	xStep, dyStep  int
	px             int
	xRow, xCol     int
	tapRow, tapCol int
	n              int
	add            bool
}

// depthGradLoop sums a block of rows×cols taps. Rows of a table have loops for one,
// three and five columns.
type depthGradLoop func(rows, cols int, a *depthGradArgs)

// depthGradLoops say how many rows of three and of five columns they take at once.
var (
	depthGradLoops = append(archDepthGrad, impl[depthGradLoop]{"f32_1_go", 0, depthGradGo})
	depthGradPool  = sync.Pool{New: func() any { return new(depthGradArgs) }}
)

// tapBlock is a block of taps that a loop sums at once.
type tapBlock struct{ y, x, rows, cols int }

// mostTapRows is how many rows of so many columns loops take: the sums of all taps and
// what masks need fit in the sixteen registers of AVX2.
var mostTapRows = [6]int{1: 5, 3: 3, 5: 2}

// eachTapBlock cuts a block of taps.
func eachTapBlock(kh, kw int, f func(b tapBlock)) {
	for x := 0; x < kw; {
		cols := 1
		for _, n := range []int{3, 5} {
			if kw-x >= n {
				cols = n
			}
		}
		for y := 0; y < kh; {
			rows := min(kh-y, mostTapRows[cols])
			f(tapBlock{y, x, rows, cols})
			y += rows
		}
		x += cols
	}
}

func depthGradGo(rows, cols int, a *depthGradArgs) {
	for r := range rows {
		for k := range cols {
			c := a.c[r*a.tapRow+k*a.tapCol:][:a.n]
			if !a.add {
				clear(c)
			}
			for _, l := range a.lines {
				for p := range a.px {
					x := a.x[int(l.a)+p*a.xStep+r*a.xRow+k*a.xCol:][:a.n]
					dy := a.dy[int(l.b)+p*a.dyStep:][:a.n]
					for j, v := range dy {
						c[j] += x[j] * v
					}
				}
			}
		}
	}
}
