package cost

import "math"

// signed writes the bits of a kernel whose first number other than 0 is positive;
// it reports false for a kernel of zeros.
func signed(dst []int32, kernel []float32) bool {
	const sign = math.MinInt32
	flip, found := int32(0), false
	for t, x := range kernel {
		b := int32(math.Float32bits(x))
		if b&^sign == 0 {
			dst[t] = 0
			continue
		}
		if !found {
			flip, found = b&sign, true
		}
		dst[t] = b ^ flip
	}
	return found
}

// multiple is the grid of normalised kernels: a power of two, so that kernels
// apart by such a factor are equal.
const multiple = 1 << 12

// scaled writes a kernel divided by the first of its largest numbers, on a grid of
// 2^-12; it reports false for a kernel of zeros or one that is not finite.
func scaled(dst []int32, kernel []float32) bool {
	largest := float32(0)
	for _, x := range kernel {
		if max(x, -x) > max(largest, -largest) {
			largest = x
		}
	}
	if largest == 0 || largest-largest != 0 {
		return false
	}
	for t, x := range kernel {
		dst[t] = int32(math.Round(float64(x) / float64(largest) * multiple))
	}
	return true
}
