package main

import "pare/demo"

// pictures are records as demo.Draw returns them.
type pictures []byte

func (p pictures) len() int { return len(p) / demo.Record }

// batch writes the chosen pictures, normalised as demo.Prepare says, to x and
// returns their labels.
func (p pictures) batch(x *maps, chosen []int) []int {
	labels := make([]int, len(chosen))
	x.sized(len(chosen), 3, demo.Side, demo.Side)
	for i, at := range chosen {
		r := p[at*demo.Record:][:demo.Record]
		labels[i] = int(r[0])
		dst := x.image(i)
		for j, v := range r[1:] {
			dst[j] = float32((float64(v)/255 - demo.Mean) / demo.Std)
		}
	}
	return labels
}
