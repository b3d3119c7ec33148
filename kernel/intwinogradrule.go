package kernel

// IntSizes is what the choice of a form asks of weights.
type IntSizes struct {
	Largest int // magnitude of a weight
	Sum     int // magnitude of a sum with codes up to 255
}

// IntSizesOf measures weights in OIHW order.
func IntSizesOf(o int, w []int8) IntSizes {
	largest := 0
	for _, v := range w {
		largest = max(largest, int(v), -int(v))
	}
	return IntSizes{largest, intWinogradSum(o, w)}
}

// IntWinogradTile is the edge of the output tiles, 2 or 4, with which Winograd's
// form on integers is expected to be fastest; 0 where that is the direct form, or
// the only one that holds the sums. It depends on the shape, the sizes of the
// weights and the processor; results do not. Measured on one core of a Zen 4, with
// weights of 8 bits by VNNI and AVX2, and of 4 bits by AVX2, times as fast as the
// direct form:
//
//	56x56, 64 to 64 channels, tiles of 4    1.5  3.1  1.7
//	28x28, 128 to 128, tiles of 4           1.5  3.2  1.7
//	14x14, 256 to 256, tiles of 4           1.1  2.2  1.2
//	7x7, 512 to 512, tiles of 2             0.7  1.3  0.7 (tiles of 4: 0.4, 1.1, 0.7)
//	32x32, 16 to 16, tiles of 4             0.7  1.7  1.0
//	16x16, 32 to 32, tiles of 4             1.0  2.3  1.3
//	8x8, 64 to 64, tiles of 4               1.2  2.6  1.5
//	28x28, 128 to 32, tiles of 4            1.3  2.8  1.6
//	7x7, 128 to 32, tiles of 4              1.1  2.2  1.2
//	56x56, 45 to 45, tiles of 4             1.2  1.9  1.3
//	14x14, 179 to 179, tiles of 4           1.1  1.6  1.1
//	28x28, 128 to 11, tiles of 4            1.4  2.0  1.5
func IntWinogradTile(s ConvShape, z IntSizes) int {
	if s.checkIntWinograd(4) != nil || s.C < 16 || s.O <= fewChannels || s.OH()*s.OW() == 0 {
		return 0
	}
	best, edge := s.Flops()/2*pickIntTile(intTiles).paceOf(z.Largest), 0
	for _, m := range []int{4, 2} {
		if c := intWinogradCost(s, m); z.Sum < intWinogradMost(m) && c < best {
			best, edge = c, m
		}
	}
	return edge
}

// Costs in multiply-adds of words, fitted to what BenchmarkIntWinograd and networks
// measure: of transforming one code and one sum, and of bringing one weight from
// where weights of that many bytes are likely to be. Fewer rows than intLeastRows
// take as long as so many.
const (
	intLoadCost  = 8
	intStoreCost = 14
	intLeastRows = 4
)

func intWeightCost(bytes float64) float64 {
	switch {
	case bytes > 8<<20:
		return 6
	case bytes > 1<<20:
		return 3
	}
	return 1.5
}

// paceOf is the pace with weights up to largest: groups grow as these get smaller.
func (t *intTile) paceOf(largest int) float64 {
	switch {
	case !t.grouped || largest > 64:
		return t.pace
	case largest > 32:
		return 0.67 * t.pace
	}
	return 0.6 * t.pace
}

func intWinogradCost(s ConvShape, m int) float64 {
	taps := float64((m + 2) * (m + 2))
	tiles := float64(s.N * ((s.OH() + m - 1) / m) * ((s.OW() + m - 1) / m))
	c, o := float64(s.depth()), float64(s.O)
	return taps * ((max(tiles, intLeastRows)+intWeightCost(2*taps*c*o))*c*o + tiles*(intLoadCost*max(32, c)+intStoreCost*o))
}
