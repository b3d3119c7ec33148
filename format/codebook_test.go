package format

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/tensor"
)

// TestFinder: the level found is the last whose cut a number reaches, on cuts and
// next to them, too.
func TestFinder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, levels := range [][]float32{{-48, -7, 3, 48}, {-1, -0.25, 0, 0.5}, {1, 2, 3, 4}, {-9, -8, -7, -7}, {0, 0, 0, 0}} {
		for _, scale := range []float32{1, 0.37, 1e-29, 3e30} {
			f := newFinder(levels, 48)
			c := f.cut(scale)
			for i := range 2000 {
				v := float32(r.NormFloat64()) * scale * 20
				if i < 12 {
					cut := c[1+i/4]
					v = []float32{cut, math.Nextafter32(cut, -math.MaxFloat32), math.Nextafter32(cut, math.MaxFloat32), -cut}[i%4]
				}
				want := 0
				for want+1 < len(levels) && v >= c[want+1] {
					want++
				}
				if got := int(f.find(v, f.cells/scale, c)); got != want {
					t.Fatalf("levels %v times %v: %v has level %d, want %d", levels, scale, v, got, want)
				}
			}
		}
	}
}

// TestLine: counting in parts gives what counting one element after the other
// does, whatever the layout and the number of threads.
func TestLine(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	shape := []int{70, 40, 30}
	data, counts := make([]float32, tensor.Len(shape)), make([]float32, tensor.Len(shape))
	for i := range data {
		data[i], counts[i] = float32(r.NormFloat64()), r.Float32()
	}
	for _, s := range []Spec{{Grain: PerTensor}, {Grain: PerChannel, Axis: 0}, {Grain: PerChannel, Axis: 2}} {
		l, one := s.layout(shape), newLine(48)
		for k := range l.groups {
			one.group(gather(l, k, k+1, data).of(k), gather(l, k, k+1, counts).of(k))
		}
		first := groupParts{data, counts}.line(l, 48, 1)
		for i, v := range (groupParts{data, counts}).line(l, 48, 3).s1 {
			if v != first.s1[i] {
				t.Fatalf("%v: cell %d holds %v, with another number of threads %v", s, i, v, first.s1[i])
			}
			if math.Abs(v-one.s1[i]) > 1e-9*math.Abs(one.s0[i]) {
				t.Fatalf("%v: cell %d holds %v, want %v", s, i, v, one.s1[i])
			}
		}
	}
}
