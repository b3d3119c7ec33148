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
	// Reads has for every group which input channel it reads, where each reads one
	// and several may read the same, as behind a Gather; nil for each its own.
	Reads []int
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

// gathered are the weights of groups that read the same channel as those of one
// group, filled up with zeros.
func (w *Weights) gathered() *Weights {
	if w.Reads == nil || w.In != 1 {
		return w
	}
	members := map[int][]int{}
	var order []int
	most := 0
	for g, c := range w.Reads {
		if members[c] == nil {
			order = append(order, c)
		}
		members[c] = append(members[c], g)
		most = max(most, len(members[c]))
	}
	size := w.Out * w.Taps
	out := &Weights{
		Groups: len(order), Out: most * w.Out, In: 1, Taps: w.Taps, Meets: w.Meets,
		Values: make([]float32, len(order)*most*size), Steps: Steps{Group: most * size, Out: w.Taps, Tap: 1},
	}
	for k, c := range order {
		for n, g := range members[c] {
			for o := range w.Out {
				for t := range w.Taps {
					out.Values[(k*most+n)*size+o*w.Taps+t] = w.value(g*w.Steps.Group + o*w.Steps.Out + t*w.Steps.Tap)
				}
			}
		}
	}
	return out
}

// value is the number at a place.
func (w *Weights) value(at int) float32 {
	if w.Codes != nil {
		return w.Levels[w.Codes[at]]
	}
	return w.Values[at]
}

// constant counts the outputs whose weights are all 0.
func (w *Weights) constant() (n int64) {
	for g := range w.Groups {
		for o := range w.Out {
			if w.zeros(g*w.Steps.Group + o*w.Steps.Out) {
				n++
			}
		}
	}
	return n
}

// zeros reports whether the weights of the output that starts at a place are all 0.
func (w *Weights) zeros(at int) bool {
	for i := range w.In {
		for t := range w.Taps {
			if w.value(at+i*w.Steps.In+t*w.Steps.Tap) != 0 {
				return false
			}
		}
	}
	return true
}
