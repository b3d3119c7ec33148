package engine

import (
	"slices"
	"testing"
)

func TestReshapedSteps(t *testing.T) {
	for _, c := range []struct{ shape, steps, to, want []int }{
		{[]int{2, 3, 4}, []int{12, 4, 1}, []int{6, 4}, []int{4, 1}},
		{[]int{2, 3, 4}, []int{12, 4, 1}, []int{24}, []int{1}},
		{[]int{24}, []int{2}, []int{2, 3, 4}, []int{24, 8, 2}},
		{[]int{2, 6, 5, 7}, []int{210, 1, 42, 6}, []int{2, 2, 3, 35}, []int{210, 3, 1, 6}},
		{[]int{2, 6, 5, 7}, []int{210, 1, 42, 6}, []int{2, 210}, nil},
		{[]int{1, 6, 5, 7}, []int{210, 1, 42, 6}, []int{3, 2, 35}, []int{2, 1, 6}},
		{[]int{2, 1, 3}, []int{3, 9, 1}, []int{1, 6, 1}, nil},
		{[]int{4, 6}, []int{6, 1}, []int{2, 2, 3, 2}, []int{12, 6, 2, 1}},
		{[]int{1, 1}, []int{7, 9}, []int{1}, nil},
		{[]int{3, 4}, []int{1, 3}, []int{12}, nil},
		{[]int{3, 4}, []int{1, 3}, []int{3, 1, 4, 1}, nil},
	} {
		got := reshapedSteps(c.shape, c.steps, c.to)
		if c.want == nil {
			// Only that axes of one element do not matter is asked of these.
			if got != nil && !sameElements(c.shape, c.steps, c.to, got) {
				t.Errorf("%v by %v as %v: %v reads other elements", c.shape, c.steps, c.to, got)
			}
			continue
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v by %v as %v: got %v, want %v", c.shape, c.steps, c.to, got, c.want)
		}
	}
}

func sameElements(shape, steps, to, got []int) bool {
	return slices.Equal(offsets(shape, steps), offsets(to, got))
}

func offsets(shape, steps []int) []int {
	if len(shape) == 0 {
		return []int{0}
	}
	var out []int
	for i := range shape[0] {
		for _, o := range offsets(shape[1:], steps[1:]) {
			out = append(out, i*steps[0]+o)
		}
	}
	return out
}
