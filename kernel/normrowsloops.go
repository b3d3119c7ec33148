package kernel

import "sync"

// normRowsLoop maps rows of len(mean) elements that follow each other.
type normRowsLoop func(dst, x, mean, scale, shift []float32, rows int, lo, hi float32)

// normGradArgs is one call of a loop over rows of len(mean) elements. Assembly reads it
// by offset (TestArgsLayout).
type normGradArgs struct {
	dx, dy, x                         []float32
	mean, scale, shift, slope, offset []float32
	rows                              int
	lo, hi                            float32
	keep                              uint32 // of what dx holds: no bits, or all where it is added to
}

type normGradLoop func(a *normGradArgs)

var (
	normRowsLoops = append(archNormRows, impl[normRowsLoop]{"f32_1_go", 0, normRowsGo})
	normGradLoops = append(archNormGrad, impl[normGradLoop]{"f32_1_go", 0, normGradGo})
	normGradPool  = sync.Pool{New: func() any { return new(normGradArgs) }}
)

func normRowsGo(dst, x, mean, scale, shift []float32, rows int, lo, hi float32) {
	n := len(mean)
	for r := range rows {
		for j, v := range x[r*n : (r+1)*n] {
			dst[r*n+j] = clampTo(float32((v-mean[j])*scale[j])+shift[j], lo, hi)
		}
	}
}

func normGradGo(a *normGradArgs) {
	n := len(a.mean)
	for r := range a.rows {
		for j := range n {
			i, g := r*n+j, float32(0)
			d := a.x[i] - a.mean[j]
			if y := float32(d*a.scale[j]) + a.shift[j]; y > a.lo && y < a.hi {
				g = a.dy[i]
			}
			v := float32(g*a.scale[j]) + (float32(d*a.slope[j]) + a.offset[j])
			if a.keep != 0 {
				v += a.dx[i]
			}
			a.dx[i] = v
		}
	}
}
