package cost

// Weights are numbers that multiply the inputs of a layer, as Groups blocks that
// share no inputs, of Out outputs each, which sum over In inputs with Taps
// weights each.
type Weights struct {
	Groups, Out, In, Taps int
	// Values are the numbers, without scales of outputs. Infinite and undefined
	// ones count as any others.
	Values []float32
	// Codes stand in place of Values for bytes, each of which means the number of
	// Levels.
	Codes  []byte
	Levels *[256]float32
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
	w.Meets = meets(shape[2:], strides, dilations)
	return w
}

// meets numbers for every tap where it lies modulo the strides: an output every s
// numbers meets at one tap only every s-th of them.
func meets(kernel, strides, dilations []int) []int {
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

// phases are the taps that meet the same numbers of an input channel.
func (w *Weights) phases() (out [][]int) {
	at := map[int]int{}
	for t := range w.Taps {
		meets := 0
		if w.Meets != nil {
			meets = w.Meets[t]
		}
		k, ok := at[meets]
		if !ok {
			k = len(out)
			at[meets] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], t)
	}
	return out
}
