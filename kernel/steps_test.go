package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/internal/guard"
)

// randomSteps makes a table of n steps with about so many runs of equal values.
func randomSteps(r *rand.Rand, n, runs int) *Steps {
	values, v := make([]uint8, n), uint8(r.IntN(256))
	for i := range values {
		if i > 0 && r.IntN(n) < runs {
			v = uint8(r.IntN(256))
		}
		values[i] = v
	}
	return NewSteps(values)
}

// stepAt is the definition.
func stepAt(values []uint8, y float32) uint8 {
	last := len(values) - 1
	switch {
	case y >= float32(last):
		return values[last]
	case y >= 1:
		return values[int(y)]
	}
	return values[0]
}

func TestSteps(t *testing.T) {
	eachImpl(t, "steps", stepLoops, func(t *testing.T, run stepLoop) {
		r := seeded(9)
		for _, runs := range []int{0, 1, 7, 8, 15, 40, 130, 250, 4000} {
			s := randomSteps(r, 4096, runs)
			for _, cols := range lengths() {
				rows, ldd, lds := 1+r.IntN(3), cols+r.IntN(3), cols+r.IntN(3)
				src, dst := tail(t, r, extent(rows, cols, lds), 2048, true), guard.Tail[uint8](t, extent(rows, cols, ldd))
				for i := range src {
					if r.IntN(2) == 0 {
						src[i] = float32(r.IntN(4100) - 2048)
					}
				}
				want := make([]uint8, len(dst))
				for p := range rows {
					for j := range cols {
						y := float32(float64(src[p*lds+j]) * 0.99)
						want[p*ldd+j] = stepAt(s.values, float32(float64(y)+2048.5))
					}
				}
				run(s, &stepArgs{dst: dst, src: src, rows: rows, cols: cols, ldd: ldd, lds: lds, factor: 0.99, offset: 2048.5})
				for i := range want {
					if dst[i] != want[i] {
						t.Fatalf("%d runs, %d rows of %d: element %d is %d, want %d", runs, rows, cols, i, dst[i], want[i])
					}
				}
			}
		}
	})
}

func TestStepsRun(t *testing.T) {
	s := NewSteps([]uint8{9, 3, 3, 200})
	src := []float32{-inf, -1, nan, 0, 0.24, 0.25, 1.2, 1.25, 1.5, 1e30, inf}
	want := []uint8{9, 9, 9, 9, 9, 3, 3, 200, 200, 200, 200}
	got := make([]uint8, len(src))
	s.Run(got, src, 2, 0.5)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	s.Run(nil, nil, 1, 0)
}

// TestIntConvRegion: a task writes its region and nothing else, and regions
// share out the result.
func TestIntConvRegion(t *testing.T) {
	const untouched = int32(math.MaxInt32)
	cases := append(slices.Clone(intCases), intDepthCases...)
	for _, s := range append(cases, ConvShape{N: 1, H: 30, W: 20, C: 40, KH: 1, KW: 1, O: 500}) {
		w, err := PackIntConv(s, make([]int8, s.O*s.C/max(1, s.Groups)*s.KH*s.KW), 0)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewIntConv(s, w)
		if err != nil {
			t.Fatal(err)
		}
		full, pixels := c.Shape(), s.N*s.OH()*s.OW()
		src, scratch := make([]uint8, extent(s.N*s.H*s.W, s.C, full.SrcStride)), make([]uint8, c.ScratchBytes())
		dst, owners := make([]int32, extent(pixels, s.O, full.DstStride)), make([]int, pixels*s.O)
		for task := range c.Tasks() {
			for i := range dst {
				dst[i] = untouched
			}
			c.RunSums(task, dst, src, scratch)
			r0, r1, c0, c1 := c.Region(task)
			for p := range pixels {
				for o := range s.O {
					in := r0 <= p && p < r1 && c0 <= o && o < c1
					if in {
						owners[p*s.O+o]++
					}
					if in == (dst[p*full.DstStride+o] == untouched) {
						t.Fatalf("%+v: task %d with region %d:%d,%d:%d, element %d,%d", s, task, r0, r1, c0, c1, p, o)
					}
				}
			}
		}
		if slices.ContainsFunc(owners, func(n int) bool { return n != 1 }) {
			t.Errorf("%+v: regions do not share out the result", s)
		}
	}
}
