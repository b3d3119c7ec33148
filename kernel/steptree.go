package kernel

import "math"

// stepTree finds the run of equal values that a number lies in by comparison
// with the first steps of the runs: a vector holds those of every more+1st run,
// to be searched by bisection, and one vector for each of the runs between tells
// whether they are reached.
//
// Words are in the order of use: the first vector and as many of padding; its
// middle in all lanes; the values of the runs in it; and first steps and values
// of the runs between.
type stepTree[W uint16 | uint32] struct {
	words []W
	more  int
}

// A tree has at most maxRuns runs, and 16 bits hold its steps.
const maxRuns, maxTreeSteps = 256, 1 << 15

// runStarts are the first steps of the runs of equal values, nil where a tree
// does not hold them.
func runStarts(values []uint8) []int {
	starts := []int{0}
	for i := 1; i < len(values); i++ {
		if values[i] != values[i-1] {
			starts = append(starts, i)
		}
	}
	if len(starts) > maxRuns || len(values) > maxTreeSteps {
		return nil
	}
	return starts
}

// newStepTree makes the tree for vectors of so many lanes. word is a step as
// the kernel compares it, -1 for one that no number reaches.
func newStepTree[W uint16 | uint32](values []uint8, starts []int, lanes int, word func(step int) W) *stepTree[W] {
	groups := (len(starts) + lanes - 1) / lanes
	t := &stepTree[W]{more: groups - 1}
	start := func(run int) W {
		if run >= len(starts) {
			return word(-1)
		}
		return word(starts[run])
	}
	value := func(run int) W { return W(values[starts[min(run, len(starts)-1)]]) }
	add := func(f func(run int) W, n, group int) {
		for i := range n {
			t.words = append(t.words, f(i*groups+group))
		}
	}
	add(start, 2*lanes, 0)
	add(func(int) W { return start(lanes / 2 * groups) }, lanes, 0)
	add(value, lanes, 0)
	for g := 1; g < groups; g++ {
		add(start, lanes, g)
		add(value, lanes, g)
	}
	return t
}

func floatStep(step int) uint32 {
	if step < 0 {
		return math.Float32bits(inf)
	}
	return math.Float32bits(float32(step))
}

func wordStep(step int) uint16 { return uint16(step) }
