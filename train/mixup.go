package train

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"pare/tensor"
)

// augmented changes the pictures of a step's samples in place; each has a random
// source of its own.
func (a Augment) augmented(s *sample, seed uint64, step int) {
	if a == (Augment{}) {
		return
	}
	r := stream(seed, "augmentation", step)
	share, with := a.mix(s.rows(), r)
	for _, x := range s.in {
		p, ok := asPictures(x)
		if !ok {
			continue
		}
		data, size := tensor.Data[float32](x), p.h*p.w*p.planes*p.pixel
		for i := 0; i < len(data); i += size {
			a.apply(data[i:i+size], p, r)
		}
		if with != nil {
			blend(data, size, share, with)
			s.mixed(share, with)
		}
	}
}

// mix draws which sample is mixed into which, and the share that each keeps; nil
// where none is.
func (a Augment) mix(n int, r *rand.Rand) (share float64, with []int) {
	if a.Mixup == 0 || n < 2 {
		return 1, nil
	}
	share = distuv.Beta{Alpha: a.Mixup, Beta: a.Mixup, Src: r}.Rand()
	return max(share, 1-share), r.Perm(n)
}

// mixed gives samples the labels of what was mixed into them.
func (s *sample) mixed(share float64, with []int) {
	if len(s.labels) != len(with) {
		return
	}
	s.share, s.others = share, make([]int, len(with))
	for i, k := range with {
		s.others[i] = s.labels[k]
	}
}

// blend mixes pictures of a size.
func blend(data []float32, size int, share float64, with []int) {
	from := append([]float32(nil), data...)
	a, b := float32(share), float32(1-share)
	for i, k := range with {
		own, other := data[i*size:][:size], from[k*size:][:size]
		for j, v := range own {
			own[j] = float32(a*v) + float32(b*other[j])
		}
	}
}
