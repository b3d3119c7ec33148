package format

import (
	"slices"
	"testing"
)

// TestGroups takes the groups of tensors along every axis, and writes them back,
// in ranges of all lengths, against an index computed element by element.
func TestGroups(t *testing.T) {
	shape := []int{3, 20, 37}
	data := make([]int, 3*20*37)
	for i := range data {
		data[i] = i
	}
	for axis := range shape {
		for _, s := range []Spec{{}, {Grain: PerChannel, Axis: axis}, {Grain: PerBlock, Axis: axis, Block: 8}} {
			l := s.layout(shape)
			want := make([][]int, l.groups)
			for i := range data {
				o, c, in := i/(l.dim*l.inner), i/l.inner%l.dim, i%l.inner
				g := c
				switch s.Grain {
				case PerTensor:
					g = 0
				case PerBlock:
					g = (o*l.blocks+c/s.Block)*l.inner + in
				}
				want[g] = append(want[g], i)
			}
			for _, step := range []int{1, 5, l.groups} {
				back := make([]int, len(data))
				for from := 0; from < l.groups; from += step {
					to := min(from+step, l.groups)
					got, out := gather(l, from, to, data), blank(l, from, to, back)
					for g := from; g < to; g++ {
						if !slices.Equal(got.of(g), want[g]) {
							t.Fatalf("%v of %v: group %d is %d, want %d", s, shape, g, got.of(g), want[g])
						}
						copy(out.of(g), got.of(g))
					}
					out.store()
				}
				if !slices.Equal(back, data) {
					t.Errorf("%v of %v: %d groups at a time are not written back", s, shape, step)
				}
			}
		}
	}
}
