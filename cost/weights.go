package cost

// Weights are numbers that multiply the inputs of a layer, as Groups blocks that
// share no inputs, of Out outputs each, which sum over In inputs with Taps
// weights each.
type Weights struct {
	Groups, Out, In, Taps int
	// Values are the numbers, without scales of outputs. Infinite and undefined
	// ones count as any others.
	Values []float32
	// Steps are the distances in Values between neighbouring groups, outputs,
	// inputs and taps.
	Steps Steps
	// Meets has for every tap which of the numbers of an input channel it meets:
	// taps with the same entry meet the same ones. nil stands for all the same.
	Meets []int
}

// Steps are distances between neighbours.
type Steps struct{ Group, Out, In, Tap int }

// ConvWeights are those of a convolution, in ONNX's layout: shape is [outputs,
// inputs of a group, taps...]. Strides and dilations may be nil for ones.
func ConvWeights(values []float32, shape []int, groups int, strides, dilations []int) Weights {
	taps := volume(shape[2:])
	w := Weights{
		Groups: groups, Out: shape[0] / groups, In: shape[1], Taps: taps, Values: values,
		Steps: Steps{Group: shape[0] / groups * shape[1] * taps, Out: shape[1] * taps, In: taps, Tap: 1},
	}
	w.Meets = phases(shape[2:], strides, dilations)
	return w
}

// phases numbers for every tap where it lies modulo the strides: an output every s
// numbers meets at one tap only every s-th of them.
func phases(kernel, strides, dilations []int) []int {
	out := make([]int, volume(kernel))
	for t := range out {
		at, rest := 0, t
		for axis := len(kernel) - 1; axis >= 0; axis-- {
			s := entry(strides, axis)
			at = at*s + rest%kernel[axis]*entry(dilations, axis)%s
			rest /= kernel[axis]
		}
		out[t] = at
	}
	return out
}

// entry is list[axis], 1 where the list does not say.
func entry(list []int, axis int) int {
	if axis < len(list) && list[axis] > 0 {
		return list[axis]
	}
	return 1
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
