package recon

import (
	"hash/fnv"
	"math/rand/v2"

	"pare/tensor"
)

// augment changes a batch of pictures, [n, channels, height, width] or channels last,
// whose first is sample lo: half of them are mirrored, or each is mixed with the next
// one. Other values stay as they are. What a sample becomes depends on the seed and its
// number alone, but for whom it is mixed with.
func augment(how string, t *tensor.Tensor, lo int, seed uint64) *tensor.Tensor {
	if how == "none" || t.Rank() != 4 || t.Type != tensor.Float32 {
		return t
	}
	t = t.Clone()
	x := tensor.Data[float32](t)
	n := t.Shape[0]
	each := len(x) / max(1, n)
	first := append([]float32(nil), x[:each]...)
	for i := range n {
		h := fnv.New64a()
		h.Write([]byte("augment"))
		r := rand.New(rand.NewPCG(seed^h.Sum64(), uint64(lo+i)))
		a := x[i*each : (i+1)*each]
		switch {
		case how == "flip" && r.IntN(2) == 0:
			mirror(a, t.Shape[1:])
		case how == "mixup":
			b := first
			if i+1 < n {
				b = x[(i+1)*each : (i+2)*each]
			}
			share := r.Float32()
			for k, v := range b {
				a[k] = share*a[k] + (1-share)*v
			}
		}
	}
	return t
}

// mirror turns left and right of a picture about.
func mirror(x []float32, shape []int) {
	inner, width := 1, shape[2]
	if shape[0] > 4 && shape[2] <= 4 { // channels last
		inner, width = shape[2], shape[1]
	}
	for row := x; len(row) > 0; row = row[width*inner:] {
		for i, j := 0, width-1; i < j; i, j = i+1, j-1 {
			for c := range inner {
				row[i*inner+c], row[j*inner+c] = row[j*inner+c], row[i*inner+c]
			}
		}
	}
}
