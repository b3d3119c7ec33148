package train

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"pare/tensor"
)

// mixing is how the samples of a step were mixed: a share of each with what is left of
// another one.
type mixing struct {
	share float64
	with  []int // by sample
}

// mix draws how a step's samples are mixed, nil where they are not.
func (a Augment) mix(n int, r *rand.Rand) *mixing {
	if a.Mixup == 0 || n < 2 {
		return nil
	}
	b := distuv.Beta{Alpha: a.Mixup, Beta: a.Mixup, Src: r}
	share := b.Rand()
	return &mixing{max(share, 1-share), r.Perm(n)}
}

// blend mixes the pictures of a tensor.
func (m *mixing) blend(x *tensor.Tensor) {
	data := tensor.Data[float32](x)
	size := len(data) / len(m.with)
	from := append([]float32(nil), data...)
	a, b := float32(m.share), float32(1-m.share)
	for i, k := range m.with {
		own, other := data[i*size:][:size], from[k*size:][:size]
		for j, v := range own {
			own[j] = float32(a*v) + float32(b*other[j])
		}
	}
}
