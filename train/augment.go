package train

import (
	"fmt"
	"math/rand/v2"

	"pare/tensor"
)

// Augment is what is done to pictures before every step, each time anew. Pictures are
// inputs of four axes with one, three or four channels; other inputs stay.
type Augment struct {
	Flip  bool    // mirror every second picture
	Shift float64 // move by up to this share of the sides; zeros come in
	Mixup float64 // mix pictures by pairs, by shares drawn from Beta(Mixup, Mixup) [zhang18]; 0 for not
}

func (a Augment) check() error {
	if !(a.Shift >= 0 && a.Shift < 1) || !(a.Mixup >= 0 && a.Mixup <= 10) {
		return fmt.Errorf("augmentation by shift %v, which is in [0, 1), and mixup %v, in [0, 10]", a.Shift, a.Mixup)
	}
	return nil
}

// pictures describes an input: planes of rows, or rows of pixels.
type pictures struct {
	h, w   int
	planes int // per picture
	pixel  int // numbers that lie side by side
}

// asPictures reports whether a tensor holds pictures.
func asPictures(x *tensor.Tensor) (p pictures, ok bool) {
	if x.Rank() != 4 || x.Type != tensor.Float32 {
		return p, false
	}
	s := x.Shape
	switch {
	case channels(s[1]) && s[2] > 4 && s[3] > 4:
		return pictures{h: s[2], w: s[3], planes: s[1], pixel: 1}, true
	case channels(s[3]) && s[1] > 4 && s[2] > 4:
		return pictures{h: s[1], w: s[2], planes: 1, pixel: s[3]}, true
	}
	return p, false
}

func channels(n int) bool { return n == 1 || n == 3 || n == 4 }

// apply changes one picture in place. The random numbers drawn do not depend on which
// changes are asked for.
func (a Augment) apply(x []float32, p pictures, r *rand.Rand) {
	flip := r.Uint64()&1 == 1
	dy, dx := draw(r, a.Shift, p.h), draw(r, a.Shift, p.w)
	size := p.h * p.w * p.pixel
	row := make([]float32, p.w*p.pixel)
	for k := range p.planes {
		plane := x[k*size:][:size]
		shiftRows(plane, p.w*p.pixel, dy)
		for y := range p.h {
			line := plane[y*p.w*p.pixel:][:p.w*p.pixel]
			if a.Flip && flip {
				mirror(line, row, p.pixel)
			}
			shiftRows(line, p.pixel, dx)
		}
	}
}

// draw is a distance of up to a share of a side, in either direction.
func draw(r *rand.Rand, share float64, side int) int {
	most := int(share * float64(side))
	return r.IntN(2*most+1) - most
}

// shiftRows moves rows by d places towards the end; zeros come in.
func shiftRows(x []float32, row, d int) {
	n := min(max(d, -d)*row, len(x))
	switch {
	case d > 0:
		copy(x[n:], x[:len(x)-n])
		clear(x[:n])
	case d < 0:
		copy(x, x[n:])
		clear(x[len(x)-n:])
	}
}

// mirror reverses a line of pixels.
func mirror(line, buffer []float32, pixel int) {
	copy(buffer, line)
	for i := 0; i < len(line); i += pixel {
		copy(line[i:i+pixel], buffer[len(line)-i-pixel:])
	}
}
